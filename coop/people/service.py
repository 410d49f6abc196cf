"""Join, belong, and be given roles; passwords and links that work once."""

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import BigInteger, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.core import roles
from coop.core.errors import NotFound, RuleBroken
from coop.core.passwords import refuse_weak
from coop.db import Db, copy_rows, take_ids
from coop.notices import service as notices
from coop.people.models import Belonging, Household, OneTimeToken, Person, RoleGrant
from coop.policy import service as policy

HASHES: Final = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
"""argon2id as OWASP asks at least: a rush of sign-ins on a small machine is our normal case."""

TOKEN_LIVES: Final = {
    "reset_password": timedelta(minutes=10),
    "confirm_email": timedelta(days=2),
    "first_admin": timedelta(days=1),
    "new_address": timedelta(hours=2),
    "undo_address": timedelta(days=7),
}
"""How long a link lives, by its purpose; what follows a colon there names a row."""


def join(
    db: Db, *, name: str, email: str, password: str, household_name: str, at: datetime, origin: str | None = None
) -> int:
    """Make a person with a household of their own; the mail address is taken as theirs."""
    with db.begin() as session:
        person_id = new_person(session, name=name, email=email, at=at)
        set_password(session, person_id, password, at=at)
        belong(session, person_id, new_household(session, household_name), at=at)
        audit.record(session, "join", by=person_id, subject=("person", person_id), origin=origin)
    return person_id


def email_key(email: str) -> str:
    """Return the form in which addresses are compared."""
    return unicodedata.normalize("NFC", email.strip()).casefold()


def new_person(session: Session, *, name: str, email: str, at: datetime) -> int:
    """Write a person without a password, or refuse an address that somebody has."""
    row = insert(Person).values(email=email.strip(), email_key=email_key(email), name=name, joined_at=at)
    person_id = session.execute(row.on_conflict_do_nothing().returning(Person.id)).scalar()
    if person_id is None:
        raise RuleBroken("email_taken", "Somebody of the co-op has this mail address already.", field="email")
    return person_id


def new_household(session: Session, name: str, *, reference: str | None = None) -> int:
    """Write a household; `reference` is its number in files brought in."""
    household = Household(name=name, reference=reference)
    session.add(household)
    session.flush()
    return household.id


def belong(session: Session, person_id: int, household_id: int, *, at: datetime) -> None:
    """Let a person belong to a household from now on; nobody belongs to two."""
    row = insert(Belonging).values(person_id=person_id, household_id=household_id, since=at)
    if session.execute(row.on_conflict_do_nothing().returning(Belonging.id)).first() is None:
        raise RuleBroken("already_member", "This person belongs to a household already.")


def lock_household(session: Session, household_id: int) -> Household:
    """Hold a household against other acts on it until commit; refuse one that has left."""
    household = session.get(Household, household_id, with_for_update=True)
    if household is None:
        raise NotFound
    if household.left_at is not None:
        raise RuleBroken("household_left", f"{household.name} has left the co-op.")
    return household


def tell_household(session: Session, key: str, template: str, household_id: int, values: dict[str, Any]) -> None:
    """Tell each person of a household the same by mail."""
    belonging = (Belonging.household_id == household_id, Belonging.ended_at.is_(None), Person.left_at.is_(None))
    people = session.execute(select(Person.id, Person.email, Person.name).join(Belonging).where(*belonging))
    for person in people.all():
        tell_person(session, f"{key}:{person.id}", template, person.id, person.email, values | {"name": person.name})


def tell_person(
    session: Session, key: str, template: str, person_id: int, address: str, values: dict[str, Any]
) -> None:
    """Tell one person something by mail."""
    notices.tell(session, key, template, person_id=person_id, address=address, values=values)


def set_password(session: Session, person_id: int, password: str, *, at: datetime) -> None:
    """Give a person a new password, unless it is a weak one."""
    person = session.get_one(Person, person_id)
    known = (str(policy.current(session, "coop_name", at=at)), person.email, "smallbatch")
    refuse_weak(password, common=common_passwords(), known=known)
    person.password_hash, person.password_set_at = HASHES.hash(password), at


def confirm_password(session: Session, person_id: int, password: str) -> bool:
    """Whether this is the person's password; it takes as long for a person who has none."""
    return is_password(password, session.scalar(select(Person.password_hash).where(Person.id == person_id)))


def is_password(password: str, kept: str | None) -> bool:
    """Compare with what is kept, spending the same time where nothing is kept."""
    nobodys = _nobodys_hash()
    return HASHES.verify(password, kept or nobodys) and kept is not None


def issue_token(session: Session, person_id: int, purpose: str, at: datetime) -> str:
    """Make a link's token that works once; only its digest is kept, so it is made when the mail is sent."""
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(
            purpose=purpose,
            token_hash=token_hash(token),
            person_id=person_id,
            made_at=at,
            expires_at=at + TOKEN_LIVES[purpose.partition(":")[0]],
        )
    )
    return token


def redeem_token(session: Session, purpose: str, token: str, *, at: datetime) -> int:
    """Use a token up, with all others of its person for the same purpose; return the person's id."""
    row = session.scalar(
        select(OneTimeToken)
        .where(OneTimeToken.token_hash == token_hash(token), OneTimeToken.purpose == purpose)
        .with_for_update()
    )
    if row is None or row.person_id is None or row.used_at is not None or row.expires_at < at:
        raise RuleBroken("link_over", "This link was used already, or is too old. Please ask for a new one.")
    others = OneTimeToken.person_id == row.person_id, OneTimeToken.purpose == purpose, OneTimeToken.used_at.is_(None)
    for unused in session.scalars(select(OneTimeToken).where(*others)):
        unused.used_at = at
    return row.person_id


def token_hash(token: str) -> bytes:
    """Return what the database keeps of a random token."""
    return hashlib.sha256(token.encode()).digest()


def grant_role(db: Db, person_id: int, role: str, *, artisan_id: int | None = None, by: int, at: datetime) -> int:
    """Let a person act as packer, treasurer or admin, or for an artisan; granting what is held changes nothing."""
    with db.begin() as session:
        return give_role(session, person_id, role, artisan_id=artisan_id, by=by, at=at)


def give_role(session: Session, person_id: int, role: str, *, artisan_id: int | None, by: int, at: datetime) -> int:
    """Write the grant of a role within the caller's act."""
    if role not in roles.ROLES - {roles.MEMBER} or (role == roles.ARTISAN) != (artisan_id is not None):
        raise RuleBroken("unknown_role", "Please choose one of the roles that can be given.", field="role")
    person = session.get(Person, person_id, with_for_update=True)
    if person is None or person.left_at is not None:
        raise NotFound
    held = select(RoleGrant.id).where(
        RoleGrant.person_id == person_id,
        RoleGrant.role == role,
        RoleGrant.artisan_id.is_not_distinct_from(artisan_id),
        RoleGrant.ended_at.is_(None),
    )
    if (grant_id := session.scalar(held)) is not None:
        return grant_id
    grant = RoleGrant(person_id=person_id, role=role, artisan_id=artisan_id, granted_by=by, granted_at=at)
    session.add(grant)
    session.flush()
    detail = {"role": role, "artisan_id": artisan_id}
    audit.record(session, "grant_role", by=by, subject=("person", person_id), detail=detail)
    return grant.id


def end_role(db: Db, grant_id: int, *, by: int, at: datetime) -> int:
    """Take a role away; the last admin's stays, or nobody could give it to anybody again."""
    with db.begin() as session:
        admins = select(RoleGrant).where(RoleGrant.role == roles.ADMIN, RoleGrant.ended_at.is_(None))
        current = session.scalars(admins.order_by(RoleGrant.id).with_for_update()).all()
        grant = session.get(RoleGrant, grant_id, with_for_update=True)
        if grant is None:
            raise NotFound
        if grant.ended_at is not None:
            return grant_id
        if [admin.id for admin in current] == [grant_id]:
            raise RuleBroken("last_admin", "This is the co-op's only admin; make somebody else one first.")
        grant.ended_at, grant.ended_by = at, by
        detail = {"role": grant.role, "artisan_id": grant.artisan_id}
        audit.record(session, "end_role", by=by, subject=("person", grant.person_id), detail=detail)
    return grant_id


@cache
def common_passwords() -> frozenset[str]:
    """Return the words and passwords that are tried first."""
    lines = Path(__file__).with_name("common_passwords.txt").read_text("ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


@cache
def _nobodys_hash() -> str:
    return HASHES.hash(secrets.token_urlsafe(16))


def tell_households(
    session: Session, key: str, template: str, household_ids: Sequence[int], values: dict[str, Any]
) -> None:
    """Queue one mail to each person of many households."""
    persons = session.execute(
        select(Person.id, Person.email)
        .join(Belonging, Belonging.person_id == Person.id)
        .where(
            Belonging.household_id == any_(literal(household_ids, ARRAY(BigInteger))),
            Belonging.ended_at.is_(None),
            Person.left_at.is_(None),
        )
        .order_by(Person.id)
    )
    for person_id, address in persons:
        notices.tell(session, f"{key}:{person_id}", template, person_id=person_id, address=address, values=values)


def speaks_for(session: Session, person_id: int, artisan_id: int) -> bool:
    """Whether a person speaks for a workshop now."""
    held = RoleGrant.person_id == person_id, RoleGrant.artisan_id == artisan_id, RoleGrant.ended_at.is_(None)
    return session.scalar(select(RoleGrant.id).where(*held).limit(1)) is not None


def refuse_own_workshop(session: Session, person_id: int, artisan_id: int) -> None:
    """Refuse to let count what a workshop asked for to one who speaks for it. Raises `second_person`."""
    if speaks_for(session, person_id, artisan_id):
        raise RuleBroken("second_person", "Somebody who does not belong to this workshop lets it count.")


def tell_artisan(session: Session, key: str, template: str, artisan_id: int, values: dict[str, Any]) -> None:
    """Queue one mail to each person who speaks for a workshop now."""
    tell_artisans(session, template, [(key, artisan_id, values)])


def tell_artisans(session: Session, template: str, letters: Sequence[tuple[str, int, dict[str, Any]]]) -> None:
    """Queue one mail to each person who speaks now for the workshop of each letter: its key, the workshop, the values."""
    artisan_ids = literal([artisan_id for _, artisan_id, _ in letters], ARRAY(BigInteger))
    persons = session.execute(
        select(RoleGrant.artisan_id, Person.id, Person.email)
        .join(Person, RoleGrant.person_id == Person.id)
        .where(RoleGrant.artisan_id == any_(artisan_ids), RoleGrant.ended_at.is_(None), Person.left_at.is_(None))
        .order_by(Person.id)
    )
    speaking: dict[int | None, list[tuple[int, str]]] = {}
    for artisan_id, person_id, address in persons:
        speaking.setdefault(artisan_id, []).append((person_id, address))
    for key, artisan_id, values in letters:
        for person_id, address in speaking.get(artisan_id, ()):
            notices.tell(session, f"{key}:{person_id}", template, person_id=person_id, address=address, values=values)


def tell_role(session: Session, key: str, template: str, role: str, values: dict[str, Any]) -> None:
    """Queue one mail to each person who holds a role now."""
    persons = session.execute(
        select(Person.id, Person.email)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.role == role, RoleGrant.ended_at.is_(None), Person.left_at.is_(None))
        .order_by(Person.id)
    )
    for person_id, address in persons:
        notices.tell(session, f"{key}:{person_id}", template, person_id=person_id, address=address, values=values)


def bring_in_households(session: Session, references: Sequence[str], *, joined_at: datetime) -> Sequence[int]:
    """Write many households, named by their numbers in the files; return their ids in the same order."""
    ids = take_ids(session, "household", len(references))
    rows = ((i, reference, reference, joined_at) for i, reference in zip(ids, references, strict=True))
    copy_rows(session, "household", ("id", "name", "reference", "joined_at"), rows)
    return ids
