"""What a document for a member comes to: tax by difference on each line, sums by rate, and the names of its series."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from coop.core.money import tax_inside


class Kind(StrEnum):
    """An invoice says what was sold, a receipt what was paid in, a credit note what of either was put right."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"


_PREFIX: Final = {Kind.INVOICE: "INV", Kind.RECEIPT: "REC", Kind.CREDIT_NOTE: "CN"}


class Line(NamedTuple):
    """A line as the books have it, below zero where it is put right. Gross has the tax inside; deposits stand apart.

    `booked_tax` is None where the maker sells: the tax is its own, and is found here.
    """

    order_line: int | None
    gross_minor: int
    rate_bp: int = 0
    booked_tax: int | None = 0


class RateSum(NamedTuple):
    """What the lines of one rate come to."""

    rate_bp: int
    net_minor: int
    tax_minor: int
    gross_minor: int


def series_of(kind: Kind, artisan_id: int | None, year: int) -> str:
    """Name the series that a seller numbers its documents of a kind in, a new one each year: INV-2026, and INV-M4-2026 of maker 4."""
    return f"{_PREFIX[kind]}-{year}" if artisan_id is None else f"{_PREFIX[kind]}-M{artisan_id}-{year}"


def taxes_of(lines: Iterable[Line], told: Mapping[int, tuple[int, int]]) -> list[int]:
    """Return the tax of each line: as it was booked, or else what all of an order line holds less what was `told` of it before.

    `told` has (gross, tax) by order line. Invoiced by parts or at once, and credited piece by piece, it ends at the same cent.
    """
    stands = dict(told)
    found = []
    for line in lines:
        tax = line.booked_tax
        if tax is None:
            assert line.order_line is not None, "a maker's sale is of an order line"
            gross_before, tax_before = stands.get(line.order_line, (0, 0))
            gross = gross_before + line.gross_minor
            tax = tax_inside(gross, line.rate_bp) - tax_before
            stands[line.order_line] = gross, tax_before + tax
        found.append(tax)
    return found


def sums_by_rate(lines: Iterable[tuple[int, int, int]]) -> list[RateSum]:
    """Add up (rate, gross, tax) lines by rate, the highest first; tax is only added here, never computed anew."""
    sums: dict[int, tuple[int, int]] = {}
    for rate, gross, tax in lines:
        gross_before, tax_before = sums.get(rate, (0, 0))
        sums[rate] = gross_before + gross, tax_before + tax
    return [RateSum(rate, gross - tax, tax, gross) for rate, (gross, tax) in sorted(sums.items(), reverse=True)]


def month_named(words: str) -> date | None:
    """Read `2026-11` as the first day of that month; None where it is no month."""
    if len(words) != 7 or not words.isascii():
        return None
    try:
        return date.fromisoformat(f"{words}-01")
    except ValueError:
        return None
