"""Settle a policy from a day on, and ask which one is in effect."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.policy.models import Policy

DEFAULTS: Final[dict[str, Any]] = {
    "coop_name": "Smallbatch co-op",
    "coop_line": "",
    "coop_town": "",
    "currency": "EUR",
    "zone": "Europe/London",
    "locale": "en_IE",
    "fee_bp": 1000,
    "payout_minimum_minor": 1000,
    "payout_day": 5,
    "returnables_kept_days": 0,
    "late_shares": "full",
    "coop_iban": "",
    "bank_file": "sepa",
    "ach_routing": "",
    "ach_bank_name": "",
    "ach_company_id": "",
    "dividend_bylaw": None,
    "dividend_cash_minimum_bp": 2000,
    "bank_overdraft_minor": 0,
    "member_invoices": "none",
    "member_receipts": "none",
    "member_papers_since": "",
    "demo": False,
}
FROM_THE_START: Final = datetime(2000, 1, 1, tzinfo=UTC)


def settle(session: Session, name: str, value: Any, *, by: int, effective_from: datetime = FROM_THE_START) -> None:
    """Set a policy from an instant on; an earlier row stays readable for its own time."""
    if name not in DEFAULTS:
        raise RuleBroken("unknown_policy", f"There is no policy called {name}.")
    session.add(Policy(name=name, value=value, effective_from=effective_from, set_by=by))
    session.flush()
    told = f"ends in {value[-4:]}" if name == "coop_iban" and value else value
    audit.record(session, "settle_policy", by=by, subject=("policy", 0), detail={"name": name, "value": told})


def change(session: Session, name: str, value: Any, *, by: int, at: datetime) -> None:
    """Set a policy from now on; one that was never settled holds from the start."""
    settled = session.scalar(select(Policy.id).where(Policy.name == name).limit(1)) is not None
    settle(session, name, value, by=by, effective_from=at if settled else FROM_THE_START)


def current(session: Session, name: str, *, at: datetime) -> Any:
    """Return the value in effect at an instant, or the product's default."""
    return all_current(session, at=at)[name]


def versions(session: Session, name: str) -> list[tuple[datetime, datetime, int, Any]]:
    """Return every row of a policy, the latest in force first: from when, when and by whom it was settled, and what it says."""
    rows = select(Policy.effective_from, Policy.set_at, Policy.set_by, Policy.value).where(Policy.name == name)
    return [tuple(row) for row in session.execute(rows.order_by(Policy.effective_from.desc()))]


def all_current(session: Session, *, at: datetime) -> dict[str, Any]:
    """Return every policy in effect at an instant."""
    return DEFAULTS | {name: value for name, value in session.execute(_IN_EFFECT, {"at": at})}  # noqa: C416 - a row is no pair to mypy


_IN_EFFECT = (
    select(Policy.name, Policy.value)
    .ext(distinct_on(Policy.name))
    .where(Policy.effective_from <= bindparam("at"))
    .order_by(Policy.name, Policy.effective_from.desc())
)
