"""TEMPORARY"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.notices import service as notices
from coop.people.models import Belonging, Household, Person


def lock_household(session: Session, household_id: int) -> None:
    row = session.scalar(
        select(Household).where(Household.id == household_id, Household.left_at.is_(None)).with_for_update()
    )
    if row is None:
        raise NotFound


def tell_household(session: Session, key: str, template: str, household_id: int, values: dict[str, Any]) -> None:
    for p in session.scalars(
        select(Person).join(Belonging).where(Belonging.household_id == household_id, Belonging.ended_at.is_(None))
    ):
        notices.tell(session, f"{key}:{p.id}", template, person_id=p.id, address=p.email, values=values)
