"""The bank where money is not real, in the demo and for seasons brought in from files: it confirms what it is sent."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from coop.formats.bank_statement import BankLine, BankStatement
from coop.ledger import queries as ledger
from coop.payouts import queries as payouts
from coop.policy import service as policy


def statement(session: Session, run_id: int, booked_on: date, *, at: datetime) -> BankStatement:
    """Make the statement by which the bank confirms the run's payments."""
    opening = ledger.bank_balance(session)
    agreed = policy.all_current(session, at=at)
    lines = tuple(
        BankLine(f"{sent.end_to_end_id}BOOKED", -sent.amount_minor, booked_on, sent.end_to_end_id, "Payout")
        for sent in payouts.in_transit(session, run_id)
    )
    return BankStatement(
        reference=f"RUN{run_id}",
        iban=agreed["coop_iban"],
        currency=agreed["currency"],
        opening_minor=opening,
        closing_minor=opening + sum(line.minor for line in lines),
        opens_on=booked_on,
        closes_on=booked_on,
        lines=lines,
    )
