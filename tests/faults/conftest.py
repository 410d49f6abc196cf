"""A town whose pools are shared out by real workers, and the check that everything happened once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from coop import bell
from coop.asking import service as asking
from coop.batches import service as batches
from coop.books import queries as books
from coop.clock import now
from coop.orders import service as orders
from coop.pools import service as pools
from coop.pools.models import Offering, Pool
from coop.publishing import service as publishing
from coop.wishes.service import Wish
from tests.builders import NOW, a_household, a_pool, a_season, an_offering
from tests.crew import Crew, PostOffice, until

CREDIT, PRICE, YIELDED, WISHED = 100_000, 520, 22, 20


class Town:
    """Two households wish for 20 jars each of every batch, and 22 jars come of each."""

    def __init__(self, db: sessionmaker[Session], crew: Crew, office: PostOffice) -> None:
        self.db, self.crew, self.office = db, crew, office
        self.runs: list[int] = []
        with db.begin() as session:
            self.households = [a_household(session, name, credit_minor=CREDIT) for name in ("Ana", "Ben")]

    def close_a_pool(self, after: int | None = None) -> int:
        """Hold a pool up to its cut-off, which the timetable of a real beat must not meet first.

        It belongs to a season of its own, or to that of another pool that it comes `after`.
        """
        with self.db.begin() as session:
            season = session.get_one(Pool, after).season_id if after else a_season(session, f"Season {len(self.runs) + 1}")  # fmt: skip
            pool = a_pool(session, season, closes_at=now() + timedelta(days=2))
            offering = an_offering(session, pool, price_minor=PRICE)
            batch = session.get_one(Offering, offering).batch_id
        pools.open_pool(self.db, pool, by=0, at=NOW)
        for household in self.households:
            wish = Wish(offering, WISHED, WISHED, PRICE)
            orders.place_order(self.db, pool, [wish], household_id=household, by=household, at=NOW, key=f"order {pool}")
        batches.report_yield(self.db, batch, pieces=YIELDED, by=0, at=NOW, key=f"yield {batch}")
        pools.close_pool(self.db, pool, by=0, at=NOW, reason="the jam is made")
        return pool

    def request(self, pool: int) -> int:
        """Ask for a sharing out; what was acknowledged is what the check at the end counts."""
        run = asking.request_run(self.db, pool, by=1, at=NOW)
        self.runs.append(run)
        return run

    def publish(self, *runs: int) -> None:
        for run in runs or self.runs:
            publishing.publish(self.db, run, by=1, at=NOW)

    def states(self) -> set[str]:
        with self.db() as session:
            return set(session.scalars(text("SELECT state FROM allocation_run")))

    def await_state(self, state: str, *, patience: float = 60, meanwhile: Callable[[], object] = lambda: None) -> None:
        def is_so() -> bool:
            meanwhile()
            return self.states() == {state}

        try:
            until(is_so, f"all runs are {state}", patience=patience)
        except AssertionError as late:
            late.add_note(self.crew.last_words())
            raise

    def await_rest(self, *, patience: float = 60) -> None:
        """Wait until nothing is left to do but the slots of the timetable, which never end."""
        until(lambda: self._undone() == 0, "nothing is left to do", patience=patience)

    def check_history(self) -> None:
        """Each acknowledged request has had exactly one effect, and no money came or went."""
        self.await_rest()
        count = len(self.runs)
        with self.db() as session:
            one = session.scalar
            assert list(session.scalars(text("SELECT id FROM allocation_run ORDER BY id"))) == self.runs
            assert self.states() == {"published"}
            awarded = session.execute(text("SELECT run_id, sum(pieces), count(*) FROM award GROUP BY 1 ORDER BY 1"))
            assert [tuple(row) for row in awarded] == [(run, YIELDED, 2) for run in self.runs]
            assert one(text("SELECT sum(amount) FROM posting")) == 0
            held, credit = (one(_OF_CODE, {"code": code}) for code in (2020, 2000))
            assert held == -count * YIELDED * PRICE
            assert held + credit == -2 * CREDIT
            assert [result for result in books.results(session) if not result.ok] == []
            assert list(session.execute(text("SELECT job, last_error FROM outbox WHERE dead_at IS NOT NULL"))) == []
            told = list(session.scalars(text("SELECT id FROM notice WHERE sent_at IS NOT NULL")))
            assert len(told) == 2 * count
        arrived = sorted(letter["Message-ID"] for letter in self.office.letters)
        assert arrived == sorted(f"<notice-{notice}@127.0.0.1>" for notice in told)

    def _undone(self) -> int:
        with self.db() as session:
            return session.scalar(_UNDONE)


_UNDONE = text("SELECT count(*) FROM outbox WHERE done_at IS NULL AND dead_at IS NULL AND dedup_key NOT LIKE 'tick:%'")
_OF_CODE = text("SELECT sum(p.amount) FROM posting p JOIN account a ON a.id = p.account_id WHERE a.code = :code")


@pytest.fixture
def crew(crew: Crew, full: bool) -> Crew:
    """Workers whose leases are short, but in the long form."""
    crew.usual = crew.usual if full else "tests.short_leases"
    return crew


@pytest.fixture
def town(database, crew: Crew, post_office: PostOffice) -> Iterator[Town]:
    engine = create_engine(database.app_url, connect_args={"options": "-c timezone=UTC"}, pool_size=50)
    yield Town(bell.wire(sessionmaker(engine, expire_on_commit=False), crew.settings.redis_url), crew, post_office)
    engine.dispose()
