"""Comma-separated files for people's spreadsheets: no cell can start a formula there, and numbers stay numbers."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

Cell = str | int | date | datetime | None

_FORMULA_MARKS = tuple("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001 - wide forms are read as their plain ones by some spreadsheets
_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?", re.ASCII)
_ROWS_A_PIECE = 500


def guarded(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula; numbers, also negative ones, are left as they are."""
    safe = text.replace("\0", "\ufffd")
    if text.startswith(_FORMULA_MARKS) and _NUMBER.fullmatch(text) is None:
        return "'" + safe
    return safe


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Write rows under their header in UTF-8 with byte order mark (which spreadsheets look for), in pieces of some hundred rows."""
    page = io.StringIO(newline="")
    writer = csv.writer(page)
    page.write("\ufeff")
    writer.writerow([guarded(column) for column in columns])
    for count, row in enumerate(rows, 1):
        writer.writerow([_written(cell) for cell in row])
        if count % _ROWS_A_PIECE == 0:
            yield page.getvalue().encode()
            page.seek(0)
            page.truncate()
    yield page.getvalue().encode()


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    return guarded(cell) if isinstance(cell, str) else str(cell)
