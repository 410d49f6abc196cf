"""Sign in and out, end sign-ins, change a password, and come in by a link that works once."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from coop.access.models import SignIn
from coop.audit import service as audit
from coop.core import roles
from coop.core.errors import NotFound, RuleBroken
from coop.db import Db
from coop.factors import service as factors
from coop.people import service as people
from coop.people.models import Belonging, Person

SEEN_KEPT = timedelta(minutes=1)
SECOND_STEP: Final = timedelta(minutes=10)
"""How long signing in waits for its second step."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A session begun: its token, which only the browser keeps, and whether it counts only after the second step."""

    token: str
    awaits_second_step: bool


def sign_in(db: Db, email: str, password: str, *, at: datetime, device: str, origin: str | None) -> Entered:
    """Check the password and start a session; for a person with a second factor it opens nothing until that is given.

    An address nobody has is answered in the same words and as slowly as a wrong password.
    """
    with db() as session:
        known = (Person.email_key == people.email_key(email), Person.left_at.is_(None))
        person = session.execute(select(Person.id, Person.password_hash).where(*known)).first()
    if not people.is_password(password, person.password_hash if person else None) or person is None:
        raise RuleBroken("wrong_password", "The mail address and the password do not go together.")
    with db.begin() as session:
        if people.HASHES.current_hasher.check_needs_rehash(person.password_hash):
            session.execute(
                update(Person).where(Person.id == person.id).values(password_hash=people.HASHES.hash(password))
            )
        waits = factors.has_factor(session, person.id)
        token = _start(session, person.id, at=at, device=device, origin=origin, waits=waits)
        act = "sign_in_first_step" if waits else "sign_in"
        audit.record(session, act, by=person.id, subject=("person", person.id), origin=origin)
    return Entered(token, waits)


def waiting_sign_in(session: Session, token: str, *, at: datetime) -> SignIn:
    """Return the sign-in of a token that waits for its second step, held until commit. Raises `too_late`."""
    row = session.scalar(select(SignIn).where(SignIn.token_hash == people.token_hash(token)).with_for_update())
    if row is None or row.ended_at is not None or row.let_in_at is not None or at - row.started_at > SECOND_STEP:
        raise RuleBroken("too_late", "This took longer than ten minutes. Please sign in anew, with your password.")
    return row


def own_sign_in(session: Session, sign_in_id: int, *, by: int) -> SignIn:
    """Return a sign-in of the person's own, held until commit."""
    row = session.get(SignIn, sign_in_id, with_for_update=True)
    if row is None or row.person_id != by or row.ended_at is not None:
        raise NotFound
    return row


def renew(row: SignIn, *, at: datetime) -> str:
    """Take note that it is the person: the session goes on under a new token, and is fresh."""
    token = secrets.token_urlsafe(32)
    row.token_hash, row.confirmed_at = people.token_hash(token), at
    row.let_in_at = row.let_in_at or at
    return token


def new_challenge() -> bytes:
    """Return what a passkey is asked to sign."""
    return secrets.token_bytes(32)


def sign_out(db: Db, sign_in_id: int, *, by: int, at: datetime) -> int:
    """End one of the person's own sign-ins; ending it twice changes nothing."""
    with db.begin() as session:
        row = session.get(SignIn, sign_in_id, with_for_update=True)
        if row is None or row.person_id != by:
            raise NotFound
        if row.ended_at is None:
            row.ended_at = at
            audit.record(session, "sign_out", by=by, subject=("sign_in", sign_in_id))
    return sign_in_id


def end_sign_ins(db: Db, person_id: int, *, but: int | None = None, by: int, at: datetime) -> int:
    """End all sign-ins of a person, but for one if named; return how many there were."""
    with db.begin() as session:
        ended = end_all(session, person_id, but=but, at=at)
        audit.record(session, "end_sign_ins", by=by, subject=("person", person_id), detail={"ended": ended})
    return ended


def end_all(session: Session, person_id: int, *, but: int | None = None, at: datetime) -> int:
    """End the sign-ins of a person, but for one if named; return how many there were."""
    ended = session.execute(
        text(
            "UPDATE sign_in SET ended_at = :at WHERE person_id = :person AND ended_at IS NULL"
            " AND id IS DISTINCT FROM CAST(:but AS bigint) RETURNING id"
        ),
        {"at": at, "person": person_id, "but": but},
    )
    return len(ended.all())


def note_seen(db: Db, sign_in_id: int, *, at: datetime) -> None:
    """Keep, to the minute, when a session was last used."""
    with db.begin() as session:
        session.execute(
            update(SignIn)
            .where(SignIn.id == sign_in_id, SignIn.seen_at <= at - SEEN_KEPT, SignIn.ended_at.is_(None))
            .values(seen_at=at)
        )


def change_password(db: Db, old: str, new: str, *, but: int, by: int, at: datetime) -> int:
    """Change one's own password; all other sign-ins end, and the person is told."""
    with db.begin() as session:
        if not people.confirm_password(session, by, old):
            raise RuleBroken("wrong_password", "This is not your present password.", field="present")
        people.set_password(session, by, new, at=at)
        end_all(session, by, but=but, at=at)
        _tell_of_change(session, by, at=at)
        audit.record(session, "change_password", by=by, subject=("person", by))
    return by


def ask_for_reset(db: Db, email: str, *, origin: str | None) -> None:
    """Mail a link for a new password; an address nobody has gets a mail as well, so that asking tells nothing."""
    with db.begin() as session:
        known = Person.email_key == people.email_key(email), Person.left_at.is_(None)
        person = session.execute(select(Person.id, Person.email, Person.name).where(*known)).first()
        key = f"reset_password:{secrets.token_hex(8)}"
        if person is None:
            people.tell_person(session, key, "reset_unknown", 0, email, {})
        else:
            values = {"name": person.name, "one_time": "reset_password"}
            people.tell_person(session, key, "reset_password", person.id, person.email, values)
        audit.record(session, "ask_for_reset", by=0, subject=("person", person.id if person else 0), origin=origin)


def reset_password(db: Db, token: str, password: str, *, at: datetime, origin: str | None) -> str:
    """Set a password by the link that was mailed; all sign-ins end. Return the person's mail address."""
    with db.begin() as session:
        person_id = people.redeem_token(session, "reset_password", token, at=at)
        people.set_password(session, person_id, password, at=at)
        end_all(session, person_id, at=at)
        _tell_of_change(session, person_id, at=at)
        audit.record(session, "reset_password", by=person_id, subject=("person", person_id), origin=origin)
        return session.get_one(Person, person_id).email


def ask_to_join(db: Db, email: str, *, at: datetime, origin: str | None) -> None:
    """Mail a link to finish joining; whose address is known already gets a mail that says so, and the page tells neither."""
    with db.begin() as session:
        known = Person.email_key == people.email_key(email)
        person = session.execute(select(Person.id, Person.name, Person.password_hash).where(known)).first()
        person_id = person.id if person else _newcomer(session, email, at=at)
        if person is not None and person.password_hash is not None:
            template, values = "already_joined", {"name": person.name}
        else:
            template, values = "finish_joining", {"one_time": "confirm_email"}
        people.tell_person(session, f"join:{secrets.token_hex(8)}", template, person_id, email, values)
        audit.record(session, "ask_to_join", by=0, subject=("person", person_id), origin=origin)


def finish_joining(
    db: Db, token: str, *, name: str, household_name: str, password: str, at: datetime, origin: str | None
) -> str:
    """Join by the link that was mailed: a name, a household and a password. Return the person's mail address."""
    with db.begin() as session:
        person = _come_in(session, "confirm_email", token, name=name, password=password, at=at)
        belongs = select(Belonging.id).where(Belonging.person_id == person.id, Belonging.ended_at.is_(None))
        if session.scalar(belongs) is None:
            people.belong(session, person.id, people.new_household(session, household_name or name), at=at)
        welcome = {"name": name, "household": household_name or name}
        people.tell_person(session, f"welcome:{person.id}", "welcome", person.id, person.email, welcome)
        audit.record(session, "join", by=person.id, subject=("person", person.id), origin=origin)
        return person.email


def first_admin(db: Db, email: str, *, at: datetime) -> str:
    """Make the token by which the holder of a mail address becomes admin; from the command line only."""
    with db.begin() as session:
        person_id = session.scalar(select(Person.id).where(Person.email_key == people.email_key(email)))
        person_id = person_id or _newcomer(session, email, at=at)
        audit.record(session, "first_admin", by=0, subject=("person", person_id))
        return people.issue_token(session, person_id, "first_admin", at)


def accept_first_admin(db: Db, token: str, *, name: str, password: str, at: datetime, origin: str | None) -> str:
    """Take the co-op over by the one-time link: a name, a password, and the role. Return the person's mail address."""
    with db.begin() as session:
        person = _come_in(session, "first_admin", token, name=name, password=password, at=at)
        people.give_role(session, person.id, roles.ADMIN, artisan_id=None, by=0, at=at)
        audit.record(session, "accept_first_admin", by=person.id, subject=("person", person.id), origin=origin)
        return person.email


def _newcomer(session: Session, email: str, *, at: datetime) -> int:
    """Write a person of whom only the mail address is known: no password, no household, no rights."""
    try:
        return people.new_person(session, name=email.partition("@")[0][:120], email=email, at=at)
    except RuleBroken:  # the same form, sent twice at once: the other one was first
        return session.scalars(select(Person.id).where(Person.email_key == people.email_key(email))).one()


def _come_in(session: Session, purpose: str, token: str, *, name: str, password: str, at: datetime) -> Person:
    person_id = people.redeem_token(session, purpose, token, at=at)
    person = session.get_one(Person, person_id, with_for_update=True)
    person.name = name
    people.set_password(session, person_id, password, at=at)
    end_all(session, person_id, at=at)
    return person


def _start(
    session: Session, person_id: int, *, at: datetime, device: str, origin: str | None, waits: bool = False
) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            token_hash=people.token_hash(token),
            person_id=person_id,
            started_at=at,
            seen_at=at,
            let_in_at=None if waits else at,
            confirmed_at=at,
            challenge=new_challenge(),
            device=device,
            origin=origin,
        )
    )
    return token


def _tell_of_change(session: Session, person_id: int, *, at: datetime) -> None:
    person = session.get_one(Person, person_id)
    values = {"name": person.name, "at": at.isoformat()}
    people.tell_person(
        session, f"password_changed:{secrets.token_hex(8)}", "password_changed", person_id, person.email, values
    )
