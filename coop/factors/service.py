"""Steps with second factors: take one in, check what is given, and end them."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from coop.core.errors import NotFound, RuleBroken
from coop.core.factors import (
    RECOVERY_CODES,
    RECOVERY_LENGTH,
    RECOVERY_LETTERS,
    accepted_step,
    plain_code,
    step_at,
    written_code,
)
from coop.factors.models import AppSecret, PaidWorkshop, Passkey, RecoveryCode
from coop.formats import codes
from coop.formats.passkeys import NewPasskey
from coop.sealing import keyed_hash, seal, unseal

NOT_A_CODE = "This is not a code that counts now. The app shows a new one every half minute, and each works once."


def has_factor(session: Session, person_id: int) -> bool:
    """Whether a person has a second factor: an app or a passkey."""
    app = select(AppSecret.id).where(AppSecret.person_id == person_id, AppSecret.ended_at.is_(None))
    key = select(Passkey.id).where(Passkey.person_id == person_id, Passkey.ended_at.is_(None))
    return session.scalar(select(app.exists() | key.exists())) or False


def take_in_app(session: Session, person_id: int, secret: bytes, code: str, *, at: datetime, field_key: bytes) -> None:
    """Let a person's app count from now on, in place of an earlier one; its present code shows that it has the secret."""
    step = _step_of(secret, code, used=-1, at=at)
    if step is None:
        raise RuleBroken("wrong_code", "The app shows another code by now, or read another square.", field="code")
    give_app(session, person_id, secret, last_step=step, at=at, field_key=field_key)


def give_app(
    session: Session, person_id: int, secret: bytes, *, last_step: int = 0, at: datetime, field_key: bytes
) -> None:
    """Keep an app's secret in place of an earlier one; codes of steps after `last_step` count."""
    current = AppSecret.person_id == person_id, AppSecret.ended_at.is_(None)
    session.execute(update(AppSecret).where(*current).values(ended_at=at))
    sealed = seal(secret, field_key, purpose=app_purpose(person_id))
    session.add(AppSecret(person_id=person_id, secret_sealed=sealed, last_step=last_step, made_at=at))
    session.flush()


def app_purpose(person_id: int) -> str:
    """Return what an app's secret is sealed for: this person alone."""
    return f"app_secret of person {person_id}"


def use_code(session: Session, person_id: int, typed: str, *, at: datetime, field_key: bytes) -> str:
    """Take a code of the person's app, or one of their recovery codes; each works once. Return which it was: `app` or `recovery`.

    Raises `wrong_code`, in the same words whatever was wrong.
    """
    code = plain_code(typed)
    if _use_app(session, person_id, code, at=at, field_key=field_key):
        return "app"
    if len(code) == RECOVERY_LENGTH and _use_recovery(session, person_id, code, at=at, field_key=field_key):
        return "recovery"
    raise RuleBroken("wrong_code", NOT_A_CODE, field="code")


def _use_app(session: Session, person_id: int, code: str, *, at: datetime, field_key: bytes) -> bool:
    """Count a code's step as used; the row is held, so that the same code sent twice at once counts once."""
    current = AppSecret.person_id == person_id, AppSecret.ended_at.is_(None)
    app = session.scalar(select(AppSecret).where(*current).with_for_update())
    if app is None:
        return False
    secret = unseal(app.secret_sealed, field_key, purpose=app_purpose(person_id))
    step = _step_of(secret, code, used=app.last_step, at=at)
    if step is None:
        return False
    app.last_step = step
    return True


def _use_recovery(session: Session, person_id: int, code: str, *, at: datetime, field_key: bytes) -> bool:
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == _recovery_hash(person_id, code, field_key),
            RecoveryCode.ended_at.is_(None),
        )
        .values(ended_at=at)
        .returning(RecoveryCode.id)
    )
    return session.execute(used).first() is not None


def renew_recovery_codes(session: Session, person_id: int, *, at: datetime, field_key: bytes) -> list[str]:
    """Make new recovery codes in place of those there were, and return them: nothing of them is kept but hashes."""
    _end_recovery_codes(session, person_id, at=at)
    made = ["".join(secrets.choice(RECOVERY_LETTERS) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(person_id=person_id, code_hash=_recovery_hash(person_id, code, field_key), made_at=at)
        for code in made
    )
    session.flush()
    return [written_code(code) for code in made]


def passkey_of(session: Session, person_id: int, credential: bytes) -> Passkey:
    """Return the person's passkey of a credential, held until commit. Raises `wrong_passkey`."""
    key = select(Passkey).where(Passkey.person_id == person_id, Passkey.credential == credential)
    row = session.scalar(key.where(Passkey.ended_at.is_(None)).with_for_update())
    if row is None:
        raise RuleBroken("wrong_passkey", "This passkey is not one that you set up here.")
    return row


def take_in_passkey(session: Session, person_id: int, name: str, made: NewPasskey, *, at: datetime) -> int:
    """Let a passkey count from now on; a person may have several."""
    told = {"credential": made.credential, "public_key": made.public_key, "sign_count": made.sign_count}
    row = insert(Passkey).values(person_id=person_id, name=name, made_at=at, **told)
    key_id = session.execute(row.on_conflict_do_nothing().returning(Passkey.id)).scalar()
    if key_id is None:
        raise RuleBroken("passkey_known", "This passkey is set up already.")
    return key_id


def end_passkey(session: Session, person_id: int, passkey_id: int, *, at: datetime) -> None:
    """Let one passkey no longer count."""
    key = session.get(Passkey, passkey_id, with_for_update=True)
    if key is None or key.person_id != person_id or key.ended_at is not None:
        raise NotFound
    key.ended_at = at
    session.flush()
    _end_codes_of_nothing(session, person_id, at=at)


def end_app(session: Session, person_id: int, *, at: datetime) -> None:
    """Let a person's app no longer count."""
    current = AppSecret.person_id == person_id, AppSecret.ended_at.is_(None)
    if session.execute(update(AppSecret).where(*current).values(ended_at=at).returning(AppSecret.id)).first() is None:
        raise NotFound
    _end_codes_of_nothing(session, person_id, at=at)


def end_all(session: Session, person_id: int, *, at: datetime) -> int:
    """Let none of a person's second factors count any more; return how many there were."""
    ended = 0
    for kind in (AppSecret, Passkey):
        current = kind.person_id == person_id, kind.ended_at.is_(None)
        ended += len(session.execute(update(kind).where(*current).values(ended_at=at).returning(kind.id)).all())
    _end_recovery_codes(session, person_id, at=at)
    return ended


def ask_of_workshops(session: Session, artisan_ids: Sequence[int], *, at: datetime) -> None:
    """Ask the people of these workshops for a second factor: it is known where the workshops are paid."""
    if artisan_ids:
        rows = [{"artisan_id": one, "since": at} for one in artisan_ids]
        session.execute(insert(PaidWorkshop).on_conflict_do_nothing(), rows)


def _end_codes_of_nothing(session: Session, person_id: int, *, at: datetime) -> None:
    """End recovery codes that stand in for nothing any more."""
    if not has_factor(session, person_id):
        _end_recovery_codes(session, person_id, at=at)


def _end_recovery_codes(session: Session, person_id: int, *, at: datetime) -> None:
    current = RecoveryCode.person_id == person_id, RecoveryCode.ended_at.is_(None)
    session.execute(update(RecoveryCode).where(*current).values(ended_at=at))


def _step_of(secret: bytes, code: str, *, used: int, at: datetime) -> int | None:
    now = step_at(int(at.timestamp()))
    return accepted_step(lambda step: codes.is_code_of(secret, step, code), now=now, used=used)


def _recovery_hash(person_id: int, code: str, field_key: bytes) -> str:
    return keyed_hash(code, field_key, purpose=f"recovery_code of person {person_id}")
