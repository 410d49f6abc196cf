"""A household's own account, as its people see it."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.policy import service as policy


@dataclass(frozen=True, slots=True)
class Payment:
    """What the co-op sent or is to send to the household."""

    purpose: str
    amount_minor: int
    made_at: datetime
    settled_on: date | None


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The account that counts; `ending` is "" where none is known, `rests_until` None where it can be paid to."""

    ending: str
    holder: str
    set_at: datetime | None
    rests_until: datetime | None
    takes_us_accounts: bool
    payments: list[Payment]


_ACCOUNT = text("""
SELECT ending, holder, set_at, rests_until FROM household_account WHERE household_id = :household ORDER BY id DESC LIMIT 1
""")

_PAYMENTS = text("""
SELECT purpose, amount_minor, made_at, settled_on FROM household_payment WHERE household_id = :household ORDER BY id DESC LIMIT 50
""")


def account_page(session: Session, household_id: int, *, at: datetime) -> AccountPage:
    """Return where a household is paid, and its latest payments."""
    found = session.execute(_ACCOUNT, {"household": household_id}).first()
    rests = found.rests_until if found is not None and found.rests_until and found.rests_until > at else None
    return AccountPage(
        ending=found.ending if found else "",
        holder=found.holder if found else "",
        set_at=found.set_at if found else None,
        rests_until=rests,
        takes_us_accounts=policy.current(session, "bank_file", at=at) == "nacha",
        payments=[Payment(*row) for row in session.execute(_PAYMENTS, {"household": household_id})],
    )
