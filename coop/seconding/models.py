"""What every row has that one person asks for and a second lets count."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from coop.db import Identity, Instant


class Seconded:
    """What one person asks for: waiting -> done by another, or withdrawn. Tables take it in beside `Base`."""

    id: Mapped[Identity]
    state: Mapped[str]
    asked_by: Mapped[int]
    asked_at: Mapped[Instant]
    decided_by: Mapped[int | None]
    decided_at: Mapped[Instant | None]


def seconded() -> tuple[CheckConstraint, CheckConstraint]:
    """Return what the database itself refuses of such a row: other states, and one person who did both."""
    return (
        CheckConstraint("state IN ('waiting', 'done', 'withdrawn')", "state"),
        CheckConstraint("state <> 'done' OR decided_by <> asked_by", "second_person"),
    )
