"""What needs doing now, each thing with the page where it is done; and what comes next."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.ledger import ORDER_HOLD

COMING_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class PoolToDo:
    """A pool that waits for somebody; `what` is one of open, close, yields, share_out, look, try_again or pickup.

    The pools of a season are shared out in the order of their cut-offs, so `behind` counts those that wait for this one.
    """

    what: str
    pool_id: int
    pool: str
    run_id: int | None
    since: datetime
    missing: int
    batches: int
    failure: str | None
    behind: int


@dataclass(frozen=True, slots=True)
class PayoutToDo:
    """A payout run that waits for a second person, for its file, or for somebody to look."""

    run_id: int
    state: str
    through: date
    payable_minor: int
    makers: int


@dataclass(frozen=True, slots=True)
class MakerToDo:
    """Terms or an account of a maker that wait for a second person; `what` is terms or account."""

    what: str
    artisan_id: int
    maker: str
    asked_at: datetime
    asked_by: str


@dataclass(frozen=True, slots=True)
class Coming:
    pool_id: int
    pool: str
    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TodayPage:
    pools: list[PoolToDo]
    payouts: list[PayoutToDo]
    makers_waiting: list[MakerToDo]
    dead_jobs: int
    coming: list[Coming]
    households: int
    makers: int
    open_pools: int
    held_minor: int

    @property
    def is_quiet(self) -> bool:
        """Whether nothing waits for anybody."""
        return not (self.pools or self.payouts or self.makers_waiting or self.dead_jobs)


_POOLS = text("""
WITH unfinished AS (
  SELECT p.id, p.season_id, p.name, p.opens_at, p.closes_at, p.opened_at, p.closed_at, p.pickup_on, r.id AS run_id, r.state, r.proposed_at, r.failure,
         (SELECT count(*) FROM offering f WHERE f.pool_id = p.id) AS batches
    FROM pool p
    LEFT JOIN LATERAL (SELECT id, state, proposed_at, failure FROM allocation_run
                        WHERE pool_id = p.id AND state NOT IN ('cancelled', 'superseded') ORDER BY id DESC LIMIT 1) r ON true
   WHERE r.state IS DISTINCT FROM 'published' OR p.pickup_on = :today),
waiting AS (
  SELECT u.*, CASE
      WHEN state = 'published' THEN 'pickup'
      WHEN opened_at IS NULL AND opens_at <= :at AND closes_at > :at THEN 'open'
      WHEN opened_at IS NOT NULL AND closed_at IS NULL AND closes_at < :at THEN 'close'
      WHEN state = 'failed' THEN 'try_again'
      WHEN state = 'proposed' THEN 'look'
      WHEN closed_at IS NOT NULL AND state IS NULL THEN 'share_out' END AS what
    FROM unfinished u)
SELECT * FROM waiting WHERE what IS NOT NULL ORDER BY closes_at, id LIMIT 500
""")

_MISSING = text("""
SELECT f.pool_id, count(*) AS missing FROM offering f
 WHERE f.pool_id = ANY(:pools) AND NOT EXISTS (SELECT 1 FROM yield_report y WHERE y.batch_id = f.batch_id)
 GROUP BY f.pool_id
""")

_PAYOUTS = text("""
SELECT r.id, r.state, r.through, coalesce(sum(s.payable_minor), 0)::bigint, count(s.id)
  FROM payout_run r LEFT JOIN statement s ON s.run_id = r.id
 WHERE r.state IN ('computed', 'approved', 'file_made', 'uncertain', 'failed', 'partly_returned')
   AND (r.state <> 'failed' OR NOT EXISTS (SELECT 1 FROM payout_run later WHERE later.id > r.id))
 GROUP BY r.id ORDER BY r.id LIMIT 10
""")

_MAKERS = text("""
SELECT w.what, a.id, a.name, w.asked_at, coalesce(p.name, 'the command line') FROM (
  SELECT 'terms' AS what, artisan_id, asked_by, asked_at FROM asked_terms WHERE state = 'waiting'
  UNION ALL SELECT 'account', artisan_id, asked_by, asked_at FROM bank_details WHERE state = 'waiting') w
  JOIN artisan a ON a.id = w.artisan_id AND a.left_at IS NULL LEFT JOIN person p ON p.id = w.asked_by
 ORDER BY w.asked_at, a.id, w.what LIMIT 50
""")

_COMING = text("""
SELECT id, name, what, at FROM (
  SELECT id, name, 'opens' AS what, opens_at AS at FROM pool WHERE opened_at IS NULL AND closes_at > :at
  UNION ALL SELECT id, name, 'closes', closes_at FROM pool WHERE opened_at IS NOT NULL AND closed_at IS NULL) dates
 WHERE at > :at ORDER BY at, id LIMIT :most
""")

_COUNTS = text("""
SELECT (SELECT count(*) FROM household WHERE left_at IS NULL) AS households,
       (SELECT count(*) FROM artisan WHERE left_at IS NULL) AS makers,
       (SELECT count(*) FROM pool WHERE opened_at IS NOT NULL AND closed_at IS NULL AND closes_at >= :at) AS open_pools,
       (SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL AND done_at IS NULL) AS dead,
       (SELECT coalesce(-sum(b.amount), 0)::bigint FROM balance b JOIN account a ON a.id = b.account_id WHERE a.code = :hold) AS held
""")


def today_page(session: Session, *, at: datetime, today: date) -> TodayPage:
    """Return what waits for an admin, the longest waiting first."""
    rows = session.execute(_POOLS, {"at": at, "today": today}).all()
    shown, behind = _first_of_each_season(rows)
    in_turn = [row.id for row in shown if row.what == "share_out"]
    missing = {row.pool_id: row.missing for row in session.execute(_MISSING, {"pools": in_turn})}
    counts = session.execute(_COUNTS, {"at": at, "hold": ORDER_HOLD}).one()
    return TodayPage(
        pools=[
            PoolToDo(
                what="yields" if row.id in missing else row.what,
                pool_id=row.id,
                pool=row.name,
                run_id=row.run_id,
                behind=behind[row.season_id] if row.what == "share_out" else 0,
                since=row.opens_at if row.what == "open" else row.proposed_at or row.closes_at,
                missing=missing.get(row.id, 0),
                batches=row.batches,
                failure=row.failure,
            )
            for row in shown
        ],
        payouts=[PayoutToDo(*row) for row in session.execute(_PAYOUTS)],
        makers_waiting=[MakerToDo(*row) for row in session.execute(_MAKERS)],
        dead_jobs=counts.dead,
        coming=[Coming(*row) for row in session.execute(_COMING, {"at": at, "most": COMING_SHOWN})],
        households=counts.households,
        makers=counts.makers,
        open_pools=counts.open_pools,
        held_minor=counts.held,
    )


def _first_of_each_season(rows: Sequence[Any]) -> tuple[list[Any], Counter[int]]:
    """Leave out pools that can be shared out only after another of their season, and count them by season."""
    shown, begun, behind = [], set(), Counter[int]()
    for row in rows:
        in_turn = row.what in {"share_out", "look", "try_again"}
        if row.what == "share_out" and row.season_id in begun:
            behind[row.season_id] += 1
            continue
        if in_turn:
            begun.add(row.season_id)
        shown.append(row)
    return shown, behind
