"""What a treasurer sees of a CSV file whose columns are to be named: its headings and its first rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from coop.columns import service
from coop.formats.bank_csv import Columns, guessed, read_table
from coop.policy import service as policy

ROWS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """A column's heading, and what it holds in the first rows."""

    heading: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnsPage:
    """`columns` is what was said of such files before, else what their headings suggest."""

    id: int
    headings: tuple[str, ...]
    samples: list[Sample]
    rows: int
    columns: Columns
    is_known: bool


def columns_page(session: Session, waiting_id: int, *, at: datetime, field_key: bytes) -> ColumnsPage:
    """Return a file that waits, with what its columns hold in the first rows."""
    table = read_table(service.content_of(session, waiting_id, field_key=field_key))
    known = service.known(session, table.headings, iban=policy.current(session, "coop_iban", at=at))
    samples = [
        Sample(heading, tuple(row[place] for row in table.rows[:ROWS_SHOWN] if place < len(row)))
        for place, heading in enumerate(table.headings)
    ]
    columns = known or Columns(**{"booked_on": "", **dict(guessed(table))})
    return ColumnsPage(waiting_id, table.headings, samples, len(table.rows), columns, known is not None)
