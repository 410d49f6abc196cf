"""What the form for new terms says of the maker."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class TermsPage:
    artisan_id: int
    artisan: str


def terms_page(session: Session, artisan_id: int) -> TermsPage:
    """Return the maker whom new terms are asked for; one that left counts as unknown."""
    row = session.execute(
        text("SELECT id, name FROM artisan WHERE id = :id AND left_at IS NULL"), {"id": artisan_id}
    ).first()
    if row is None:
        raise NotFound
    return TermsPage(*row)
