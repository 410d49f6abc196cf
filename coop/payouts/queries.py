"""What payouts come to, read from postings."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a payout run comes to, minor units. It adds up where charges = fees + taxes + payouts, each from its own postings.

    `charges` are earned at pickup, `refunds` went from holds back to credit since the run before, `taxes` lie inside
    fees, `artisans` is how many are paid.
    """

    charges: int
    refunds: int
    fees: int
    taxes: int
    payouts: int
    artisans: int
    bank_file_sha256: str | None

    @property
    def adds_up(self) -> bool:
        return self.charges == self.fees + self.taxes + self.payouts


@dataclass(frozen=True, slots=True)
class InTransit:
    end_to_end_id: str
    amount_minor: int


_FIGURES = text("""
SELECT sum(s.sold_minor)::bigint AS charges, sum(s.fee_minor - s.tax_minor)::bigint AS fees, sum(s.tax_minor)::bigint AS taxes,
       count(*) AS artisans,
       (SELECT coalesce(sum(p.amount_minor), 0) FROM payment p JOIN statement t ON t.id = p.statement_id
         WHERE t.run_id = :run)::bigint AS payouts,
       (SELECT f.sha256 FROM bank_file f WHERE f.run_id = :run) AS sha256,
       (SELECT coalesce(sum(-p.amount), 0) FROM posting p
          JOIN account a ON a.id = p.account_id AND a.code = 2000
          JOIN entry e ON e.id = p.entry_id AND e.kind = 'allocation'
         WHERE e.business_date <= :through AND e.business_date > :after)::bigint AS refunds
  FROM statement s WHERE s.run_id = :run
""")

_RUN_BEFORE = text(
    "SELECT coalesce(max(through), '0001-01-01') FROM payout_run WHERE through < :through AND state NOT IN ('cancelled', 'failed')"
)


def run_figures(session: Session, run_id: int) -> RunFigures:
    """Add up what a run pays."""
    through = session.scalar(text("SELECT through FROM payout_run WHERE id = :run"), {"run": run_id})
    after = session.scalar(_RUN_BEFORE, {"through": through})
    row = session.execute(_FIGURES, {"run": run_id, "through": through, "after": after}).one()
    return RunFigures(
        charges=row.charges or 0,
        refunds=row.refunds,
        fees=row.fees or 0,
        taxes=row.taxes or 0,
        payouts=row.payouts,
        artisans=row.artisans,
        bank_file_sha256=row.sha256,
    )


def in_transit(session: Session, run_id: int) -> list[InTransit]:
    """Return a run's payments that the bank has not confirmed yet."""
    rows = session.execute(
        text(
            "SELECT p.end_to_end_id, p.amount_minor FROM payment p JOIN statement s ON s.id = p.statement_id"
            " WHERE s.run_id = :run AND p.sent_entry_id IS NOT NULL AND p.settled_on IS NULL ORDER BY s.number"
        ),
        {"run": run_id},
    )
    return [InTransit(*row) for row in rows]


def run_through(session: Session, through: date) -> tuple[int, str] | None:
    """Return id and state of the latest run up to a day that was not called off."""
    row = session.execute(
        text(
            "SELECT id, state FROM payout_run WHERE through = :through AND state NOT IN ('cancelled', 'failed')"
            " ORDER BY id DESC LIMIT 1"
        ),
        {"through": through},
    ).first()
    return None if row is None else (row.id, row.state)
