"""Change a mail address: the new one confirms, the old one is told and can take it back for a week."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coop.access import service as access
from coop.addresses.models import AddressChange
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.db import Db
from coop.people import service as people
from coop.people.models import Person


def ask(db: Db, person_id: int, address: str, password: str, *, at: datetime, origin: str | None) -> None:
    """Send a link to the address that a person wants, and tell the one they have.

    Whose address it is already gets a letter that says so, and the page tells neither. Raises `wrong_password` and `same_address`.
    """
    with db.begin() as session:
        person = session.get_one(Person, person_id, with_for_update=True)
        if not people.confirm_password(session, person_id, password):
            raise RuleBroken("wrong_password", "This is not your present password.", field="password")
        if people.email_key(address) == person.email_key:
            raise RuleBroken("same_address", "This is the address you have.", field="email")
        still_open = (AddressChange.person_id == person_id, AddressChange.confirmed_at.is_(None), AddressChange.undone_at.is_(None))  # fmt: skip
        session.execute(update(AddressChange).where(*still_open).values(undone_at=at))
        change = AddressChange(person_id=person_id, old_address=person.email, new_address=address, asked_at=at)
        session.add(change)
        session.flush()
        owner = session.scalar(select(Person.id).where(Person.email_key == people.email_key(address)))
        if owner is None:
            values = {"name": person.name, "change_id": change.id, "one_time": f"new_address:{change.id}"}
            people.tell_person(session, f"new_address:{change.id}", "new_address", person_id, address, values)
        else:
            people.tell_person(session, f"address_in_use:{change.id}", "address_in_use", owner, address, {})
        told = {"name": person.name, "at": at.isoformat()}
        people.tell_person(session, f"address_asked:{change.id}", "address_asked", person_id, person.email, told)
        _record(session, "ask_for_address", change, by=person_id, origin=origin)


def confirm(db: Db, change_id: int, token: str, *, at: datetime, origin: str | None) -> str:
    """Take the new address, by the link that was sent there; all sign-ins end. Return the address.

    Raises `link_over`, also where somebody else has the address by now.
    """
    with db.begin() as session:
        person_id = people.redeem_token(session, f"new_address:{change_id}", token, at=at)
        change = session.get_one(AddressChange, change_id, with_for_update=True)
        person = session.get_one(Person, person_id, with_for_update=True)
        if change.undone_at is not None or change.confirmed_at is not None or person.left_at is not None:
            raise _over()
        change.old_address = person.email
        _set(session, person, change.new_address)
        change.confirmed_at = at
        access.end_all(session, person_id, at=at)
        told = {"name": person.name, "at": at.isoformat()}
        back = told | {"change_id": change_id, "one_time": f"undo_address:{change_id}"}
        people.tell_person(session, f"address_gone:{change_id}", "address_gone", person_id, change.old_address, back)
        people.tell_person(session, f"address_changed:{change_id}", "address_changed", person_id, person.email, told)
        _record(session, "change_address", change, by=person_id, origin=origin)
        return person.email


def undo(db: Db, change_id: int, token: str, *, at: datetime, origin: str | None) -> str:
    """Take the old address back, by the link that was sent there, whatever followed since; all sign-ins end. Return the address.

    Every later change falls with it, so that nobody who took the account over can come back by theirs. Raises `link_over`.
    """
    with db.begin() as session:
        person_id = people.redeem_token(session, f"undo_address:{change_id}", token, at=at)
        change = session.get_one(AddressChange, change_id, with_for_update=True)
        person = session.get_one(Person, person_id, with_for_update=True)
        if change.undone_at is not None or person.left_at is not None:
            raise _over()
        lost = person.email
        _set(session, person, change.old_address)
        later = (AddressChange.person_id == person_id, AddressChange.id >= change_id)
        session.execute(
            update(AddressChange).where(*later).values(undone_at=func.coalesce(AddressChange.undone_at, at))
        )
        access.end_all(session, person_id, at=at)
        told = {"name": person.name, "at": at.isoformat()}
        for place, address in (("old", person.email), ("new", lost)):
            people.tell_person(session, f"address_back:{change_id}:{place}", "address_back", person_id, address, told)
        _record(session, "undo_address", change, by=person_id, origin=origin)
        return person.email


def _set(session: Session, person: Person, address: str) -> None:
    try:
        with session.begin_nested():
            person.email, person.email_key = address, people.email_key(address)
            session.flush()
    except IntegrityError as taken:
        raise _over() from taken


def _over() -> RuleBroken:
    return RuleBroken("link_over", "This link was used already, or is too old. Please ask for a new one.")


def _record(session: Session, act: str, change: AddressChange, *, by: int, origin: str | None) -> None:
    detail = {"change": change.id}
    audit.record(session, act, by=by, subject=("person", change.person_id), detail=detail, origin=origin)
