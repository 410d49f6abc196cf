"""The address that a person has, and what a link would do."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class AddressPage:
    """The address in force, and the one that waits for its link; "" where none does."""

    address: str
    waiting: str


@dataclass(frozen=True, slots=True)
class LinkPage:
    old_address: str
    new_address: str


def address_page(session: Session, person_id: int) -> AddressPage:
    """Return a person's own address."""
    address = session.scalar(text("SELECT email FROM person WHERE id = :id"), {"id": person_id})
    waits = (
        "SELECT new_address FROM address_change WHERE person_id = :id AND confirmed_at IS NULL AND undone_at IS NULL"
    )
    return AddressPage(str(address), session.scalar(text(waits), {"id": person_id}) or "")


def link_page(session: Session, change_id: int) -> LinkPage:
    """Return what a link whose token is good would change. Raises NotFound."""
    row = session.execute(
        text("SELECT old_address, new_address FROM address_change WHERE id = :id"), {"id": change_id}
    ).first()
    if row is None:
        raise NotFound
    return LinkPage(*row)
