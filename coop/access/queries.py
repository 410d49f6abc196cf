"""Who a session's token belongs to, and where a person is signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import roles
from coop.core.devices import device_words
from coop.core.factors import rights_without_factor
from coop.core.roles import Viewer
from coop.people.service import token_hash

IDLE: Final = timedelta(days=14)
IDLE_WITH_MONEY: Final = timedelta(hours=12)
"""A session unused for so long is over: a member's telephone may rest, a treasurer's or admin's desk may not."""
ABSOLUTE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Found:
    """A session that still counts.

    `promised` holds all rights of the person; `viewer` those that count now, which are fewer until a second factor is
    there where the rights need one.
    """

    sign_in_id: int
    seen_at: datetime
    confirmed_at: datetime
    viewer: Viewer
    promised: Viewer


@dataclass(frozen=True, slots=True)
class SignInRow:
    id: int
    device: str
    origin: str
    started_at: datetime
    seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class SignInsPage:
    rows: list[SignInRow]
    others: int


_VISIT = text(
    "SELECT s.id, s.started_at, s.seen_at, s.confirmed_at, p.id AS person_id, p.name, h.id AS household_id,"
    " coalesce(g.roles, '{}') AS roles, coalesce(g.artisans, '{}') AS artisans,"
    " EXISTS (SELECT FROM app_secret WHERE person_id = p.id AND ended_at IS NULL)"
    "   OR EXISTS (SELECT FROM passkey WHERE person_id = p.id AND ended_at IS NULL) AS has_factor,"
    " EXISTS (SELECT FROM paid_workshop WHERE artisan_id = ANY (g.artisans)) AS is_paid"
    " FROM sign_in s JOIN person p ON p.id = s.person_id AND p.left_at IS NULL"
    " LEFT JOIN belonging b ON b.person_id = p.id AND b.ended_at IS NULL"
    " LEFT JOIN household h ON h.id = b.household_id AND h.left_at IS NULL"
    " LEFT JOIN LATERAL (SELECT array_agg(role) AS roles,"
    "   array_agg(artisan_id) FILTER (WHERE artisan_id IS NOT NULL) AS artisans"
    "   FROM role_grant WHERE person_id = p.id AND ended_at IS NULL) g ON true"
    " WHERE s.token_hash = :hash AND s.ended_at IS NULL AND s.let_in_at IS NOT NULL"
)


def visit_of(session: Session, token: str, *, at: datetime) -> Found | None:
    """Return the session of a token with the rights its person holds now, in one query; None if it is over."""
    row = session.execute(_VISIT, {"hash": token_hash(token)}).first()
    if row is None:
        return None
    held = frozenset(row.roles) | ({roles.MEMBER} if row.household_id is not None else frozenset())
    idle = IDLE_WITH_MONEY if held & {roles.TREASURER, roles.ADMIN} else IDLE
    if at - row.seen_at > idle or at - row.started_at > ABSOLUTE:
        return None
    promised = Viewer(row.person_id, row.name, row.household_id, held, frozenset(row.artisans))
    viewer = promised if row.has_factor else rights_without_factor(promised, is_paid=row.is_paid)
    return Found(row.id, row.seen_at, row.confirmed_at, viewer, promised)


def sign_ins_page(session: Session, person_id: int, *, this: int, at: datetime) -> SignInsPage:
    """Return where a person is signed in, latest use first."""
    rows = session.execute(
        text(
            "SELECT id, device, coalesce(origin, '') AS origin, started_at, seen_at, id = :this AS is_this FROM sign_in"
            " WHERE person_id = :person AND ended_at IS NULL AND let_in_at IS NOT NULL AND seen_at > :idle AND started_at > :absolute"
            " ORDER BY seen_at DESC, id DESC LIMIT 100"
        ),
        {"this": this, "person": person_id, "idle": at - IDLE, "absolute": at - ABSOLUTE},
    )
    shown = [
        SignInRow(row.id, device_words(row.device), row.origin, row.started_at, row.seen_at, row.is_this)
        for row in rows
    ]
    return SignInsPage(shown, sum(not row.is_this for row in shown))


def current_sign_ins(session: Session, person_id: int) -> int:
    """Return in how many places a person is signed in."""
    return int(
        session.scalar(
            text(
                "SELECT count(*) FROM sign_in WHERE person_id = :person AND ended_at IS NULL AND let_in_at IS NOT NULL"
            ),
            {"person": person_id},
        )
        or 0
    )


def link_is_good(session: Session, purpose: str, token: str, *, at: datetime) -> bool:
    """Whether a mailed link would still be taken."""
    good = "SELECT 1 FROM one_time_token WHERE token_hash = :hash AND purpose = :purpose AND used_at IS NULL AND expires_at >= :at"
    return session.scalar(text(good), {"hash": token_hash(token), "purpose": purpose, "at": at}) is not None
