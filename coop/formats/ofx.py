"""What the bank says happened, as OFX: version 1 in SGML, version 2 in XML, read alike."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from html import unescape
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent
from coop.formats.bank_statement import (
    LONGEST_NAME,
    BankLine,
    BankStatement,
    day_of,
    decoded,
    iban_of,
    minor_of,
    refuse_account,
    refuse_currency,
    refuse_size,
    whole,
    words_of,
)
from coop.formats.bank_xml import parse_xml

_TOKEN: Final = re.compile(r"<(/?)([A-Za-z0-9.]{1,40})>([^<]*)")
_KEPT: Final = {"CURDEF", "BANKID", "ACCTID", "DTSTART", "DTEND", "BALAMT", "DTASOF"}


class _Token(NamedTuple):
    """A tag with the text behind it; one that closes has a slash before its name."""

    name: str
    text: str


def is_ofx(content: bytes) -> bool:
    """Tell whether a file begins as OFX of any version does."""
    start = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").upper()
    return start.startswith(b"OFXHEADER") or b"<OFX>" in start or b"<?OFX" in start


def read_ofx(content: bytes, *, iban: str, currency: str) -> BankStatement:
    """Read a statement of this account in this currency, whole, or refuse it.

    OFX tells the closing balance alone, so the opening one is what the lines leave of it. Raises `empty`, `too_large`,
    `entities`, `too_deep`, `encoding`, `not_xml`, `not_ofx`, `one_statement`, `wrong_account`, `wrong_currency`,
    `missing_balance`, `bad_amount` or `bad_date`.
    """
    refuse_size(content)
    told: dict[str, str] = {}
    lines: list[dict[str, str]] = []
    statements = 0
    line: dict[str, str] | None = None
    ledger = False
    for name, text in _tokens(content):
        statements += name == "STMTRS"
        if name in {"LEDGERBAL", "/LEDGERBAL", "AVAILBAL"}:
            ledger = name == "LEDGERBAL"
        if name == "STMTTRN":
            lines.append(line := {})
        elif name in {"/STMTTRN", "/BANKTRANLIST", "LEDGERBAL"}:
            line = None
        elif line is not None:
            line.setdefault(name, text)
        elif name in _KEPT and (ledger or name not in {"BALAMT", "DTASOF"}):
            told.setdefault(name, text)
    if statements != 1:
        raise RuleBroken(
            "one_statement" if statements else "not_ofx",
            f"The file holds {statements} bank statements; import files with one each.",
        )
    return _statement(told, lines, iban=iban, currency=currency)


def _statement(told: dict[str, str], found: Iterable[dict[str, str]], *, iban: str, currency: str) -> BankStatement:
    number = told.get("ACCTID", "")
    refuse_account(number if iban_of(number) == iban or "BANKID" not in told else f"{told['BANKID']}/{number}", iban)
    refuse_currency({told.get("CURDEF", "")}, currency)
    if "BALAMT" not in told:
        raise RuleBroken("missing_balance", "The statement tells no balance (LEDGERBAL); it cannot be checked.")
    exponent = minor_exponent(currency)
    lines = tuple(_line(one, exponent) for one in found)
    closing = minor_of(told["BALAMT"], exponent, comma=True)
    days = [line.booked_on for line in lines]
    opens_on = day_of(told["DTSTART"]) if told.get("DTSTART") else min(days, default=None)
    closes_on = day_of(told["DTEND"]) if told.get("DTEND") else max(days, default=None)
    closes_on = closes_on or day_of(told.get("DTASOF", ""))
    opening = closing - sum(line.minor for line in lines)
    name = f"OFX {closes_on:%Y-%m-%d}"
    return whole(BankStatement(name, iban, currency, opening, closing, opens_on or closes_on, closes_on, lines))


def _line(told: dict[str, str], exponent: int) -> BankLine:
    booked_on: date = day_of(told.get("DTPOSTED", ""))
    return BankLine(
        reference=told.get("FITID", ""),
        minor=minor_of(told.get("TRNAMT", ""), exponent, comma=True),
        booked_on=booked_on,
        end_to_end_id=None,
        text=words_of(told.get("MEMO", "")),
        name=words_of(told.get("NAME", ""), most=LONGEST_NAME),
        iban="",
    )


def _tokens(content: bytes) -> Iterator[_Token]:
    start = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<?xml", b"<?XML", b"<?OFX")):
        yield from _walk(parse_xml(content))
        return
    head, found, body = decoded(content).partition("<OFX>")
    if not found:
        raise RuleBroken("not_ofx", f"The file is no OFX statement: it begins “{words_of(head[:60], most=40)}”.")
    for slash, name, text in _TOKEN.findall(found + body):
        yield _Token(slash + name.upper(), unescape(text).strip())


def _walk(root: Element) -> Iterator[_Token]:
    """Give a tree's tags as they would stand in SGML. Its depth is bounded by the reader's."""
    yield _Token(root.tag.upper(), (root.text or "").strip())
    for child in root:
        yield from _walk(child)
    yield _Token("/" + root.tag.upper(), "")
