"""Take the second step of signing in, prove afresh, and set up or end second factors."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop.access import service as access
from coop.access.models import SignIn
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.core.roles import Viewer
from coop.db import Db
from coop.factors import queries as known
from coop.factors import service as factors
from coop.formats import passkeys
from coop.formats.passkeys import Place
from coop.people import service as people
from coop.people.models import Person


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody gives to show who they are: a code of an app or of the paper, a passkey's answer, or the password."""

    code: str = ""
    answer: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """What proving needs of the installation."""

    field_key: bytes
    place: Place | None


@dataclass(frozen=True, slots=True)
class Changed:
    """A factor taken in: the session's new token, and recovery codes to be shown once if there were none."""

    token: str
    recovery_codes: list[str]


def take_second_step(db: Db, token: str, proof: Proof, *, house: House, at: datetime, origin: str | None) -> str:
    """Let a sign-in count by its second factor; return the session's new token.

    Raises `too_late` ten minutes after the password, and `wrong_code` or `wrong_passkey`.
    """
    with db.begin() as session:
        row = access.waiting_sign_in(session, token, at=at)
        kind = _prove(session, row, proof, house=house, at=at)
        renewed = access.renew(row, at=at)
        row.challenge = access.new_challenge()
        audit.record(session, "sign_in", by=row.person_id, subject=("person", row.person_id), detail={"by": kind}, origin=origin)  # fmt: skip
    return renewed


def confirm(db: Db, sign_in_id: int, proof: Proof, *, house: House, by: int, at: datetime) -> str:
    """Prove again who one is, for acts that ask for it: by the second factor, or by the password where there is none.

    Return the session's new token.
    """
    with db.begin() as session:
        row = access.own_sign_in(session, sign_in_id, by=by)
        if factors.has_factor(session, by):
            _prove(session, row, proof, house=house, at=at)
        elif not people.confirm_password(session, by, proof.password):
            raise RuleBroken("wrong_password", "This is not your password.", field="password")
        row.challenge = access.new_challenge()
        return access.renew(row, at=at)


def set_up_app(db: Db, secret: bytes, code: str, *, sign_in_id: int, house: House, by: int, at: datetime) -> Changed:
    """Take in a person's app, in place of an earlier one."""
    with db.begin() as session:
        row = access.own_sign_in(session, sign_in_id, by=by)
        factors.take_in_app(session, by, secret, code, at=at, field_key=house.field_key)
        return _changed(session, row, "app_set_up", house=house, at=at)


def set_up_passkey(db: Db, name: str, answer: str, *, sign_in_id: int, house: House, by: int, at: datetime) -> Changed:
    """Take in a passkey that the browser made."""
    assert house.place is not None, "passkeys are offered only where they work"
    with db.begin() as session:
        row = access.own_sign_in(session, sign_in_id, by=by)
        made = passkeys.read_made(answer, house.place, row.challenge)
        factors.take_in_passkey(session, by, name, made, at=at)
        row.challenge = access.new_challenge()
        return _changed(session, row, "passkey_set_up", house=house, at=at)


def renew_recovery_codes(db: Db, *, house: House, by: int, at: datetime) -> list[str]:
    """Make new recovery codes in place of the old; they are shown once."""
    with db.begin() as session:
        if not factors.has_factor(session, by):
            raise RuleBroken("no_factor", "Recovery codes stand in for an app or a passkey. Set one of these up first.")
        codes = factors.renew_recovery_codes(session, by, at=at, field_key=house.field_key)
        audit.record(session, "renew_recovery_codes", by=by, subject=("person", by))
        _tell_of_change(session, by, "recovery_codes_renewed", at=at)
    return codes


def end_own_app(db: Db, *, sign_in_id: int, rights: Viewer, at: datetime) -> int:
    """Let one's own app no longer count; refused where the person's rights need a second factor and this is the last."""
    with db.begin() as session:
        factors.end_app(session, rights.person_id, at=at)
        return _ended(session, sign_in_id, "app_ended", rights=rights, at=at)


def end_own_passkey(db: Db, passkey_id: int, *, sign_in_id: int, rights: Viewer, at: datetime) -> int:
    """Let one of one's own passkeys no longer count; refused where the person's rights need one and this is the last."""
    with db.begin() as session:
        factors.end_passkey(session, rights.person_id, passkey_id, at=at)
        return _ended(session, sign_in_id, "passkey_ended", rights=rights, at=at)


def end_lost_factors(db: Db, person_id: int, *, by: int, at: datetime) -> int:
    """End all second factors and sign-ins of somebody who lost them; return how many factors there were.

    Somebody else does it for them, so that a stolen session cannot. The person is told, still
    needs their password, and sets a second factor up anew when next they sign in.
    """
    with db.begin() as session:
        person = session.get(Person, person_id)
        if person is None or person.left_at is not None:
            raise NotFound
        if person_id == by:
            raise RuleBroken(
                "second_person", "Somebody else has to do this for you: another admin, or the command line."
            )
        return _end_lost(session, person_id, by=by, at=at)


def end_lost_factors_of(db: Db, email: str, *, at: datetime) -> int:
    """Do the same from the command line, for the holder of a mail address. Raises `unknown_email`."""
    with db.begin() as session:
        known = Person.email_key == people.email_key(email), Person.left_at.is_(None)
        person_id = session.scalar(select(Person.id).where(*known))
        if person_id is None:
            raise RuleBroken("unknown_email", "Nobody of the co-op has this mail address.")
        return _end_lost(session, person_id, by=0, at=at)


def _end_lost(session: Session, person_id: int, *, by: int, at: datetime) -> int:
    ended = factors.end_all(session, person_id, at=at)
    access.end_all(session, person_id, at=at)
    audit.record(session, "end_lost_factors", by=by, subject=("person", person_id), detail={"ended": ended})
    _tell(session, person_id, "factors_removed", at=at)
    return ended


def _prove(session: Session, row: SignIn, proof: Proof, *, house: House, at: datetime) -> str:
    """Check a second factor; return which it was."""
    if proof.answer and house.place is not None:
        key = factors.passkey_of(session, row.person_id, passkeys.signer(proof.answer))
        known_key: dict[str, Any] = {"public_key": key.public_key, "sign_count": key.sign_count}
        key.sign_count = passkeys.read_signed(proof.answer, house.place, row.challenge, **known_key)
        key.used_at = at
        return "passkey"
    kind = factors.use_code(session, row.person_id, proof.code, at=at, field_key=house.field_key)
    if kind == "recovery":
        left = known.factors_of(session, row.person_id).recovery_codes
        _tell(session, row.person_id, "recovery_code_used", at=at, left=left)
    return kind


def _changed(session: Session, row: SignIn, act: str, *, house: House, at: datetime) -> Changed:
    """End the person's other sign-ins, tell them, and make recovery codes where they have none."""
    person_id = row.person_id
    access.end_all(session, person_id, but=row.id, at=at)
    audit.record(session, act, by=person_id, subject=("person", person_id))
    _tell_of_change(session, person_id, act, at=at)
    has_codes = known.factors_of(session, person_id).recovery_codes
    codes = [] if has_codes else factors.renew_recovery_codes(session, person_id, at=at, field_key=house.field_key)
    return Changed(access.renew(row, at=at), codes)


def _ended(session: Session, sign_in_id: int, act: str, *, rights: Viewer, at: datetime) -> int:
    by = rights.person_id
    if known.needs_factor(session, rights) and not factors.has_factor(session, by):
        raise RuleBroken("last_factor", "Your role needs a second step. Set up another way first, then end this one.")
    access.end_all(session, by, but=sign_in_id, at=at)
    audit.record(session, act, by=by, subject=("person", by))
    _tell_of_change(session, by, act, at=at)
    return by


def _tell_of_change(session: Session, person_id: int, what: str, *, at: datetime) -> None:
    _tell(session, person_id, "factor_changed", at=at, what=what)


def _tell(session: Session, person_id: int, template: str, *, at: datetime, **more: int | str) -> None:
    person = session.get_one(Person, person_id)
    values = {"name": person.name, "at": at.isoformat(), **more}
    people.tell_person(session, f"{template}:{secrets.token_hex(8)}", template, person_id, person.email, values)
