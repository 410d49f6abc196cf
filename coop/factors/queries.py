"""What a person has to prove that it is them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coop.core.factors import next_step, rights_without_factor, step_at
from coop.core.roles import Viewer
from coop.factors.models import AppSecret, PaidWorkshop, Passkey, RecoveryCode
from coop.factors.service import app_purpose
from coop.formats import codes
from coop.sealing import unseal


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    id: int
    name: str
    credential: bytes
    made_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """The second factors that count now."""

    app_since: datetime | None
    passkeys: list[PasskeyRow]
    recovery_codes: int

    @property
    def some(self) -> bool:
        """Whether there is one at all."""
        return self.app_since is not None or bool(self.passkeys)


def factors_of(session: Session, person_id: int) -> Factors:
    """Return a person's second factors, passkeys in the order they came."""
    app = select(AppSecret.made_at).where(AppSecret.person_id == person_id, AppSecret.ended_at.is_(None))
    left = select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.ended_at.is_(None))
    keys = select(Passkey).where(Passkey.person_id == person_id, Passkey.ended_at.is_(None)).order_by(Passkey.id)
    rows = [PasskeyRow(key.id, key.name, key.credential, key.made_at, key.used_at) for key in session.scalars(keys)]
    return Factors(session.scalar(app), rows, session.scalar(left) or 0)


def needs_factor(session: Session, rights: Viewer) -> bool:
    """Whether a person's rights count only with a second factor."""
    paid = session.scalar(
        select(PaidWorkshop.artisan_id).where(PaidWorkshop.artisan_id.in_(rights.artisan_ids)).limit(1)
    )
    return rights_without_factor(rights, is_paid=paid is not None) != rights


def code_now(session: Session, person_id: int, *, at: datetime, field_key: bytes) -> str | None:
    """Return the code that a person's app would show, for the demo alone; None until the next one counts."""
    current = AppSecret.person_id == person_id, AppSecret.ended_at.is_(None)
    app = session.scalar(select(AppSecret).where(*current))
    if app is None:
        return None
    step = next_step(now=step_at(int(at.timestamp())), used=app.last_step)
    secret = unseal(app.secret_sealed, field_key, purpose=app_purpose(person_id))
    return None if step is None else codes.code_of(secret, step)
