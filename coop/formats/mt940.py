"""What the bank says happened, as SWIFT MT940: statements of one account that follow one another, read as one."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent
from coop.formats.bank_statement import (
    LONGEST_NAME,
    BankLine,
    BankStatement,
    decoded,
    end_to_end_of,
    iban_of,
    minor_of,
    refuse_account,
    refuse_currency,
    refuse_size,
    shown,
    whole,
    words_of,
)

_TAG: Final = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.DOTALL)
_BALANCE: Final = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]{1,12},?[0-9]{0,3})")
_LINE: Final = re.compile(r"([0-9]{6})([0-9]{4})?(R?[CD])[A-Z]?([0-9]{1,12},[0-9]{0,3})[A-Z][A-Z0-9]{3}([^\n]*)")
_GERMAN: Final = re.compile(r"\?([0-9]{2})([^?]*)")
_SEPA: Final = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
_SLASHED: Final = re.compile(r"/(EREF|IBAN|NAME|REMI|ORDP|BENM|CNTP|MARF|CSID|RTRN|TRTP|BIC|PREF|ADDR|ID)/")


class _Field(NamedTuple):
    tag: str
    words: str


def read_mt940(content: bytes, *, iban: str, currency: str) -> BankStatement:
    """Read the statements of this account in this currency, whole, or refuse them.

    Raises `empty`, `too_large`, `encoding`, `not_mt940`, `wrong_account`, `wrong_currency`, `missing_balance`, `bad_amount`,
    `bad_date`, `bad_line` or `does_not_add_up`.
    """
    refuse_size(content)
    fields = list(_fields(decoded(content)))
    accounts = [field.words for field in fields if field.tag == "25"]
    if not accounts:
        raise RuleBroken("not_mt940", "The file is no MT940 statement: it names no account (:25:).")
    for account in accounts:
        refuse_account(account, iban)
    exponent = minor_exponent(currency)
    openings = [_balance(field, exponent, currency) for field in fields if field.tag in {"60F", "60M"}]
    closings = [_balance(field, exponent, currency) for field in fields if field.tag in {"62F", "62M"}]
    if not openings or len(openings) != len(closings):
        raise RuleBroken("missing_balance", "The statement lacks a balance (:60F: or :62F:); it cannot be checked.")
    if any(before != after for (before, _), (after, _) in zip(closings, openings[1:], strict=False)):
        raise RuleBroken("does_not_add_up", "The statements in this file do not follow one another; import each alone.")
    name = next((field.words for field in fields if field.tag == "20"), "")
    number = next((field.words for field in reversed(fields) if field.tag == "28C"), "")
    (opening, opens_on), (closing, closes_on) = openings[0], closings[-1]
    lines = tuple(_lines(fields, exponent))
    told = words_of(name, number, most=100)
    return whole(BankStatement(told, iban, currency, opening, closing, opens_on, closes_on, lines))


def _fields(text: str) -> Iterator[_Field]:
    """Give the fields in their order, each with the lines that go on with it."""
    open_field: _Field | None = None
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        begun = _TAG.match(re.sub(r"^(\{[^{}]*\})*\{4:", "", line))
        if begun is not None or line.startswith(("-", "{")):
            if open_field is not None:
                yield open_field
            open_field = None if begun is None else _Field(begun[1], begun[2])
        elif open_field is not None:
            open_field = _Field(open_field.tag, f"{open_field.words}\n{line}")
    if open_field is not None:
        yield open_field


def _balance(field: _Field, exponent: int, currency: str) -> tuple[int, date]:
    shape = _BALANCE.match(field.words)
    if shape is None:
        raise RuleBroken("bad_amount", f"The statement has a balance we cannot read: “{shown(field.words)}”.")
    refuse_currency({shape[3]}, currency)
    minor = minor_of(shape[4], exponent, comma=True)
    return (minor if shape[1] == "C" else -minor), _day(shape[2])


def _lines(fields: Sequence[_Field], exponent: int) -> Iterator[BankLine]:
    for place, field in enumerate(fields):
        if field.tag != "61":
            continue
        shape = _LINE.match(field.words)
        if shape is None:
            raise RuleBroken("bad_line", f"The statement has a line we cannot read: “{shown(field.words)}”.")
        minor = minor_of(shape[4], exponent, comma=True)
        own, _, banks = shape[5].partition("//")
        line = BankLine(
            reference=banks,
            minor=minor if shape[3] in {"C", "RD"} else -minor,
            booked_on=_booked_on(shape[1], shape[2]),
            end_to_end_id=end_to_end_of(own),
            text="",
        )
        after = fields[place + 1] if place + 1 < len(fields) else None
        yield _told_by(after.words, line) if after is not None and after.tag == "86" else line


def _told_by(words: str, line: BankLine) -> BankLine:
    """Add what field 86 tells: in German numbered parts, in words between slashes, or as free text."""
    joined = words.replace("\n", "")
    if re.match(r"[0-9]{3}\?[0-9]{2}", joined):
        return _told_in_numbers(joined, line)
    if _SLASHED.search(joined):
        return _told_in_slashes(joined, line)
    return replace(line, text=words_of(words))


def _told_in_numbers(words: str, line: BankLine) -> BankLine:
    parts: dict[str, str] = {}
    for number, part in _GERMAN.findall(words):
        parts[number] = parts.get(number, "") + part
    purpose = "".join(parts.get(str(number), "") for number in (*range(20, 30), *range(60, 64)))
    tagged = _between(_SEPA, purpose)
    return replace(
        line,
        end_to_end_id=end_to_end_of(tagged.get("EREF", "")) or line.end_to_end_id,
        text=words_of(tagged.get("SVWZ") or tagged[""] or parts.get("00", "")),
        name=words_of(parts.get("32", "") + parts.get("33", ""), most=LONGEST_NAME),
        iban=iban_of(tagged.get("IBAN", "")) or iban_of(parts.get("31", "")),
    )


def _told_in_slashes(words: str, line: BankLine) -> BankLine:
    tagged = _between(_SLASHED, words)
    counterpart = [*tagged.get("CNTP", "").split("/"), "", "", ""]
    purpose = re.sub(r"^/?(USTD|STRD)/+(CUR/)?", "", tagged.get("REMI", "")).strip("/")
    return replace(
        line,
        end_to_end_id=end_to_end_of(tagged.get("EREF", "").strip("/")) or line.end_to_end_id,
        text=words_of(purpose or tagged[""]),
        name=words_of(tagged.get("NAME", "").strip("/") or counterpart[2], most=LONGEST_NAME),
        iban=iban_of(tagged.get("IBAN", "").strip("/") or counterpart[0]),
    )


def _between(tags: re.Pattern[str], words: str) -> dict[str, str]:
    """Return what follows each tag up to the next; what stands before the first is under ""."""
    first, *rest = tags.split(words)
    return {"": first} | dict(zip(rest[::2], rest[1::2], strict=True))


def _booked_on(value_day: str, booked: str | None) -> date:
    """Return the booking day, written without its year: that which is nearest to the value day."""
    valued = _day(value_day)
    if booked is None:
        return valued
    days = []
    for year in (valued.year - 1, valued.year, valued.year + 1):
        try:
            days.append(date(year, int(booked[:2]), int(booked[2:])))
        except ValueError:
            continue
    if not days:
        raise RuleBroken("bad_date", f"The statement has a date we cannot read: “{booked}”.")
    return min(days, key=lambda day: abs(day - valued))


def _day(written: str) -> date:
    try:
        return date(2000 + int(written[:2]), int(written[2:4]), int(written[4:]))
    except ValueError:
        raise RuleBroken("bad_date", f"The statement has a date we cannot read: “{shown(written)}”.") from None
