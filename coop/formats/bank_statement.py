"""What every kind of bank file is read into: one statement of one account, whole or refused."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from coop.core.errors import RuleBroken
from coop.core.money import AMOUNT_LIMIT

BYTES_LIMIT = 5 * 1024 * 1024
LONGEST_WORDS = 500
LONGEST_NAME = 140
KNOWN_BY_CONTENT = "~"
"""How a line's reference begins where the bank gave none."""

_NO_REFERENCE = {"", "NONREF", "NOREF", "NOTPROVIDED", "NONE", "0"}


@dataclass(frozen=True, slots=True)
class BankLine:
    """One booked line: in +, out -. `name` and `iban` are those of the other side, as far as the bank tells them,
    `reason` the code of why money came back.
    """

    reference: str
    minor: int
    booked_on: date
    end_to_end_id: str | None
    text: str
    name: str = ""
    iban: str = ""
    reason: str = ""


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


def whole(statement: BankStatement) -> BankStatement:
    """Return the statement with each line known by a name of its own, or refuse one that does not add up."""
    moved = sum(line.minor for line in statement.lines)
    if statement.opening_minor + moved != statement.closing_minor:
        rule = (
            f"The lines come to {moved}, but the balance goes from {statement.opening_minor} to"
            f" {statement.closing_minor} (in minor units); the file is not whole."
        )
        raise RuleBroken("does_not_add_up", rule)
    return replace(statement, lines=tuple(_told_apart(statement.lines)))


def refuse_size(content: bytes) -> None:
    """Refuse a file that is empty, or larger than a bank's statement is; before anything in it is looked at."""
    if not content.strip():
        raise RuleBroken("empty", "The file is empty; export it again.", field="file")
    if len(content) > BYTES_LIMIT:
        raise RuleBroken(
            "too_large", f"The file is larger than {BYTES_LIMIT} bytes; export a shorter time.", field="file"
        )


def refuse_currency(currencies: Iterable[str], ours: str) -> None:
    """Refuse a statement in another currency; one that names none is taken as ours."""
    if others := {currency.upper() for currency in currencies if currency} - {ours}:
        told = ", ".join(sorted(shown(other) for other in others))
        raise RuleBroken("wrong_currency", f"This statement is in {told}; our books are in {ours}.")


def refuse_account(stated: str, iban: str) -> None:
    """Refuse a statement of another account. Banks write the IBAN, or the bank's code and the number that are in it."""
    words = re.sub(r"[\s.-]", "", stated).upper()
    if words in {iban, f"{iban}EUR"} or words.partition("/")[2] == iban:
        return
    bank, _, number = words.rpartition("/")
    number = re.sub(r"[A-Z]{3}$", "", number).lstrip("0")
    inside = iban[4:]
    if bank and inside.startswith(bank) and inside[len(bank) :].lstrip("0") == number:
        return
    if len(number) >= 5 and inside.endswith(number) and (not bank or bank in inside or inside.startswith(bank[:4])):
        return
    raise RuleBroken(
        "wrong_account",
        f"This statement is of the account {shown(stated) or 'without IBAN'}; choose the one of {iban}.",
    )


def decoded(content: bytes, declared: str = "") -> str:
    """Read a file's text: as its byte order mark says, else as UTF-8, else as the file or old Windows banks write.

    Raises `encoding`.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        tried = ["utf-16"]
    else:
        tried = ["utf-8-sig", *([declared] if declared else []), "cp1252"]
    for encoding in tried:
        try:
            text = content.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        if "\x00" not in text:
            return text
    raise RuleBroken("encoding", "The letters of this file cannot be read; export it in UTF-8.", field="file")


def minor_of(written: str, exponent: int, *, comma: bool = False) -> int:
    """Read an amount as banks write it, without grouping, perhaps with a sign. Raises `bad_amount`."""
    mark = "[.,]" if comma else "[.]"
    shape = re.fullmatch(rf"([+-]?)([0-9]{{1,15}})(?:{mark}([0-9]{{0,6}}?)0*)?", written.strip())
    if shape is None or len(shape[3] or "") > exponent:
        raise RuleBroken("bad_amount", f"The statement has an amount we cannot read: “{shown(written)}”.")
    minor = int(shape[2] + (shape[3] or "").ljust(exponent, "0"))
    if minor > AMOUNT_LIMIT:
        raise RuleBroken("bad_amount", f"The statement has an amount beyond {AMOUNT_LIMIT} minor units.")
    return -minor if shape[1] == "-" else minor


def day_of(written: str) -> date:
    """Read a day written with the year first, whatever time follows it. Raises `bad_date`."""
    shape = re.match(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})", written.strip())
    try:
        assert shape is not None
        day = date(int(shape[1]), int(shape[2]), int(shape[3]))
    except (AssertionError, ValueError):
        raise RuleBroken("bad_date", f"The statement has a date we cannot read: “{shown(written)}”.") from None
    if not 1990 <= day.year <= 2099:
        raise RuleBroken("bad_date", f"The statement has a date of another age: “{shown(written)}”.")
    return day


def words_of(*parts: str, most: int = LONGEST_WORDS) -> str:
    """Join what the bank writes to one line that can be shown, in one Unicode form."""
    told = unicodedata.normalize("NFC", " ".join(parts))
    seen = "".join(mark if unicodedata.category(mark)[0] != "C" else " " for mark in told)
    return " ".join(seen.split())[:most].strip()


def iban_of(written: str) -> str:
    """Return an account number as one word, or nothing where it cannot be an IBAN."""
    word = re.sub(r"\s", "", written).upper()
    return word if re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}", word) else ""


def end_to_end_of(written: str) -> str | None:
    """Return the id that the payer gave, or None where there is none."""
    word = words_of(written, most=35)
    return None if word.upper() in _NO_REFERENCE else word


def shown(written: str) -> str:
    """Return the beginning of what a file says, for a sentence about it."""
    return words_of(written[:60], most=40)


def _told_apart(lines: Iterable[BankLine]) -> Iterable[BankLine]:
    """Give each line a reference of its own, the same in every file that holds the line.

    Two equal payments on a day are both real: the second has the same reference with /2. A line without the bank's
    reference is known by what it says, not by its place, so that an overlapping file names it alike.
    """
    times: Counter[str] = Counter()
    first_day: dict[str, date] = {}
    for line in lines:
        own = words_of(line.reference, most=100)
        name = own if own.upper() not in _NO_REFERENCE else KNOWN_BY_CONTENT + _digest(line)
        if first_day.setdefault(name, line.booked_on) != line.booked_on:
            name = f"{name}@{line.booked_on:%Y%m%d}"
        times[name] += 1
        yield replace(line, reference=name if times[name] == 1 else f"{name}/{times[name]}")


def _digest(line: BankLine) -> str:
    told = (line.booked_on.isoformat(), str(line.minor), line.name, line.iban, line.end_to_end_id or "", line.text)
    return hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:24]
