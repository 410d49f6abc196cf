"""A bank file of any kind that we read: told apart by how it begins."""

import re
from collections.abc import Callable
from typing import Final

from coop.core.errors import RuleBroken
from coop.formats.bank_csv import Columns, read_csv_statement, read_table
from coop.formats.bank_statement import BankStatement, refuse_size
from coop.formats.camt import read_camt053
from coop.formats.mt940 import read_mt940
from coop.formats.ofx import is_ofx, read_ofx

CSV: Final = "csv"
_READERS: Final[dict[str, Callable[..., BankStatement]]] = {"camt": read_camt053, "mt940": read_mt940, "ofx": read_ofx}


def kind_of(content: bytes) -> str:
    """Tell camt, mt940, ofx and csv apart. Raises `empty`, `too_large`, and for what is none of them what its reader says."""
    refuse_size(content)
    start = content[:2000].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if is_ofx(content):
        return "ofx"
    if start.startswith(b"<"):
        return "camt"
    if re.match(rb"\{1:|:20:|\S{0,40}\r?\n?:20:", start) or (b"\n:25:" in start and b":20:" in start):
        return "mt940"
    read_table(content)
    return CSV


def read_statement(
    content: bytes, *, iban: str, currency: str, columns: Columns | None = None, closing_minor: int | None = None
) -> tuple[str, BankStatement]:
    """Read a statement of any kind; return what kind it was, too. Raises `columns_needed` for a CSV file without columns."""
    kind = kind_of(content)
    if kind != CSV:
        return kind, _READERS[kind](content, iban=iban, currency=currency)
    if columns is None:
        raise RuleBroken("columns_needed", "Say once which column of this bank's files holds what.", field="file")
    return kind, read_csv_statement(content, columns, iban=iban, currency=currency, closing_minor=closing_minor)
