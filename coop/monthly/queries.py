"""What a household sees when it plans to pay a share monthly."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.payment_reference import SHARE, PaymentReference
from coop.formats.iban import grouped


@dataclass(frozen=True, slots=True)
class MonthlyPage:
    """`months` is what was agreed before, None for nothing."""

    share_id: int
    words: str
    ends: date
    open_minor: int
    months: int | None
    reference: str


def monthly_page(session: Session, share_id: int, household_id: int) -> MonthlyPage:
    """Return a share of a household that is still to be paid."""
    row = session.execute(_SHARE, {"id": share_id, "household": household_id}).first()
    if row is None:
        raise NotFound
    reference = grouped(PaymentReference(SHARE, share_id).written())
    return MonthlyPage(share_id, row.words, row.ends, row.open, row.months, reference)


_SHARE = text("""
SELECT z.name || ' share, ' || n.name AS words, n.ends, p.months,
       (SELECT coalesce(sum(i.amount_minor), 0) FROM instalment i WHERE i.share_id = s.id AND i.released_at IS NULL)::bigint AS open
  FROM season_share s
  JOIN share_size z ON z.id = s.size_id
  JOIN season n ON n.id = z.season_id
  LEFT JOIN standing_payment p ON p.share_id = s.id AND p.ended_at IS NULL
 WHERE s.id = :id AND s.household_id = :household AND s.ended_at IS NULL
""")
