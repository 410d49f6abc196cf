"""A household's payment by card, as it stands."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class CardPage:
    id: int
    purpose: str
    amount_minor: int
    url: str
    is_paid: bool


def card_page(session: Session, payment_id: int, household_id: int) -> CardPage:
    """Return a payment of this household."""
    row = session.execute(
        text(
            "SELECT id, purpose, amount_minor, coalesce(url, '') AS url, entry_id IS NOT NULL AS is_paid FROM card_payment"
            " WHERE id = :id AND household_id = :household"
        ),
        {"id": payment_id, "household": household_id},
    ).first()
    if row is None:
        raise NotFound
    return CardPage(*row)
