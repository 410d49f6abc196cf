"""The proof of a published pool, and what somebody needs who checks it."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.allocation.queries import proof_of_run, pseudonym
from coop.core.errors import NotFound
from coop.seasons import service as seasons


@dataclass(frozen=True, slots=True)
class VerifyPage:
    """`names` are what the viewer's own household is called in the file, by family of products."""

    pool_id: int
    pool: str
    season: str
    rule: str
    secret_hash: str
    input_digest: str
    result_digest: str
    file_name: str
    names: list[tuple[str, str]]


_PUBLISHED = text("""
SELECT p.id, p.name, s.name AS season, s.secret_hash, r.id AS run_id, r.rule, r.input_digest, r.result_digest
  FROM pool p
  JOIN season s ON s.id = p.season_id
  JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
 WHERE p.id = :pool
""")

_FAMILIES = text("""
SELECT DISTINCT d.family
  FROM household_order o
  JOIN order_line l ON l.order_id = o.id AND l.up_to > 0
  JOIN offering f ON f.id = l.offering_id
  JOIN product d ON d.id = f.product_id
 WHERE o.pool_id = :pool AND o.household_id = :household
 ORDER BY 1
""")


def verify_page(session: Session, pool_id: int, household_id: int | None, *, field_key: bytes) -> VerifyPage:
    """Return what a stranger needs to check a published pool, and a member's own names in it."""
    pool = _published(session, pool_id)
    return VerifyPage(
        pool_id=pool_id,
        pool=pool.name,
        season=pool.season,
        rule=pool.rule,
        secret_hash=pool.secret_hash,
        input_digest=pool.input_digest,
        result_digest=pool.result_digest,
        file_name=_file_name(pool),
        names=names_of(session, pool_id, household_id, field_key=field_key) if household_id else [],
    )


def names_of(session: Session, pool_id: int, household_id: int, *, field_key: bytes) -> list[tuple[str, str]]:
    """Return what a household is called in the proof of a pool: one name for each family of products it ordered."""
    families = session.scalars(_FAMILIES, {"pool": pool_id, "household": household_id}).all()
    if not families:
        return []
    season_id = session.execute(text("SELECT season_id FROM pool WHERE id = :pool"), {"pool": pool_id}).scalar_one()
    secret = seasons.season_secret(session, season_id, field_key)
    return [(family, pseudonym(secret, family, household_id)) for family in families]


def proof_file(session: Session, pool_id: int, *, field_key: bytes) -> tuple[str, bytes]:
    """Return the name and the bytes of a published pool's proof."""
    pool = _published(session, pool_id)
    return _file_name(pool), proof_of_run(session, pool.run_id, field_key)


def _published(session: Session, pool_id: int) -> Any:
    pool = session.execute(_PUBLISHED, {"pool": pool_id}).first()
    if pool is None:
        raise NotFound
    return pool


def _file_name(pool: Any) -> str:
    words = re.sub("[^a-z0-9]+", "-", pool.name.lower()).strip("-") or f"pool-{pool.id}"
    return f"{words}.proof.jsonl"
