"""Where a pool stands, said in one word: it follows from what has happened to it and is kept nowhere."""

from datetime import date, datetime
from typing import NamedTuple

ALLOCATED = ("proposed", "publishing")
"""States of a run whose outcome is worked out, but does not count yet."""


def pool_state(
    opened_at: datetime | None,
    closed_at: datetime | None,
    run_state: str | None,
    *,
    closes_at: datetime,
    at: datetime,
    hand_over_begun: bool = False,
    pickup_on: date = date.max,
    today: date = date.min,
) -> str:
    """Say planned, open, closed, allocated, published or picked_up; `run_state` is that of the pool's live run.

    A published pool is picked up once its pickup day is over and somebody fetched something.
    """
    if opened_at is None:
        return "planned"
    if run_state == "published":
        return "picked_up" if hand_over_begun and pickup_on < today else "published"
    if run_state in ALLOCATED:
        return "allocated"
    return "closed" if closed_at is not None or at > closes_at else "open"


class Step(NamedTuple):
    """One step on the way from orders to pickup; its `state` is done, now or ahead."""

    label: str
    state: str


def steps_of(state: str, run_state: str | None, *, is_closed: bool, yields_in: int, batches: int) -> list[Step]:
    """Say which steps of sharing out a pool are done, and which is the one to take now."""
    labels = ("orders closed" if is_closed else "orders open", f"yields in {yields_in}/{batches}", "review", "publish", "packed")  # fmt: skip
    done = {"allocated": 2, "published": 4, "picked_up": 5}.get(state, int(is_closed))
    if run_state == "publishing":
        done = 3
    elif done == 1 and (yields_in == batches or run_state in {"requested", "waiting"}):
        done = 2
    marks = ["done" if place < done else "now" if place == done else "ahead" for place in range(len(labels))]
    return [Step(*step) for step in zip(labels, marks, strict=True)]
