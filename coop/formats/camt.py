"""What the bank says happened: statements as ISO 20022 camt.053, read whole or refused, and written for tests and imported seasons."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from xml.etree.ElementTree import Element

from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent
from coop.formats.bank_statement import (
    LONGEST_NAME,
    BankLine,
    BankStatement,
    day_of,
    end_to_end_of,
    iban_of,
    minor_of,
    refuse_account,
    refuse_currency,
    shown,
    whole,
    words_of,
)
from coop.formats.bank_xml import parse_xml
from coop.formats.xml_writing import add, add_amount, bank_text, document, iso_second, to_bytes


def read_camt053(content: bytes, *, iban: str, currency: str) -> BankStatement:
    """Read a statement of this account in this currency, whole, or refuse it.

    Raises `empty`, `too_large`, `entities`, `too_deep`, `encoding`, `not_xml`, `not_camt`, `one_statement`, `wrong_account`,
    `wrong_currency`, `missing_balance`, `bad_amount`, `bad_date` or `does_not_add_up`. Pending lines are left out.
    """
    statement = _only_statement(_parse(content))
    account = _text(statement, "Acct/Id/IBAN") or _text(statement, "Acct/Id/Othr/Id")
    refuse_account(account, iban)
    amounts = (amount for path in ("Bal/Amt", "Ntry/Amt") for amount in statement.iterfind(path))
    refuse_currency({amount.get("Ccy", "") for amount in amounts}, currency)
    exponent = minor_exponent(currency)
    opening, opens_on = _balance(statement, ("OPBD", "PRCD"), exponent)
    closing, closes_on = _balance(statement, ("CLBD",), exponent)
    name = words_of(_text(statement, "Id"), most=100)
    lines = tuple(_lines(statement, exponent))
    return whole(BankStatement(name, iban, currency, opening, closing, opens_on, closes_on, lines))


def _parse(content: bytes) -> Element:
    root = parse_xml(content)
    namespace, _, name = root.tag.partition("}")
    if name != "Document" or not namespace.startswith("{urn:iso:std:iso:20022:tech:xsd:camt.053.001."):
        raise RuleBroken("not_camt", "The file is XML, but no camt.053 statement; choose that format at your bank.")
    return root


def _only_statement(root: Element) -> Element:
    statements = root.findall("BkToCstmrStmt/Stmt")
    if len(statements) != 1:
        raise RuleBroken("one_statement", f"The file holds {len(statements)} statements; import files with one each.")
    return statements[0]


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _balance(statement: Element, kinds: tuple[str, ...], exponent: int) -> tuple[int, date]:
    for balance in statement.iterfind("Bal"):
        if _text(balance, "Tp/CdOrPrtry/Cd") in kinds:
            return _signed(balance, exponent), _day(balance, "Dt")
    raise RuleBroken(
        "missing_balance", f"The statement has no booked balance ({' or '.join(kinds)}); it cannot be checked."
    )


def _signed(element: Element, exponent: int) -> int:
    written, side = _text(element, "Amt"), _text(element, "CdtDbtInd")
    if side not in {"CRDT", "DBIT"} or written[:1] in {"-", "+"}:
        raise RuleBroken("bad_amount", f"The statement has an amount we cannot read: “{shown(written)}” {side[:8]}.")
    minor = minor_of(written, exponent)
    return minor if side == "CRDT" else -minor


def _day(element: Element, path: str) -> date:
    return day_of(_text(element, f"{path}/Dt") or _text(element, f"{path}/DtTm"))


def _lines(statement: Element, exponent: int) -> Iterator[BankLine]:
    """Give the booked lines; one that lists payments with amounts that add up to it is given payment by payment."""
    for entry in statement.iterfind("Ntry"):
        if (_text(entry, "Sts/Cd") or _text(entry, "Sts")) != "BOOK":
            continue
        total, booked_on = _signed(entry, exponent), _day(entry, "BookgDt")
        reference = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
        payments = entry.findall("NtryDtls/TxDtls")
        listed = [
            payment for payment in payments if payment.find("Amt") is not None and payment.find("CdtDbtInd") is not None
        ]
        amounts = [_signed(payment, exponent) for payment in listed]
        if len(payments) < 2 or len(listed) < len(payments) or sum(amounts) != total:
            payments, amounts = payments[:1] if len(payments) == 1 else [entry], [total]
        for payment, minor in zip(payments, amounts, strict=True):
            line = BankLine(reference, minor, booked_on, None, words_of(_text(entry, "AddtlNtryInf")))
            yield line if payment is entry else _told_by(payment, line)


def _told_by(payment: Element, line: BankLine) -> BankLine:
    """Add what the bank tells of one payment: whose it is, and what for."""
    other = "Dbtr" if line.minor > 0 else "Cdtr"
    parties = f"RltdPties/{other}"
    words = [part.text or "" for part in payment.iterfind("RmtInf/Ustrd")]
    words += [part.text or "" for part in payment.iterfind("RmtInf/Strd/CdtrRefInf/Ref")]
    return replace(
        line,
        reference=_text(payment, "Refs/AcctSvcrRef") or line.reference,
        end_to_end_id=end_to_end_of(_text(payment, "Refs/EndToEndId")),
        text=words_of(*words) or line.text,
        name=words_of(_text(payment, f"{parties}/Pty/Nm") or _text(payment, f"{parties}/Nm"), most=LONGEST_NAME),
        iban=iban_of(_text(payment, f"{parties}Acct/Id/IBAN")),
        reason=re.sub("[^A-Z0-9]", "", _text(payment, "RtrInf/Rsn/Cd"))[:8],
    )


def write_camt053(statement: BankStatement, *, created_at: datetime) -> bytes:
    """Write a statement as camt.053.001.08, the same bytes each time."""
    exponent = minor_exponent(statement.currency)
    root = document("camt.053.001.08")
    report = add(root, "BkToCstmrStmt")
    header = add(report, "GrpHdr")
    add(header, "MsgId", statement.reference)
    add(header, "CreDtTm", iso_second(created_at))
    written = add(report, "Stmt")
    add(written, "Id", statement.reference)
    add(written, "CreDtTm", iso_second(created_at))
    account = add(written, "Acct")
    add(account, "Id/IBAN", statement.iban)
    add(account, "Ccy", statement.currency)
    balances = (
        ("OPBD", statement.opening_minor, statement.opens_on),
        ("CLBD", statement.closing_minor, statement.closes_on),
    )
    for kind, minor, day in balances:
        balance = add(written, "Bal")
        add(balance, "Tp/CdOrPrtry/Cd", kind)
        _add_signed(balance, minor, statement.currency, exponent)
        add(balance, "Dt/Dt", day.isoformat())
    for line in statement.lines:
        _add_line(written, line, statement.currency, exponent)
    return to_bytes(root)


def _add_signed(parent: Element, minor: int, currency: str, exponent: int) -> None:
    add_amount(parent, "Amt", abs(minor), currency, exponent)
    add(parent, "CdtDbtInd", "DBIT" if minor < 0 else "CRDT")


def _add_line(written: Element, line: BankLine, currency: str, exponent: int) -> None:
    entry = add(written, "Ntry")
    _add_signed(entry, line.minor, currency, exponent)
    add(entry, "Sts/Cd", "BOOK")
    add(entry, "BookgDt/Dt", line.booked_on.isoformat())
    add(entry, "ValDt/Dt", line.booked_on.isoformat())
    add(entry, "AcctSvcrRef", line.reference)
    add(entry, "BkTxCd/Prtry/Cd", "TRF")
    payment = add(entry, "NtryDtls/TxDtls")
    add(payment, "Refs/EndToEndId", line.end_to_end_id or "NOTPROVIDED")
    other = "Dbtr" if line.minor > 0 else "Cdtr"
    if line.name:
        add(payment, f"RltdPties/{other}/Pty/Nm", bank_text(line.name, LONGEST_NAME))
    if line.iban:
        parties = payment.find("RltdPties")
        add(
            payment if parties is None else parties,
            f"{'RltdPties/' if parties is None else ''}{other}Acct/Id/IBAN",
            line.iban,
        )
    if line.text:
        add(payment, "RmtInf/Ustrd", bank_text(line.text, 140))
    if line.reason:
        add(payment, "RtrInf/Rsn/Cd", line.reason)
