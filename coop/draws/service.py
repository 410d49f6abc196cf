"""Promise a pool's terms when its orders open; name its draws, hear their witnesses, and say what a draw came to.

Whoever changes a draw holds the row of its pool.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from coop.core.claims import Terms
from coop.core.commitments import Commitment, Promise, PromisedBatch
from coop.core.errors import RuleBroken
from coop.core.fields import fields_of, parsed
from coop.core.proof_reading import read_commitment
from coop.core.records import Source
from coop.core.tickets import draw_secret, source_of_season, source_of_witnesses
from coop.draws.models import Draw, PoolCommitment, SeasonSecret, Witness

FEWEST_WITNESSES = 2

_POOL = text("""
SELECT p.name, p.closes_at, p.season_id, s.name AS season, s.rule, s.memory, s.credit_cap, s.secret_hash
  FROM pool p JOIN season s ON s.id = p.season_id
 WHERE p.id = :pool
   FOR SHARE OF s
""")

_OFFERED = text("""
SELECT b.lot_number AS id, f.rule, f.cap
  FROM offering f JOIN batch b ON b.id = f.batch_id
 WHERE f.pool_id = :pool
 ORDER BY b.lot_number COLLATE "C"
""")


class Drawn(NamedTuple):
    """Where a pool's seed comes from.

    `source` is None while a draw of its own is not known yet; `own` is false where the season's secret decides.
    `input_digest` is the one that a known draw was made for: no other may be shared out by it.
    """

    own: bool
    source: Source | None
    input_digest: str | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether the seed is still to come."""
        return self.own and self.source is None

    def source_with(self, season_secret: bytes, pool: str) -> Source:
        """Give the source of the seed; what is still to come, the season's secret stands in for."""
        told = draw_secret(season_secret)
        season = Promise("season", (hashlib.sha256(told).hexdigest(),))
        return self.source or Source(season, source_of_season(told, pool))


def commit(session: Session, pool_id: int, *, by: int, at: datetime) -> None:
    """Write down what a pool promises, as its orders open.

    Raises `witnesses_missing`, `round_too_early` and `season_revealed`.
    """
    pool = session.execute(_POOL, {"pool": pool_id}).one()
    promise = _promise(session, pool_id, pool)
    offered = [
        PromisedBatch(row.id, row.rule or pool.rule, row.cap) for row in session.execute(_OFFERED, {"pool": pool_id})
    ]
    terms = Terms(None if pool.memory == "none" else pool.memory, pool.credit_cap)
    made = Commitment(pool.season, pool.name, pool.rule, terms, tuple(offered), promise)
    session.add(PoolCommitment(pool_id=pool_id, content=made.text, digest=made.digest, made_at=at, made_by=by))


def commitment_of(session: Session, pool_id: int) -> Commitment | None:
    """Return what a pool promised; None before its orders open, and where it was brought in afterwards."""
    content = session.scalar(select(PoolCommitment.content).where(PoolCommitment.pool_id == pool_id))
    return None if content is None else read_commitment(fields_of(parsed(content), ""))


def drawn(session: Session, pool_id: int) -> Drawn:
    """Say where a pool's seed comes from."""
    draw = latest(session, pool_id)
    if draw is None:
        return Drawn(own=False, source=None)
    if draw.value is None:
        return Drawn(own=True, source=None)
    secrets = tuple(witness.secret or b"" for witness in witnesses(session, draw))
    source = Source(promise_of(session, draw), draw.value, secrets, draw.n)
    return Drawn(own=True, source=source, input_digest=draw.input_digest)


def latest(session: Session, pool_id: int) -> Draw | None:
    """Return the draw that counts; None where the season's secret decides."""
    return session.scalar(select(Draw).where(Draw.pool_id == pool_id).order_by(Draw.n.desc()).limit(1))


def witnesses(session: Session, draw: Draw) -> list[Witness]:
    """Return the witnesses of a draw in the order in which they handed in."""
    chosen = select(Witness).where(Witness.pool_id == draw.pool_id, Witness.n == draw.n).order_by(Witness.id)
    return list(session.scalars(chosen))


def promise_of(session: Session, draw: Draw) -> Promise:
    """Say what a draw promises."""
    if draw.kind == "witnesses":
        return Promise("witnesses", tuple(witness.hash for witness in witnesses(session, draw)))
    assert draw.round_at is not None
    return Promise("beacon", (), draw.chain, draw.round, f"{draw.round_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")


def know(session: Session, draw: Draw, value: bytes, input_digest: str, *, by: int, at: datetime) -> None:
    """Write down what a draw came to, and for which frozen inputs."""
    draw.value, draw.input_digest, draw.known_at, draw.known_by = value, input_digest, at, by
    session.flush()


def heard_all(session: Session, draw: Draw) -> bytes | None:
    """Return the source that a draw's witnesses give, once there are enough and the last has revealed."""
    told = [witness.secret for witness in witnesses(session, draw)]
    secrets = [secret for secret in told if secret is not None]
    return source_of_witnesses(secrets) if len(secrets) == len(told) >= FEWEST_WITNESSES else None


def _promise(session: Session, pool_id: int, pool: Any) -> Promise:
    draw = latest(session, pool_id)
    if draw is None:
        if session.get(SeasonSecret, pool.season_id) is not None:
            raise RuleBroken(
                "season_revealed",
                "The season's secret is told, so anybody could foresee this pool's draw. Choose witnesses or a beacon.",
            )
        return Promise("season", (pool.secret_hash,))
    if draw.kind == "witnesses":
        there = session.scalar(select(func.count()).where(Witness.pool_id == pool_id, Witness.n == draw.n)) or 0
        if there < FEWEST_WITNESSES:
            raise RuleBroken(
                "witnesses_missing",
                f"{there} of at least {FEWEST_WITNESSES} witnesses handed in a hash. Orders open once they have.",
            )
    elif draw.round_at is not None and draw.round_at <= pool.closes_at:
        raise RuleBroken("round_too_early", "The beacon's round comes before the cut-off. Name a later one.")
    return promise_of(session, draw)
