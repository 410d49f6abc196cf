"""What a household got in a pool, each line with the one true sentence about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.claims import TOGETHER_RULE
from coop.core.errors import NotFound
from coop.core.explain_numbers import Wording
from coop.core.paging import Slice
from coop.core.recent import Recent
from coop.reasons.queries import Explained, explained

A_PAGE: Final = 50

_EXPLAINED: Final[Recent[tuple[object, ...], dict[int, Explained | str]]] = Recent(128)
"""Pages of awards by number, some 50 kB each: a household looks at the same ones again, and what is published stays."""


class AwardLine(NamedTuple):
    """One line of an order; `pieces`, `extra` and `sentence` are empty until the pool is published."""

    id: int
    product: str
    maker: str
    lot_number: str
    unit: str
    wish: int
    up_to: int
    pieces: int
    extra: int
    returned_minor: int
    sentence: str
    choice: int | None


@dataclass(frozen=True, slots=True)
class AwardsPage:
    """`short` counts the pieces wished for that were not there, `received` those that were, `extra` what came on top."""

    pool_id: int
    pool: str
    season: str
    rule: str
    opened_at: datetime | None
    closes_at: datetime
    pickup_on: date
    published_at: datetime | None
    lines: list[AwardLine]
    part: Slice
    wished: int
    received: int
    extra: int
    short: int
    to_pay_minor: int
    returned_minor: int


_POOL = text("""
SELECT p.id, p.name, s.name AS season, s.rule AS season_rule, p.opened_at, p.closes_at, p.pickup_on, r.id AS run_id,
       r.rule, r.published_at
  FROM pool p
  JOIN season s ON s.id = p.season_id
  LEFT JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
 WHERE p.id = :pool
""")

_LINES = text("""
SELECT f.id AS offering_id, l.id AS line_id, d.name AS product, m.name AS maker, b.lot_number, d.unit_one, d.unit_many,
       l.wish, l.up_to, l.choice, l.rank, l.unit_minor + l.deposit_minor AS each_minor,
       coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor)) AS held_minor, a.pieces, a.extra
  FROM household_order o
  JOIN order_line l ON l.order_id = o.id AND l.up_to > 0
  JOIN offering f ON f.id = l.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
  JOIN artisan m ON m.id = d.artisan_id
  LEFT JOIN award a ON a.run_id = :run AND a.offering_id = f.id AND a.line_id = l.id
 WHERE o.pool_id = :pool AND o.household_id = :household
 ORDER BY b.lot_number COLLATE "C"
""")


def awards_page(session: Session, pool_id: int, household_id: int, *, number: int, field_key: bytes) -> AwardsPage:
    """Return a household's lines of a pool, fifty a page, those that fell short first."""
    pool = _pool(session, pool_id)
    asked = {"run": pool.run_id, "pool": pool_id, "household": household_id}
    rows = session.execute(_LINES, asked).all()
    part = Slice(number, A_PAGE, len(rows))
    missing = _missing(rows)
    shortest = sorted(rows, key=lambda row: -missing[row.line_id])
    shown = shortest[part.skipped : part.skipped + A_PAGE]
    is_out = pool.run_id is not None
    told: dict[int, str] = {}
    if is_out and shown:
        lines = [(row.offering_id, row.line_id) for row in shown]
        told = sentences(session, pool.run_id, pool_id, household_id, lines, field_key=field_key)
    return AwardsPage(
        pool_id=pool_id,
        pool=pool.name,
        season=pool.season,
        rule=pool.rule or pool.season_rule,
        opened_at=pool.opened_at,
        closes_at=pool.closes_at,
        pickup_on=pool.pickup_on,
        published_at=pool.published_at,
        lines=[_line(row, told.get(row.line_id, "")) for row in shown],
        part=part,
        wished=sum((row.pieces or 0) - (row.extra or 0) + missing[row.line_id] for row in rows),
        received=sum(row.pieces - row.extra for row in rows) if is_out else 0,
        extra=sum(row.extra for row in rows) if is_out else 0,
        short=sum(missing.values()) if is_out else 0,
        to_pay_minor=sum(row.pieces * row.each_minor if is_out else row.held_minor for row in rows),
        returned_minor=sum(row.held_minor - row.pieces * row.each_minor for row in rows) if is_out else 0,
    )


def _missing(rows: Sequence[Any]) -> dict[int, int]:
    """Count what each line is short of its wish; a choice is short as a whole, on the line it likes best."""
    missing = {row.line_id: row.wish - (row.pieces or 0) + (row.extra or 0) for row in rows}
    got: dict[int, int] = {}
    for row in rows:
        if row.choice:
            got[row.choice] = got.get(row.choice, 0) + (row.pieces or 0)
    first = {row.choice: row for row in sorted(rows, key=lambda row: -(row.rank or 0)) if row.choice}
    for row in rows:
        if row.choice:
            missing[row.line_id] = row.wish - got[row.choice] if row is first[row.choice] else 0
    return missing


def _pool(session: Session, pool_id: int) -> Any:
    pool = session.execute(_POOL, {"pool": pool_id}).first()
    if pool is None:
        raise NotFound
    return pool


def _line(row: Any, sentence: str) -> AwardLine:
    pieces = row.pieces or 0
    return AwardLine(
        id=row.line_id,
        product=row.product,
        maker=row.maker,
        lot_number=row.lot_number,
        unit=row.unit_one if (row.wish if row.pieces is None else pieces) == 1 else row.unit_many,
        wish=row.wish,
        up_to=row.up_to,
        pieces=pieces,
        extra=row.extra or 0,
        returned_minor=max(0, row.held_minor - pieces * row.each_minor) if row.pieces is not None else 0,
        sentence=sentence,
        choice=row.choice,
    )


# What was published up to the head of the season's chain decides each sentence, but for how a product calls its pieces.
_WORDINGS = text("""
SELECT f.id, d.unit_one, d.unit_many, coalesce(f.rule, r.rule) AS rule, r.state, r.result_digest, h.run_id, h.result_digest AS head
  FROM allocation_run r JOIN pool p ON p.id = r.pool_id
  JOIN offering f ON f.id = ANY(:offerings) JOIN product d ON d.id = f.product_id
  LEFT JOIN chain_head h ON h.season_id = p.season_id
 WHERE r.id = :run
""")


def sentences(
    session: Session,
    run_id: int,
    pool_id: int,
    household_id: int,
    lines: Sequence[tuple[int, int]],
    *,
    field_key: bytes,
) -> dict[int, str]:
    """Say why of some lines (offering, line) of a household's order in a published pool, by line."""
    asked = {"run": run_id, "offerings": [offering_id for offering_id, _ in lines]}
    rows = session.execute(_WORDINGS, asked).all()
    wordings = {row.id: Wording(row.unit_one, row.unit_many) for row in rows}
    by_what = (*{(run_id, row.state, row.result_digest, row.run_id, row.head) for row in rows},)
    lasts = all(row.state == "published" and row.head and row.rule != TOGETHER_RULE for row in rows)

    def work() -> dict[int, Explained | str]:
        under = by_what if lasts else None
        return explained(session, run_id, pool_id, household_id, lines, field_key=field_key, under=under)

    told = _EXPLAINED.of((by_what, household_id, *lines), work) if lasts else work()
    return {
        line_id: one if isinstance(one := told[line_id], str) else one.words(wordings[offering_id])
        for offering_id, line_id in lines
    }


_AWARDS_OF_PERSON = text("""
SELECT o.household_id, run.id AS run_id, l.offering_id, l.id AS line_id, p.name, l.wish, l.up_to, a.pieces,
       l.unit_minor + l.deposit_minor AS each_minor,
       coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor)) AS held_minor, pool.pickup_on
  FROM belonging m
  JOIN household_order o ON o.household_id = m.household_id
  JOIN pool ON pool.id = o.pool_id
  JOIN order_line l ON l.order_id = o.id
  JOIN allocation_run run ON run.pool_id = o.pool_id AND run.state = 'published'
  JOIN award a ON a.run_id = run.id AND a.offering_id = l.offering_id AND a.line_id = l.id
  JOIN offering f ON f.id = l.offering_id
  JOIN product p ON p.id = f.product_id
 WHERE m.person_id = :person AND m.ended_at IS NULL AND o.pool_id = :pool AND l.up_to > 0
 ORDER BY p.name, l.id
""")


def letter_of_awards(session: Session, person_id: int, values: dict[str, Any], *, field_key: bytes) -> dict[str, Any]:
    """Return what a published pool means to a person's household, line by line, for their letter."""
    pool_id = values["pool_id"]
    rows = session.execute(_AWARDS_OF_PERSON, {"person": person_id, "pool": pool_id}).all()
    told: dict[int, str] = {}
    if rows:
        lines = [(row.offering_id, row.line_id) for row in rows]
        told = sentences(session, rows[0].run_id, pool_id, rows[0].household_id, lines, field_key=field_key)
    return {
        "lines": [
            {"product": row.name, "wish": row.wish, "pieces": row.pieces, "sentence": told[row.line_id]} for row in rows
        ],
        "pickup_on": rows[0].pickup_on.isoformat() if rows else "",
        "returned_minor": sum(row.held_minor - row.pieces * row.each_minor for row in rows),
    }
