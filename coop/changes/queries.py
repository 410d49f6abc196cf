"""Awards of a published pool that were changed by hand, under pseudonyms, as its proof has them."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.claimants import pseudonym
from coop.core.override_record import digest_of_reason


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """An award changed by hand before publishing, under its pseudonym."""

    batch: str
    name: str
    computed: int
    pieces: int
    reason_digest: str


# of the first version: a batch that was corrected goes by the rule again, but its proof still begins with the change
_BY_HAND = text("""
SELECT b.lot_number, d.family, o.household_id, v.computed, v.pieces, v.reason
  FROM allocation_run u JOIN award_override v ON v.run_id = u.id AND v.state = 'approved' AND v.pieces <> v.computed
  JOIN order_line l ON l.id = v.line_id JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = v.offering_id JOIN batch b ON b.id = f.batch_id JOIN product d ON d.id = f.product_id
 WHERE u.pool_id = :pool AND u.state IN ('published', 'superseded')
 ORDER BY b.lot_number COLLATE "C", v.line_id LIMIT 200
""")


def changed_by_hand(session: Session, pool_id: int, secret: bytes) -> list[ChangedRow]:
    """Return what was changed by hand in a published pool, at most 200 awards; `secret` is the season's."""
    return [
        ChangedRow(lot, pseudonym(secret, family, household), computed, pieces, digest_of_reason(reason))
        for lot, family, household, computed, pieces, reason in session.execute(_BY_HAND, {"pool": pool_id})
    ]
