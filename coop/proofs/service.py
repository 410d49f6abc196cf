"""Say where a pool's seed will come from, hear what its draw came to, and tell a season's secret when it is over.

Each command holds the row of its pool, as opening orders does, so nothing changes while orders open.
"""

import hashlib
import re
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from coop.allocation import service as allocation
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.core.season import local_day
from coop.core.tickets import draw_secret
from coop.db import Db
from coop.draws import service as draws
from coop.draws.models import Draw, SeasonSecret, Witness
from coop.policy import service as policy
from coop.pools.models import Pool
from coop.seasons import service as seasons
from coop.seasons.models import Season

KINDS = ("season", "witnesses", "beacon")


class Round(NamedTuple):
    """One value of a public source of chance: where it can be looked up, its number, and when it appears."""

    chain: str
    number: str
    appears_at: datetime


def choose_source(db: Db, pool_id: int, kind: str, *, beacon: Round | None = None, by: int, at: datetime) -> None:
    """Say, before orders open, where a pool's seed will come from; what was said and handed in before is dropped.

    Raises `in_use`, `unknown_source`, `round_missing` and `round_too_early`.
    """
    with db.begin() as session:
        pool = _locked(session, pool_id)
        if pool.opened_at is not None:
            raise RuleBroken("in_use", "Orders have opened, so where the seed comes from stands.")
        if kind not in KINDS:
            raise RuleBroken("unknown_source", "A seed comes from the season, from witnesses or from a beacon.")
        session.execute(delete(Witness).where(Witness.pool_id == pool_id))
        session.execute(delete(Draw).where(Draw.pool_id == pool_id))
        if kind != "season":
            session.add(_named(pool_id, 1, kind, beacon, after=pool.closes_at, by=by, at=at))
        detail = {"kind": kind, "chain": beacon.chain, "round": beacon.number} if beacon else {"kind": kind}
        audit.record(session, "choose_source", by=by, subject=("pool", pool_id), detail=detail)


def hand_in(db: Db, pool_id: int, digest: str, *, by: int, at: datetime) -> None:
    """Take the hash of a witness's secret; before orders open another may replace it, afterwards it stands.

    Raises `not_asked`, `too_late`, `handed_in`, `hash_taken` and `bad_hexadecimal`.
    """
    with db.begin() as session:
        pool = _locked(session, pool_id)
        draw = _open_draw(session, pool_id, "witnesses")
        told = _hexadecimal(digest, "hash").hex()
        own = _own(session, draw, by)
        if own is not None and own.hash == told:
            return
        if draw.n == 1 and pool.opened_at is not None:
            raise RuleBroken("too_late", "Orders have opened, so the witnesses stand.")
        if any(witness.secret is not None for witness in draws.witnesses(session, draw)):
            raise RuleBroken("too_late", "A secret of this draw is revealed already, so its witnesses stand.")
        if own is not None and draw.n > 1:
            raise RuleBroken("handed_in", "You handed in a hash for this draw already, and it stands.")
        if session.scalar(select(Witness.id).where(Witness.hash == told)) is not None:
            raise RuleBroken("hash_taken", "This hash was handed in before. Make a new secret.", field="hash")
        if own is not None:
            session.delete(own)
            session.flush()
        session.add(Witness(pool_id=pool_id, n=draw.n, person_id=by, hash=told, handed_in_at=at))
        audit.record(session, "hand_in_hash", by=by, subject=("pool", pool_id), detail={"hash": told})


def reveal(db: Db, pool_id: int, secret: str, *, by: int, at: datetime) -> None:
    """Take a witness's secret once the inputs are frozen; with the last one the seed is known and the run goes on.

    Revealing twice changes nothing. Raises `not_asked`, `not_frozen`, `witnesses_missing` and `wrong_secret`.
    """
    with db.begin() as session:
        _locked(session, pool_id)
        told = _hexadecimal(secret, "secret")
        draw = _latest(session, pool_id, "witnesses")
        own = _own(session, draw, by)
        if own is None:
            raise RuleBroken("not_asked", "You handed in no hash for this draw, so there is nothing to reveal.")
        if hashlib.sha256(told).hexdigest() != own.hash:
            raise RuleBroken("wrong_secret", "This is not the secret whose hash you handed in.", field="secret")
        if own.secret is not None:
            return
        _frozen(session, pool_id)
        if len(draws.witnesses(session, draw)) < draws.FEWEST_WITNESSES:
            raise RuleBroken("witnesses_missing", "Wait until a second witness has handed in a hash.")
        own.secret, own.revealed_at = told, at
        session.flush()
        audit.record(session, "reveal_secret", by=by, subject=("pool", pool_id), detail={"hash": own.hash})
        value = draws.heard_all(session, draw)
        if value is not None:
            _know(session, draw, value, by=by, at=at)


def tell_beacon(db: Db, pool_id: int, value: str, *, by: int, at: datetime, origin: str = "typed") -> None:
    """Take the value that a beacon showed in the named round; the run goes on from it.

    Raises `not_asked`, `too_early`, `not_frozen`, `frozen_too_late`, `known` and `bad_hexadecimal`.
    """
    with db.begin() as session:
        _locked(session, pool_id)
        told = _hexadecimal(value, "value")
        draw = _latest(session, pool_id, "beacon")
        assert draw.round_at is not None
        if draw.value is not None:
            if draw.value == told:
                return
            raise RuleBroken("known", "Another value of this round was taken already, and it stands.", field="value")
        if at < draw.round_at:
            raise RuleBroken("too_early", "This round has not appeared yet.")
        if _frozen(session, pool_id).frozen_at >= draw.round_at:
            raise RuleBroken(
                "frozen_too_late",
                "Orders and yields were frozen only after this round appeared, so they could have been chosen to fit it. "
                "Declare the draw void and name a later round.",
            )
        audit.record(session, "tell_beacon", by=by, subject=("pool", pool_id), detail={"origin": origin})
        _know(session, draw, told, by=by, at=at)


def void_draw(db: Db, pool_id: int, reason: str, *, beacon: Round | None = None, by: int, at: datetime) -> None:
    """Declare a draw void that cannot come to anything, and begin another of its kind; the frozen inputs stay.

    Raises `not_asked`, `not_frozen`, `reason_missing`, `known`, `round_missing` and `round_too_early`.
    """
    with db.begin() as session:
        _locked(session, pool_id)
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say why the draw is void. Everybody can read it.", field="reason")
        draw = draws.latest(session, pool_id)
        if draw is None:
            raise RuleBroken("not_asked", "This pool draws from its season's secret; that draw cannot be void.")
        if draw.value is not None:
            raise RuleBroken("known", "This draw is known already, so it stands.")
        _frozen(session, pool_id)
        draw.voided_at, draw.voided_by, draw.void_reason = at, by, reason.strip()
        session.add(_named(pool_id, draw.n + 1, draw.kind, beacon, after=at, by=by, at=at))
        detail = {"draw": draw.n, "reason": reason.strip()}
        audit.record(session, "void_draw", by=by, subject=("pool", pool_id), detail=detail)


def reveal_season(db: Db, season_id: int, *, field_key: bytes, by: int, at: datetime) -> str:
    """Tell what a season's draws came from, in hexadecimal, once it has ended and each pool is published; twice is once.

    Raises `season_goes_on` and `pools_unpublished`.
    """
    with db.begin() as session:
        season = session.get(Season, season_id, with_for_update=True)
        if season is None:
            raise NotFound
        told = session.get(SeasonSecret, season_id)
        if told is not None:
            return told.secret.hex()
        if local_day(at, policy.current(session, "zone", at=at)) <= season.ends:
            raise RuleBroken("season_goes_on", f"{season.name} has not ended yet; its draws could be foreseen.")
        waiting = session.scalar(_UNPUBLISHED, {"season": season_id})
        if waiting is not None:
            raise RuleBroken("pools_unpublished", f"{waiting} is not published yet. Its draw could be foreseen.")
        secret = draw_secret(seasons.season_secret(session, season_id, field_key))
        assert hashlib.sha256(secret).hexdigest() == season.secret_hash
        session.add(SeasonSecret(season_id=season_id, secret=secret, revealed_at=at, revealed_by=by))
        audit.record(session, "reveal_season", by=by, subject=("season", season_id))
        return secret.hex()


_UNPUBLISHED = text("""
SELECT p.name FROM pool p
 WHERE p.season_id = :season AND p.opened_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM allocation_run r WHERE r.pool_id = p.id AND r.state = 'published')
 ORDER BY p.closes_at LIMIT 1
""")

_FROZEN = text("SELECT frozen_at, input_digest FROM allocation_run WHERE pool_id = :pool AND state = 'waiting'")


def _locked(session: Session, pool_id: int) -> Pool:
    pool = session.get(Pool, pool_id, with_for_update=True)
    if pool is None:
        raise NotFound
    return pool


def _named(pool_id: int, n: int, kind: str, beacon: Round | None, *, after: datetime, by: int, at: datetime) -> Draw:
    draw = Draw(pool_id=pool_id, n=n, kind=kind, named_at=at, named_by=by)
    if kind == "beacon":
        if beacon is None or not beacon.chain or not beacon.number:
            raise RuleBroken(
                "round_missing", "Say which round of which beacon counts, and when it appears.", field="number"
            )
        if beacon.appears_at <= after:
            sentence = "This round appears too early: orders and yields must stand before it. Name a later one."
            raise RuleBroken("round_too_early", sentence, field="appears_at")
        draw.chain, draw.round, draw.round_at = beacon
    return draw


def _latest(session: Session, pool_id: int, kind: str) -> Draw:
    draw = draws.latest(session, pool_id)
    if draw is None or draw.kind != kind:
        raise RuleBroken("not_asked", "This pool draws its seed in another way.")
    return draw


def _open_draw(session: Session, pool_id: int, kind: str) -> Draw:
    draw = _latest(session, pool_id, kind)
    if draw.value is not None:
        raise RuleBroken("too_late", "This draw is known already.")
    return draw


def _own(session: Session, draw: Draw, person_id: int) -> Witness | None:
    return next((one for one in draws.witnesses(session, draw) if one.person_id == person_id), None)


def _frozen(session: Session, pool_id: int) -> Any:
    """Give when a waiting run published which inputs; before that nothing may be known."""
    run = session.execute(_FROZEN, {"pool": pool_id}).first()
    if run is None:
        raise RuleBroken(
            "not_frozen",
            "Orders and yields are not frozen yet. Share the pool out first; it then waits for the seed.",
        )
    return run


def _know(session: Session, draw: Draw, value: bytes, *, by: int, at: datetime) -> None:
    draws.know(session, draw, value, _frozen(session, draw.pool_id).input_digest, by=by, at=at)
    allocation.go_on(session, draw.pool_id)
    detail = {"draw": draw.n, "source": value.hex()}
    audit.record(session, "know_source", by=by, subject=("pool", draw.pool_id), detail=detail)


def _hexadecimal(typed: str, field: str) -> bytes:
    digits = typed.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise RuleBroken("bad_hexadecimal", "This must be 64 hexadecimal digits, 0 to 9 and a to f.", field=field)
    return bytes.fromhex(digits)
