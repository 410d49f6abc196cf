"""The steps of what takes two people: one asks, another lets it count; until then it can be taken back."""

from datetime import datetime

from coop.core.errors import RuleBroken
from coop.seconding.models import Seconded


def is_done(row: Seconded, *, by: int) -> bool:
    """Say whether this person has let it count before, and see that they may now. Raises `not_waiting` and `second_person`."""
    if row.state == "done" and row.decided_by == by:
        return True
    _refuse_decided(row)
    if row.asked_by == by:
        raise RuleBroken("second_person", "A second person lets it count: not the one who asked.")
    return False


def settle(row: Seconded, *, by: int, at: datetime) -> None:
    """Note who let it count; the caller has done what was asked."""
    row.state, row.decided_by, row.decided_at = "done", by, at


def withdraw(row: Seconded, *, by: int, at: datetime) -> bool:
    """Let it fall, who asked may as well; return whether it still waited. Raises `not_waiting`."""
    if row.state == "withdrawn":
        return False
    _refuse_decided(row)
    row.state, row.decided_by, row.decided_at = "withdrawn", by, at
    return True


def _refuse_decided(row: Seconded) -> None:
    if row.state != "waiting":
        raise RuleBroken("not_waiting", "This is decided already.")
