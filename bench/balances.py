"""Balances of ten thousand members on a long ledger, and a member's account with ten times the history behind it."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import psycopg
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from bench.measure import Figure, Plan, figure, seconds
from bench.season import at_home
from coop.books import queries as books
from coop.clock import now
from coop.commands.running import Running
from coop.config import libpq_url
from coop.core.ledger import MEMBER_CREDIT, Entry, household_party, season_share_paid
from coop.db import Db, connect
from coop.ledger import queries as accounts
from coop.ledger import service as ledger
from coop.people import service as people

MEMBERS = 10_000
POSTINGS, SHORT = 5_000_000, 500_000
TIMES = 10
AT_ONCE = 50_000
COPY = "coop_short"
SECONDS = 0.020
TARGET_TIMES = 1.3
LOOKED_AT = 40
"""Members whose accounts are looked at in a run, of the busy ones: they have 160 entries, or ten times as many."""

_INSTALMENTS = text("""
WITH member AS MATERIALIZED (
  SELECT row_number() OVER (ORDER BY c.id) - 1 AS place, c.id AS credit_id, s.id AS prepaid_id
    FROM account c JOIN account s ON s.party = c.party AND s.code = 2010 WHERE c.code = 2000),
told AS (
  INSERT INTO entry (key, kind, business_date, period_id, line_count, actor_id)
  SELECT 'share:bench:' || n, 'instalment', p.starts, p.id, 2, 0
    FROM generate_series(CAST(:first AS bigint), :last) n, period p ORDER BY n
  RETURNING id, split_part(key, ':', 3)::bigint AS n)
INSERT INTO posting (entry_id, n, account_id, amount)
SELECT t.id, side.n, side.account_id, side.amount
  FROM told t
  JOIN member m ON m.place = CASE WHEN t.n % 25 < 16 THEN (t.n / 25 * 16 + t.n % 25) % :busy ELSE t.n / 25 % :members END
  CROSS JOIN LATERAL (VALUES (1, m.prepaid_id, 1 + t.n % 9), (2, m.credit_id, -1 - t.n % 9)) side (n, account_id, amount)
""")
"""Instalments become credit, in entries of two postings; sixteen of twenty-five belong to the few who are busy."""


def measure(plan: Plan) -> Iterator[Figure]:
    """Give the time of all members' balances, and how an account's page grows with the history; the books keep all their rules."""
    entries = (POSTINGS if plan.full else SHORT) // 2
    few = entries // TIMES
    with tempfile.TemporaryDirectory(prefix="coop-bench-") as folder, at_home(Path(folder), worker=False) as coop:
        parties = _members(coop.db)
        _fill(coop.db, 1, few, busy=few // 250)
        short = _copied(coop)
        _fill(coop.db, few + 1, entries, busy=few // 250)
        _settle(coop.settings.owner_url)
        with coop.db() as session:
            broken = [rule for rule in books.results(session) if not rule.ok]
        assert not broken, f"the books break their rules: {broken}"
        pairs = [(_all_balances(coop.db, parties), SECONDS) for _ in range(plan.runs)]
        yield figure("balances", MEMBERS, pairs, yardstick="20 ms", target=1.0)
        for name, page in (("balances.member", _member_page), ("balances.treasurer", _treasurer_page)):
            pairs = [_looked_at(coop.db, short, page) for _ in range(plan.runs)]
            yield figure(name, 2 * entries, pairs, yardstick="a tenth of the history", target=TARGET_TIMES)
        short.kw["bind"].dispose()


def _members(db: Db) -> list[str]:
    """Let members pay for season shares, which will be long prepaid; return them as the ledger knows them."""
    with db.begin() as session:
        names = [f"B{n}" for n in range(MEMBERS)]
        parties = [household_party(one) for one in people.bring_in_households(session, names, joined_at=now())]
        today = now().date()
        paid = [Entry(f"bank:bench:{party}", "share_paid", today, season_share_paid(party, 10**6)) for party in parties]
        ledger.post_all(session, paid, by=0, currency="EUR")
        ledger.open_accounts(session, [(MEMBER_CREDIT, party) for party in parties], currency="EUR")
    return parties


def _fill(db: Db, first: int, last: int, *, busy: int) -> None:
    """Book instalments as any entries are, through every check of the database, many in a transaction."""
    for begin in range(first, last + 1, AT_ONCE):
        numbers = {"first": begin, "last": min(begin + AT_ONCE - 1, last), "busy": busy, "members": MEMBERS}
        with db.begin() as session:
            session.execute(_INSTALMENTS, numbers)


def _copied(coop: Running) -> Db:
    """Copy the database as it stands, beside it on the same server."""
    coop.db.kw["bind"].dispose()
    owner = make_url(coop.settings.owner_url)
    with psycopg.connect(libpq_url(owner.set(database="postgres").render_as_string(hide_password=False)), autocommit=True) as connection:  # fmt: skip
        connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {owner.database}".encode())
    copied = owner.set(database=COPY).render_as_string(hide_password=False)
    _settle(copied)
    return connect(copied)


def _settle(url: str) -> None:
    """Do what the server does by itself within minutes of a bulk load."""
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) account, balance, entry, posting")


def _all_balances(db: Db, parties: list[str]) -> float:
    with db() as session:
        ledger.balances_of(session, MEMBER_CREDIT, parties[:1])
        return seconds(lambda: ledger.balances_of(session, MEMBER_CREDIT, parties))


def _member_page(session: Session, account_id: int, household_id: int) -> None:
    page = accounts.balance_page(session, household_id, number=1)
    assert len(page.rows) == accounts.A_PAGE, account_id


def _treasurer_page(session: Session, account_id: int, household_id: int) -> None:
    page = books.account_page(session, account_id, number=1)
    assert len(page.rows) == books.A_PAGE, household_id


_BUSY = text("SELECT id, substr(party, 11)::bigint FROM account WHERE code = 2000 ORDER BY id LIMIT :most")


def _looked_at(long: Db, short: Db, page: Callable[[Session, int, int], None]) -> tuple[float, float]:
    """Look at the same members' accounts with a long and a short history behind them, in turns; return the median of each."""
    took: tuple[list[float], list[float]] = ([], [])
    with long() as much, short() as little:
        for account_id, household_id in much.execute(_BUSY, {"most": LOOKED_AT}).all():
            for session, times in zip((much, little), took, strict=True):
                times.append(seconds(lambda: page(session, account_id, household_id)))  # noqa: B023 - called at once
    return median(took[0]), median(took[1])
