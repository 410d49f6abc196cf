"""What the bank says happened: statements as ISO 20022 camt.053, read whole or refused, and written for tests and imported seasons."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from coop.core.errors import RuleBroken
from coop.core.money import AMOUNT_LIMIT, minor_exponent
from coop.formats.xml_writing import add, add_amount, bank_text, document, iso_second, to_bytes

BYTES_LIMIT = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BankLine:
    """One booked line: in +, out -. `reference` is the bank's own, else the file's digest and the line's position."""

    reference: str
    minor: int
    booked_on: date
    end_to_end_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class BankStatement:
    """A statement of one account; opening + lines = closing."""

    reference: str
    iban: str
    currency: str
    opening_minor: int
    closing_minor: int
    opens_on: date
    closes_on: date
    lines: tuple[BankLine, ...]


def read_camt053(content: bytes, *, iban: str, currency: str) -> BankStatement:
    """Read a statement of this account in this currency, whole, or refuse it.

    Raises `too_large`, `entities`, `not_xml`, `not_camt`, `one_statement`, `wrong_account`, `wrong_currency`, `missing_balance`,
    `bad_amount`, `bad_date` or `does_not_add_up`. Pending lines are left out.
    """
    statement = _only_statement(_parse(content))
    account = _text(statement, "Acct/Id/IBAN").replace(" ", "")
    if account != iban:
        raise RuleBroken(
            "wrong_account", f"This statement is of the account {account or 'without IBAN'}; choose the one of {iban}."
        )
    currencies = {amount.get("Ccy", "") for path in ("Bal/Amt", "Ntry/Amt") for amount in statement.iterfind(path)}
    if currencies - {currency}:
        raise RuleBroken(
            "wrong_currency", f"This statement is in {', '.join(sorted(currencies))}; our books are in {currency}."
        )
    exponent = minor_exponent(currency)
    opening, opens_on = _balance(statement, ("OPBD", "PRCD"), exponent)
    closing, closes_on = _balance(statement, ("CLBD",), exponent)
    lines = tuple(_lines(statement, exponent, hashlib.sha256(content).hexdigest()[:16]))
    moved = sum(line.minor for line in lines)
    if opening + moved != closing:
        rule = f"The lines come to {moved}, but the balance goes from {opening} to {closing} (in minor units); the file is not whole."
        raise RuleBroken("does_not_add_up", rule)
    return BankStatement(_text(statement, "Id"), account, currency, opening, closing, opens_on, closes_on, lines)


def _parse(content: bytes) -> Element:
    if len(content) > BYTES_LIMIT:
        raise RuleBroken("too_large", f"The file is larger than {BYTES_LIMIT} bytes; export a shorter time.")
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise RuleBroken(
            "entities", "The file declares a document type or entities, which a bank statement has no use for."
        ) from None
    except (ParseError, ValueError, LookupError):
        raise RuleBroken(
            "not_xml", "The file is not well-formed XML, or is cut off; export it again as camt.053."
        ) from None
    namespace, _, name = root.tag.partition("}")
    if name != "Document" or not namespace.startswith("{urn:iso:std:iso:20022:tech:xsd:camt.053.001."):
        raise RuleBroken("not_camt", "The file is XML, but no camt.053 statement; choose that format at your bank.")
    for element in root.iter():
        element.tag = element.tag.partition("}")[2] or element.tag
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
    written = _text(element, "Amt")
    shape = re.fullmatch(r"([0-9]{1,15})(?:\.([0-9]{0,5}?)0*)?", written, re.ASCII)
    side = _text(element, "CdtDbtInd")
    if shape is None or len(shape[2] or "") > exponent or side not in {"CRDT", "DBIT"}:
        raise RuleBroken("bad_amount", f"The statement has an amount we cannot read: “{written[:40]}” {side[:8]}.")
    minor = int(shape[1] + (shape[2] or "").ljust(exponent, "0"))
    if minor > AMOUNT_LIMIT:
        raise RuleBroken("bad_amount", f"The statement has an amount beyond {AMOUNT_LIMIT} minor units.")
    return minor if side == "CRDT" else -minor


def _day(element: Element, path: str) -> date:
    written = _text(element, f"{path}/Dt") or _text(element, f"{path}/DtTm")
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        raise RuleBroken("bad_date", f"The statement has a date we cannot read: “{written[:40]}”.") from None


def _lines(statement: Element, exponent: int, digest: str) -> Iterator[BankLine]:
    """Give the booked lines; one that lists payments with amounts that add up to it is given payment by payment.

    References are made distinct within the file, for two equal payments on a day are both real.
    """
    seen: Counter[str] = Counter()
    for position, entry in enumerate(statement.iterfind("Ntry"), 1):
        if (_text(entry, "Sts/Cd") or _text(entry, "Sts")) != "BOOK":
            continue
        total, booked_on = _signed(entry, exponent), _day(entry, "BookgDt")
        reference = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef") or f"{digest}-{position}"
        payments = entry.findall("NtryDtls/TxDtls")
        listed = [
            payment for payment in payments if payment.find("Amt") is not None and payment.find("CdtDbtInd") is not None
        ]
        amounts = [_signed(payment, exponent) for payment in listed]
        if len(payments) < 2 or len(listed) < len(payments) or sum(amounts) != total:
            payments, amounts = payments[:1] if len(payments) == 1 else [entry], [total]
        for payment, minor in zip(payments, amounts, strict=True):
            own = _text(payment, "Refs/AcctSvcrRef") or reference
            seen[own] += 1
            again = f"/{seen[own]}" if seen[own] > 1 else ""
            end_to_end = _text(payment, "Refs/EndToEndId")
            words = " ".join(
                filter(None, (text.strip() for text in (part.text or "" for part in payment.iterfind("RmtInf/Ustrd"))))
            )
            yield BankLine(
                own[:100] + again,
                minor,
                booked_on,
                None if end_to_end in {"", "NOTPROVIDED"} else end_to_end[:35],
                words[:500],
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
    if line.text:
        add(payment, "RmtInf/Ustrd", bank_text(line.text, 140))
