"""Replace a published sharing out by its next version: awards, money and standing move by what differs, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.allocation import service as allocation
from coop.allocation.models import AllocationRun
from coop.core.fairness import four_decimals
from coop.core.hardship import fund_part
from coop.core.ledger import MEMBER_CREDIT, Entry, Freed, household_party, released_from_hold
from coop.core.pool_run import fill_of
from coop.core.season import local_day
from coop.db import columns_of, copy_rows
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.pools.models import Pool


class CorrectedLine(Protocol):
    """What a line gets in the new version."""

    line_id: int
    floor: int
    pieces: int
    extra: int
    entitled_micro: int | None
    owed_before_micro: int | None
    entitled_before_micro: int | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """One batch of the pool shared out anew."""

    offering_id: int
    units_before: int
    units: int
    chain_start: str
    result_digest: str
    lines: Sequence[CorrectedLine]


def supersede(session: Session, old: AllocationRun, corrected: Corrected, *, by: int, at: datetime) -> int:
    """Publish the next version of a run and return its id; the caller holds the pool and the season's chain."""
    old.state = "superseded"
    session.flush()
    run = AllocationRun(
        pool_id=old.pool_id,
        version=old.version + 1,
        rule=old.rule,
        memory=old.memory,
        credit_cap=old.credit_cap,
        state="published",
        requested_by=by,
        requested_at=at,
        input_digest=old.input_digest,
        chain_start=corrected.chain_start,
        result_digest=corrected.result_digest,
        figures=old.figures,
        proposed_at=at,
        published_by=by,
        published_at=at,
        corrects_id=old.id,
        offering_id=corrected.offering_id,
        units_before=corrected.units_before,
        units=corrected.units,
    )
    session.add(run)
    session.flush()
    declined = _book(session, old, run, corrected, at=at)
    _write_awards(session, old, run, corrected, declined)
    if run.memory != "none":
        season_id = session.get_one(Pool, run.pool_id).season_id
        moved = {"old": old.id, "new": run.id, "offering": corrected.offering_id, "season": season_id}
        session.execute(_MOVE_STANDING, moved | {"memory": run.memory})
    run.figures = (old.figures or {}) | measured(session, run.id)
    allocation.move_chain(session, run)
    return run.id


_CHANGES = text("""
SELECT o.household_id, l.id AS line_id, a.pieces, l.unit_minor + l.deposit_minor AS minor, l.up_to, l.unit_minor, l.fund_minor
  FROM award a JOIN order_line l ON l.id = a.line_id JOIN household_order o ON o.id = l.order_id
 WHERE a.run_id = :run AND a.offering_id = :offering
 ORDER BY o.household_id, l.id
""")


def _book(
    session: Session, old: AllocationRun, run: AllocationRun, corrected: Corrected, *, at: datetime
) -> dict[int, int]:
    """Release what is no longer needed and hold what is, as far as credit goes; return the pieces declined, by line."""
    agreed = policy.all_current(session, at=at)
    day = allocation.booking_day(session, run.pool_id, today=local_day(at, agreed["zone"]))
    pieces = {line.line_id: line.pieces for line in corrected.lines}
    declined: dict[int, int] = {}
    entries = []
    for row in session.execute(_CHANGES, {"run": old.id, "offering": corrected.offering_id}):
        more = pieces[row.line_id] - row.pieces
        if more > 0 and row.minor > 0:
            people.lock_household(session, row.household_id)
            credit = -ledger.balance_of(session, MEMBER_CREDIT, household_party(row.household_id))
            declined[row.line_id] = _beyond_credit(row, more, credit)
            more -= declined[row.line_id]
        fund = _fund(row, row.pieces) - _fund(row, row.pieces + more)
        if more and (row.minor or fund):
            freed = Freed(household_party(row.household_id), row.line_id, -more * row.minor, fund)
            entries.append(Entry(f"alloc:{run.id}:{row.line_id}", "allocation", day, released_from_hold([freed])))
    ledger.post_all(session, entries, by=run.published_by or 0, currency=agreed["currency"])
    return declined


def _fund(line: Any, pieces: int) -> int:
    return fund_part(pieces, line.up_to, line.unit_minor, line.fund_minor)


def _beyond_credit(line: Any, more: int, credit: int) -> int:
    """Say how many of the pieces that are to be more the household's credit does not pay for; the fund bears its part of each."""
    if not line.fund_minor:
        return max(0, more - credit // int(line.minor))
    paid = more
    while paid and paid * line.minor - (_fund(line, line.pieces + paid) - _fund(line, line.pieces)) > credit:
        paid -= 1
    return more - paid


def _write_awards(
    session: Session, old: AllocationRun, run: AllocationRun, corrected: Corrected, declined: dict[int, int]
) -> None:
    session.execute(_TAKE_OVER, {"old": old.id, "new": run.id, "offering": corrected.offering_id})
    columns = ("run_id", "offering_id", "line_id", "pieces", "extra", "entitled_micro", "owed_before_micro")
    rows = []
    for line in corrected.lines:
        left_out = declined.get(line.line_id, 0)
        beyond = min(left_out, line.extra)
        balances = (line.entitled_micro, line.owed_before_micro, line.entitled_before_micro)
        taken = (line.pieces - left_out, line.extra - beyond)
        rows.append((run.id, corrected.offering_id, line.line_id, *taken, *balances, line.floor, left_out - beyond))
    copy_rows(session, "award", (*columns, "entitled_before_micro", "floor", "declined"), rows)


_TAKE_OVER = text("""
INSERT INTO award (run_id, offering_id, line_id, pieces, extra, entitled_micro, owed_before_micro, entitled_before_micro,
                   declined)
SELECT :new, offering_id, line_id, pieces, extra, entitled_micro, owed_before_micro, entitled_before_micro, declined
  FROM award WHERE run_id = :old AND offering_id <> :offering
""")

# on the balances of today, whatever happened since the batch was first shared out
_MOVE_STANDING = text("""
INSERT INTO standing (season_id, family, household_id, owed_micro, entitled_micro)
SELECT :season, p.family, o.household_id,
       n.entitled_micro - a.entitled_micro
         - 1000000 * ((n.pieces + n.declined - n.extra) - (a.pieces + a.declined - a.extra)),
       CASE :memory WHEN 'season' THEN n.entitled_micro - a.entitled_micro ELSE 0 END
  FROM award a
  JOIN award n ON n.run_id = :new AND n.offering_id = a.offering_id AND n.line_id = a.line_id
  JOIN order_line l ON l.id = a.line_id
  JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = a.offering_id
  JOIN product p ON p.id = f.product_id
 WHERE a.run_id = :old AND a.offering_id = :offering
ON CONFLICT (season_id, family, household_id) DO UPDATE
   SET owed_micro = standing.owed_micro + excluded.owed_micro,
       entitled_micro = standing.entitled_micro + excluded.entitled_micro
""")

_SHARED = """
SELECT o.household_id, l.wish, a.pieces FROM award a
  JOIN order_line l ON l.id = a.line_id JOIN household_order o ON o.id = l.order_id
 WHERE a.run_id = :run
"""


def measured(session: Session, run_id: int) -> dict[str, int | str]:
    """Measure the awards of a run anew, as they were measured when it was worked out."""
    lines = columns_of(session, _SHARED, {"run": run_id}, ("household", "wish", "pieces"))
    measured = fill_of(lines["household"], lines["wish"], lines["pieces"])
    return {
        "pieces": measured.pieces,
        "short": measured.short,
        "lowest_fill": four_decimals(measured.lowest),
        "jain": four_decimals(measured.jain),
    }
