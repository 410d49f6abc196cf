"""The pages on which people prove who they are, and where they see and change what it takes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop.access.models import SignIn
from coop.access.service import SECOND_STEP
from coop.core.roles import Viewer
from coop.factors.queries import Factors, code_now, factors_of, needs_factor
from coop.formats import codes, passkeys
from coop.people.models import Person
from coop.people.service import token_hash
from coop.policy import service as policy
from coop.proving.service import House


@dataclass(frozen=True, slots=True)
class ProofPage:
    """What can be given: `asks_passkey` is what the browser is told, or "" where there is no passkey that works here."""

    has_factor: bool
    has_app: bool
    asks_passkey: str
    is_demo: bool
    demo_code: str


@dataclass(frozen=True, slots=True)
class OverviewPage:
    factors: Factors
    is_needed: bool
    passkeys_work: bool


@dataclass(frozen=True, slots=True)
class AppPage:
    """The square for an app, the same to be typed, and the code itself in the demo."""

    square: str
    typed: str
    demo_code: str


@dataclass(frozen=True, slots=True)
class PasskeyPage:
    asks: str


def second_step_page(session: Session, token: str, *, house: House, demo: bool, at: datetime) -> ProofPage | None:
    """Return what the second step of a sign-in asks for; None where none waits any more."""
    waits = SignIn.token_hash == token_hash(token), SignIn.ended_at.is_(None), SignIn.let_in_at.is_(None)
    row = session.scalar(select(SignIn).where(*waits, SignIn.started_at >= at - SECOND_STEP))
    return None if row is None else _proof_page(session, row, house=house, demo=demo, at=at)


def confirm_page(session: Session, sign_in_id: int, *, house: House, demo: bool, at: datetime) -> ProofPage:
    """Return what is asked for when somebody proves afresh who they are."""
    return _proof_page(session, session.get_one(SignIn, sign_in_id), house=house, demo=demo, at=at)


def overview_page(session: Session, rights: Viewer, *, house: House) -> OverviewPage:
    """Return a person's second factors and whether their rights need one."""
    factors = factors_of(session, rights.person_id)
    return OverviewPage(factors, needs_factor(session, rights), house.place is not None)


def app_page(session: Session, person_id: int, secret: bytes, *, demo: bool, at: datetime) -> AppPage:
    """Return a secret as an app takes it in."""
    email = session.get_one(Person, person_id).email
    coop = str(policy.current(session, "coop_name", at=at))
    square = codes.square(codes.app_address(secret, person=email, coop=coop))
    shown = codes.code_at(secret, int(at.timestamp())) if _in_demo(session, allowed=demo, at=at) else ""
    return AppPage(square, codes.typed_secret(secret), shown)


def passkey_page(session: Session, sign_in_id: int, *, house: House, at: datetime) -> PasskeyPage:
    """Return what a browser is told to make a passkey by."""
    assert house.place is not None, "passkeys are offered only where they work"
    row = session.get_one(SignIn, sign_in_id)
    person = session.get_one(Person, row.person_id)
    known = [key.credential for key in factors_of(session, person.id).passkeys]
    coop = str(policy.current(session, "coop_name", at=at))
    told: dict[str, Any] = {"coop": coop, "person_id": person.id, "person": person.email, "known": known}
    return PasskeyPage(passkeys.asked_to_make(house.place, row.challenge, **told))


def _proof_page(session: Session, row: SignIn, *, house: House, demo: bool, at: datetime) -> ProofPage:
    factors = factors_of(session, row.person_id)
    known = [key.credential for key in factors.passkeys]
    asks = passkeys.asked_to_sign(house.place, row.challenge, known=known) if known and house.place else ""
    is_demo = factors.app_since is not None and _in_demo(session, allowed=demo, at=at)
    code = code_now(session, row.person_id, at=at, field_key=house.field_key) if is_demo else None
    return ProofPage(factors.some, factors.app_since is not None, asks, is_demo, code or "")


def _in_demo(session: Session, *, allowed: bool, at: datetime) -> bool:
    """Whether codes stand on the page: in the demo co-op alone, and `allowed` says that this is no real installation."""
    return allowed and bool(policy.current(session, "demo", at=at))
