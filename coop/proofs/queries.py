"""What a pool promised and what came of it, for anyone; its rows under pseudonyms; and where its draw stands."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.allocation.queries import proof_of_run
from coop.changes.queries import ChangedRow, changed_by_hand
from coop.core.claimants import name_of_claim, pseudonym
from coop.core.claims import TOGETHER_RULE
from coop.core.commitments import Commitment
from coop.core.errors import NotFound, RuleBroken
from coop.core.paging import Slice, anywhere
from coop.draws import service as draws
from coop.draws.models import PoolCommitment
from coop.draws.queries import DrawPart, parts_of
from coop.seasons import service as seasons

A_PAGE: Final = 50
_PSEUDONYM: Final = re.compile("[0-9a-f]{6,32}")


@dataclass(frozen=True, slots=True)
class Row:
    """One claim of a batch; micro-units are None where the season keeps no standing."""

    batch: str
    product: str
    name: str
    weight: int
    wish: int
    up_to: int
    pieces: int
    before_micro: int | None
    after_micro: int | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class Rows:
    sought: str
    rows: list[Row]
    part: Slice


@dataclass(frozen=True, slots=True)
class DrawPage:
    """`draws` is empty where the season's secret decides; the last one counts."""

    pool_id: int
    pool: str
    season: str
    closes_at: datetime
    is_open: bool
    is_waiting: bool
    draws: list[DrawPart]

    @property
    def current(self) -> DrawPart | None:
        """Return the draw that counts."""
        return self.draws[-1] if self.draws else None

    @property
    def kind(self) -> str:
        """Say where the seed comes from."""
        return self.draws[-1].kind if self.draws else "season"

    def named_round(self) -> DrawPart:
        """Return the draw that waits for a beacon. Raises `not_asked`."""
        if self.current is None or self.current.kind != "beacon":
            raise RuleBroken("not_asked", "This pool draws its seed in another way.")
        return self.current


@dataclass(frozen=True, slots=True)
class VerifyPage:
    """What the pool promised, froze and came to; `names` are what the viewer's own household is called in it."""

    pool_id: int
    pool: str
    season: str
    rule: str
    memory: str
    secret_hash: str
    season_secret: str
    commitment: Commitment | None
    committed_at: datetime | None
    draws: list[DrawPart]
    input_digest: str | None
    frozen_at: datetime | None
    chain_start: str | None
    before_id: int | None
    before: str | None
    result_digest: str | None
    file_name: str
    names: list[tuple[str, str]]
    rows: Rows | None
    by_hand: list[ChangedRow]


_POOL = text("""
SELECT p.id, p.name, p.opened_at, p.closes_at, p.season_id, s.name AS season, s.secret_hash, s.guest_weight,
       s.rule AS season_rule, s.memory AS season_memory, encode(t.secret, 'hex') AS season_secret,
       r.id AS run_id, r.state, r.rule, r.memory, r.input_digest, r.frozen_at, r.chain_start, r.result_digest,
       b.id AS before_id, b.name AS before
  FROM pool p
  JOIN season s ON s.id = p.season_id
  LEFT JOIN season_secret t ON t.season_id = s.id
  LEFT JOIN allocation_run r ON r.pool_id = p.id AND r.state IN ('requested', 'waiting', 'proposed', 'publishing', 'published')
  LEFT JOIN allocation_run c ON c.result_digest = r.chain_start AND c.state IN ('published', 'superseded')
  LEFT JOIN pool b ON b.id = c.pool_id
 WHERE p.id = :pool
""")

_FAMILIES = text("""
SELECT DISTINCT CASE WHEN coalesce(f.rule, s.rule) = 'leximin/webster@1' THEN coalesce('choice ' || l.choice, 'lot ' || b.lot_number)
                     ELSE d.family END AS family
  FROM household_order o
  JOIN pool p ON p.id = o.pool_id
  JOIN season s ON s.id = p.season_id
  JOIN order_line l ON l.order_id = o.id AND l.up_to > 0
  JOIN offering f ON f.id = l.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
 WHERE o.pool_id = :pool AND o.household_id = :household
 ORDER BY 1
""")

_COUNTS = text("""
SELECT f.id, count(*) AS claims
  FROM award a
  JOIN offering f ON f.id = a.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
 WHERE a.run_id = :run AND (b.lot_number ILIKE :like OR d.name ILIKE :like)
 GROUP BY f.id, b.lot_number
 ORDER BY b.lot_number COLLATE "C"
""")

_ACCOUNTS = text("""
SELECT DISTINCT o.household_id, CASE WHEN coalesce(f.rule, s.rule) = 'leximin/webster@1' THEN coalesce('choice ' || l.choice, 'lot ' || b.lot_number)
                     ELSE d.family END AS family
  FROM award a
  JOIN allocation_run s ON s.id = a.run_id
  JOIN order_line l ON l.id = a.line_id
  JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = a.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
 WHERE a.run_id = :run
""")

_CLAIMS = text("""
SELECT b.lot_number, d.name AS product, d.family, f.rule, l.choice, o.household_id, l.wish, l.up_to, a.pieces,
       a.owed_before_micro AS before, a.owed_before_micro + a.entitled_micro - 1000000 * (a.pieces - a.extra) AS after
  FROM award a
  JOIN order_line l ON l.id = a.line_id
  JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = a.offering_id
  JOIN product d ON d.id = f.product_id
  JOIN batch b ON b.id = f.batch_id
 WHERE a.run_id = :run AND (a.offering_id = ANY(:offerings) OR o.household_id = ANY(:households))
""")


def verify_page(
    session: Session, pool_id: int, household_id: int | None, sought: str, *, number: int, field_key: bytes
) -> VerifyPage:
    """Return what a stranger needs to check a pool whose orders have opened, and a member's own names in it."""
    pool = _opened(session, pool_id)
    kept = session.get(PoolCommitment, pool_id)
    published = pool.state == "published"
    secret = seasons.season_secret(session, pool.season_id, field_key)
    return VerifyPage(
        pool_id=pool_id,
        pool=pool.name,
        season=pool.season,
        rule=pool.rule or pool.season_rule,
        memory=pool.memory or pool.season_memory,
        secret_hash=pool.secret_hash,
        season_secret=pool.season_secret or "",
        commitment=draws.commitment_of(session, pool_id),
        committed_at=kept.made_at if kept else None,
        draws=parts_of(session, pool_id),
        input_digest=pool.input_digest,
        frozen_at=pool.frozen_at,
        chain_start=pool.chain_start if published else None,
        before_id=pool.before_id,
        before=pool.before,
        result_digest=pool.result_digest if published else None,
        file_name=_file_name(pool),
        names=names_of(session, pool_id, household_id, field_key=field_key) if household_id else [],
        rows=_rows(session, pool, secret, household_id, sought, number) if published else None,
        by_hand=changed_by_hand(session, pool_id, secret) if published else [],
    )


def draw_page(session: Session, pool_id: int) -> DrawPage:
    """Return where a pool's draw stands."""
    pool = _pool(session, pool_id)
    is_open, is_waiting = pool.opened_at is not None, pool.state == "waiting"
    return DrawPage(pool_id, pool.name, pool.season, pool.closes_at, is_open, is_waiting, parts_of(session, pool_id))


def names_of(session: Session, pool_id: int, household_id: int, *, field_key: bytes) -> list[tuple[str, str]]:
    """Return what a household is called in the proof of a pool: one name for each family of products it ordered."""
    families = session.scalars(_FAMILIES, {"pool": pool_id, "household": household_id}).all()
    if not families:
        return []
    season_id = session.execute(text("SELECT season_id FROM pool WHERE id = :pool"), {"pool": pool_id}).scalar_one()
    secret = seasons.season_secret(session, season_id, field_key)
    return [(family, pseudonym(secret, family, household_id)) for family in families]


def proof_digest(session: Session, pool_id: int) -> str:
    """Return the digest that a published pool's proof ends in; the file is another only if this is."""
    return str(_published(session, pool_id).result_digest)


def proof_file(session: Session, pool_id: int, *, field_key: bytes) -> tuple[str, bytes]:
    """Return the name and the bytes of a published pool's proof."""
    pool = _published(session, pool_id)
    return _file_name(pool), proof_of_run(session, pool.run_id, field_key)


def _pool(session: Session, pool_id: int) -> Any:
    pool = session.execute(_POOL, {"pool": pool_id}).first()
    if pool is None:
        raise NotFound
    return pool


def _opened(session: Session, pool_id: int) -> Any:
    pool = _pool(session, pool_id)
    if pool.opened_at is None:
        raise NotFound
    return pool


def _published(session: Session, pool_id: int) -> Any:
    pool = _pool(session, pool_id)
    if pool.state != "published":
        raise NotFound
    return pool


def _rows(session: Session, pool: Any, secret: bytes, own: int | None, sought: str, number: int) -> Rows:
    """Show fifty claims, batch by batch and in the order of the names that mean nothing."""
    named = _PSEUDONYM.fullmatch(sought.lower())
    offerings, households, skipped, total = [], [], 0, 0
    if named:
        accounts = session.execute(_ACCOUNTS, {"run": pool.run_id}).all()
        households = [one for one, family in accounts if pseudonym(secret, family, one).startswith(sought.lower())]
    else:
        first, last = (number - 1) * A_PAGE, number * A_PAGE
        for offering_id, claims in session.execute(_COUNTS, {"run": pool.run_id, "like": anywhere(sought)}):
            if total < last and total + claims > first:
                offerings.append(offering_id)
                skipped = skipped or total + 1
            total += claims
    asked = {"run": pool.run_id, "offerings": offerings, "households": households}
    found = session.execute(_CLAIMS, asked).all() if offerings or households else []
    weights = seasons.weights(
        session, pool.season_id, at=pool.opened_at, of=sorted({one.household_id for one in found})
    )
    rows = [
        Row(
            batch=one.lot_number,
            product=one.product,
            name=_name(secret, one, pool.rule),
            weight=weights.get(one.household_id, pool.guest_weight),
            wish=one.wish,
            up_to=one.up_to,
            pieces=one.pieces,
            before_micro=one.before,
            after_micro=one.after,
            is_own=one.household_id == own,
        )
        for one in found
    ]
    rows.sort(key=lambda row: (row.batch.encode(), row.name))
    if named:
        rows = [row for row in rows if row.name.startswith(sought.lower())]
        skipped, total = 1, len(rows)
    part = Slice(number, A_PAGE, total)
    start = part.skipped - (skipped - 1)
    return Rows(sought, rows[max(start, 0) : max(start, 0) + A_PAGE] if rows else [], part)


def _name(secret: bytes, claim: Any, rule: str) -> str:
    if (claim.rule or rule) == TOGETHER_RULE:
        return name_of_claim(secret, claim.household_id, claim.lot_number, claim.choice)
    return pseudonym(secret, claim.family, claim.household_id)


def _file_name(pool: Any) -> str:
    words = re.sub("[^a-z0-9]+", "-", pool.name.lower()).strip("-") or f"pool-{pool.id}"
    return f"{words}.proof.jsonl"
