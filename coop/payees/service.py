"""Keep where a household is paid, sealed; a changed account rests before anything is paid to it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.core.payout import ACCOUNT_RESTS
from coop.core.us_account import UsAccount
from coop.db import Db
from coop.formats.payee_account import account_of, read_account
from coop.payees.models import HouseholdAccount
from coop.people import service as people
from coop.sealing import seal, unseal

_NUMBER = "household_account.number"


def change_account(
    db: Db,
    household_id: int,
    *,
    holder: str,
    iban: str = "",
    us: UsAccount | None = None,
    by: int,
    at: datetime,
    field_key: bytes,
) -> int:
    """Change where a household is paid, an IBAN or an account in the United States, and tell each of its people; return the row.

    The caller has just asked who it is. The mail shows the account's ending alone. Raises `required` and what `read_iban` does.
    """
    with db.begin() as session:
        people.lock_household(session, household_id)
        read = read_account(holder, iban, us)
        known = session.scalar(
            select(HouseholdAccount.id).where(HouseholdAccount.household_id == household_id).limit(1)
        )
        account = HouseholdAccount(
            household_id=household_id,
            scheme=read.scheme,
            holder=read.holder,
            number_sealed=seal(read.written, field_key, purpose=_NUMBER),
            ending=read.ending,
            set_by=by,
            set_at=at,
            rests_until=at + ACCOUNT_RESTS if known else None,
        )
        session.add(account)
        session.flush()
        values = {"ending": account.ending, "at": at.isoformat()}
        values |= {"rests_until": account.rests_until.isoformat() if account.rests_until else ""}
        told = f"household_account_changed:{account.id}"
        people.tell_household(session, told, "household_account_changed", household_id, values)
        detail = {"row": account.id}
        audit.record(session, "change_household_account", by=by, subject=("household", household_id), detail=detail)
        return account.id


def latest_accounts(session: Session, household_ids: Iterable[int]) -> dict[int, int]:
    """Return the row of the account that counts, the last one given, by household; a household that gave none is left out."""
    rows = session.execute(
        select(HouseholdAccount.household_id, func.max(HouseholdAccount.id).label("latest"))
        .where(HouseholdAccount.household_id.in_(list(household_ids)))
        .group_by(HouseholdAccount.household_id)
    )
    return {row.household_id: row.latest for row in rows}


def unseal_account(session: Session, account_id: int, field_key: bytes) -> str | UsAccount:
    """Read an account, for a bank file and nothing else."""
    account = session.get_one(HouseholdAccount, account_id)
    return account_of(account.scheme, unseal(account.number_sealed, field_key, purpose=_NUMBER))
