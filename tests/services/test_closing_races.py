"""Who posts into a month while it is closed is in its closing, or is told that it is closed; never in between."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from datetime import date

import pytest
from sqlalchemy import text

from coop.books import queries as books
from coop.closing import service as closing
from coop.core.errors import RuleBroken
from coop.core.ledger import BANK_FEES, RESULT, Entry, bank_charged
from coop.ledger import service as ledger
from tests.builders import TODAY
from tests.services.test_closing import DECEMBER, PETRA, TOMAS, months, standing

NOVEMBER_ENDS = date(2026, 11, 30)
LONG_ENOUGH = 0.3
"""Seconds after which who could go on would have."""


def entries(name: str, many: int) -> list[Entry]:
    return [Entry(f"charge:{name}:{n}", "bank_charge", TODAY, bank_charged(1)) for n in range(many)]


@pytest.fixture
def november(fresh_db):
    """The month, in which the bank took a charge."""
    with fresh_db.begin() as session:
        ledger.post_all(session, entries("first", 1), by=0, currency="EUR")
    return months(fresh_db)[NOVEMBER_ENDS]


@pytest.fixture
def beside():
    with ThreadPoolExecutor(5) as threads:
        yield threads


def is_waiting(act: Future) -> bool:
    wait_for([act], timeout=LONG_ENOUGH)
    return not act.done()


def charged(db, name: str, many: int = 1) -> str:
    """Post charges in one transaction; return what came of it."""
    try:
        with db.begin() as session:
            ledger.post_all(session, entries(name, many), by=0, currency="EUR")
    except RuleBroken as refused:
        return refused.code
    return "posted"


def assert_closed_with(db, period_id: int, charges: int) -> None:
    """Every charge that was booked moved to the result with the closing, and the books keep their rules."""
    with db() as session:
        booked = session.scalar(text("SELECT count(*) FROM entry WHERE kind = 'bank_charge'"))
        late = session.scalar(
            text("SELECT count(*) FROM entry e JOIN period p ON p.id = e.period_id AND e.posted_at > p.closed_at")
        )
        assert (booked, late) == (charges, 0)
        assert session.scalar(text("SELECT closed_at IS NOT NULL FROM period WHERE id = :id"), {"id": period_id})
        assert [rule.id for rule in books.results(session) if not rule.ok] == []
    assert (standing(db, BANK_FEES), standing(db, RESULT)) == (0, -charges)


@pytest.mark.parametrize("many", [1, 3])
def test_a_closing_waits_for_who_is_posting_and_takes_that_in(fresh_db, november, beside, many):
    decision = closing.ask_to_close(fresh_db, november, by=PETRA, at=DECEMBER)
    with fresh_db.begin() as session:
        ledger.post_all(session, entries("late", many), by=0, currency="EUR")
        closed = beside.submit(closing.approve, fresh_db, decision, by=TOMAS, at=DECEMBER)
        assert is_waiting(closed)
    assert closed.result(10) is not None
    assert_closed_with(fresh_db, november, 1 + many)


@pytest.mark.parametrize("many", [1, 3])
def test_who_posts_beside_a_closing_waits_and_is_refused(fresh_db, november, beside, many):
    with fresh_db.begin() as session:
        ledger.hold_period(session, november)
        late = beside.submit(charged, fresh_db, "late", many)
        assert is_waiting(late)
        ledger.close_period(session, november, by=TOMAS)
    assert late.result(10) == "period_closed"
    with fresh_db() as session:
        assert session.scalars(text("SELECT key FROM entry")).all() == ["charge:first:0"]
        assert session.scalar(text("SELECT count(*) FROM posting")) == 2


def test_in_a_rush_each_charge_is_in_the_closing_or_refused(fresh_db, november, beside):
    decision = closing.ask_to_close(fresh_db, november, by=PETRA, at=DECEMBER)
    start, begun = threading.Barrier(5), threading.Semaphore(0)

    def keep_charging(number: int) -> list[str]:
        start.wait()
        said = []
        while not said or said[-1] == "posted":
            said.append(charged(fresh_db, f"rush:{number}:{len(said)}", 1 + len(said) % 2))
            begun.release()
        return said

    posting = [beside.submit(keep_charging, number) for number in range(4)]
    start.wait()
    for _ in range(12):
        assert begun.acquire(timeout=20)
    closing.approve(fresh_db, decision, by=TOMAS, at=DECEMBER)
    said = [thread.result(20) for thread in posting]
    assert {codes[-1] for codes in said} == {"period_closed"}
    landed = sum(1 + n % 2 for codes in said for n, code in enumerate(codes) if code == "posted")
    assert_closed_with(fresh_db, november, 1 + landed)
