"""What makers are owed, and what payouts come to, read from postings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.ledger import BANK, PAYOUT_TRANSIT, artisan_party
from coop.core.payout import ACCOUNT_RESTS, settle
from coop.db import bigints, columns_of, texts

WITH_SALES: Final = """
  LEFT JOIN hand_over h ON h.entry_id = p.entry_id
  LEFT JOIN hand_over_line hl ON hl.hand_over_id = h.id AND hl.line_id = p.line_id
  LEFT JOIN order_line l ON l.id = p.line_id"""
"""What was sold with a posting on a maker's account; nothing where it is a payment that came back."""


def open_postings(more: str = "") -> str:
    """Return the FROM and WHERE of what stands on makers' accounts and on no live statement; a payout's own debit is no earning.

    An account whose kept balance is zero has nothing open, so its postings are not looked at.
    """
    return f"""
  FROM posting p
  JOIN account a ON a.id = p.account_id AND a.code = 2100
  JOIN balance k ON k.account_id = a.id AND k.amount <> 0
  JOIN entry e ON e.id = p.entry_id AND e.kind <> 'payout' AND e.business_date <= :through{more}
 WHERE NOT EXISTS (SELECT FROM statement_line s WHERE s.entry_id = p.entry_id AND s.n = p.n AND s.live)"""


_OPEN_LINES: Final = f"""
SELECT substr(a.party, 9)::bigint, p.entry_id, p.n::bigint, coalesce(p.line_id, 0), -p.amount {open_postings()}
   AND a.party = ANY(CAST(:parties AS text[]))"""


def open_lines(session: Session, through: date, statement_of: Mapping[int, int]) -> dict[str, str]:
    """Return what stands open for some makers as the columns that `TAKE_LINES` takes; a statement is given for each maker.

    They are read apart so that the database knows how many there are when it looks up what each was.
    """
    names = ("artisans", "entries", "places", "lines", "amounts")
    asked = {"through": through, "parties": texts(map(artisan_party, statement_of))}
    found = {name: column.tolist() for name, column in columns_of(session, _OPEN_LINES, asked, names).items()}
    found["statements"] = [statement_of[artisan_id] for artisan_id in found.pop("artisans")]
    return {name: bigints(column) for name, column in found.items()}


TAKE_LINES: Final = text("""
WITH told AS MATERIALIZED (
  SELECT t.id, o.entry_id, o.n, o.amount, l.offering_id, coalesce(hl.pieces, 0) AS pieces,
         CASE WHEN hl.line_id IS NOT NULL AND m.artisan_id IS NULL THEN hl.pieces * l.unit_minor
              ELSE CASE WHEN x.fee IS NULL THEN 0 ELSE o.amount + x.fee END END AS sold, coalesce(x.fee, 0) AS fee, coalesce(x.tax, 0) AS tax,
         coalesce(hl.pieces * l.deposit_minor, 0) AS deposit
    FROM unnest(CAST(:statements AS bigint[]), CAST(:entries AS bigint[]), CAST(:places AS bigint[]), CAST(:lines AS bigint[]),
                CAST(:amounts AS bigint[])) AS o (statement_id, entry_id, n, line_id, amount)
    JOIN statement t ON t.id = o.statement_id
    LEFT JOIN hand_over h ON h.entry_id = o.entry_id
    LEFT JOIN hand_over_line hl ON hl.hand_over_id = h.id AND hl.line_id = o.line_id
    LEFT JOIN credit_note cn ON cn.entry_id = o.entry_id AND cn.line_id = o.line_id
    LEFT JOIN fee_change fc ON fc.entry_id = o.entry_id AND fc.line_id = o.line_id
    LEFT JOIN order_line l ON l.id = o.line_id
    LEFT JOIN (SELECT offering_id, artisan_id, sum(part_bp) OVER (PARTITION BY offering_id ORDER BY n) AS upto, part_bp
                 FROM offering_maker) m ON m.offering_id = l.offering_id AND m.artisan_id = t.artisan_id
    LEFT JOIN LATERAL (
      SELECT (f.fee * coalesce(m.upto, 10000) / 10000 - f.fee * coalesce(m.upto - m.part_bp, 0) / 10000)::bigint AS fee,
             (f.tax * coalesce(m.upto, 10000) / 10000 - f.tax * coalesce(m.upto - m.part_bp, 0) / 10000)::bigint AS tax
        FROM (SELECT coalesce(hl.fee_minor, -cn.fee_minor, fc.fee_minor) AS fee,
                     coalesce(hl.tax_minor, -cn.tax_minor, fc.tax_minor) AS tax) f) x ON true
   ORDER BY t.id, o.entry_id, o.n),
taken AS (
  INSERT INTO statement_line (statement_id, entry_id, n, amount_minor, offering_id, pieces, sold_minor, fee_minor, tax_minor)
  SELECT id, entry_id, n, amount, offering_id, pieces, sold, fee, tax FROM told),
sums AS (
  SELECT id, sum(amount) AS earned, sum(sold) AS sold, sum(fee) AS fee, sum(tax) AS tax, sum(deposit) AS deposit FROM told GROUP BY id)
UPDATE statement t SET sold_minor = s.sold, fee_minor = s.fee, tax_minor = s.tax, deposit_minor = s.deposit, earned_minor = s.earned,
       payable_minor = s.earned
  FROM sums s WHERE s.id = t.id RETURNING t.id, t.payable_minor
""")
"""Put open postings on the statements of their makers and add them up.

Fee and tax of a line with several makers fall on each by its part, so that they add up to the line's. What was credited or changed since
stands below zero with what it takes back.
"""

CARRY = text("""
UPDATE statement t SET carried_minor = c.minor
  FROM (SELECT s.id, sum(l.amount_minor) AS minor
          FROM statement s JOIN statement_line l ON l.statement_id = s.id AND l.offering_id IS NOT NULL
          JOIN entry e ON e.id = l.entry_id AND e.business_date <= (
            SELECT max(through) FROM payout_run WHERE id < :run AND state NOT IN ('cancelled', 'failed'))
         WHERE s.run_id = :run GROUP BY s.id) c
 WHERE t.id = c.id
""")
"""Note what waited for this payout: earned by the day of the run before, and on no statement of it."""


class Owed(NamedTuple):
    """What a maker has earned and was not paid, and the latest bank account with the day it was changed, if it ever was."""

    artisan_id: int
    earned_minor: int
    bank_details_id: int | None
    account_changed_at: datetime | None
    owed_by_maker: int = 0
    advance: int = 0


_OWED = text(f"""
SELECT o.artisan_id, o.earned, b.id, b.changed_at, coalesce(d.amount, 0), coalesce(v.amount, 0)
  FROM (SELECT substr(a.party, 9)::bigint AS artisan_id, -sum(p.amount)::bigint AS earned {open_postings()}
           AND (CAST(:parties AS text[]) IS NULL OR a.party = ANY(:parties)) GROUP BY a.party) o
  JOIN artisan m ON m.id = o.artisan_id
  LEFT JOIN (account da JOIN balance d ON d.account_id = da.id) ON da.code = 1150 AND da.party = 'artisan:' || m.id
  LEFT JOIN (account va JOIN balance v ON v.account_id = va.id) ON va.code = 1160 AND va.party = 'artisan:' || m.id
  LEFT JOIN LATERAL (
    SELECT d.id, CASE WHEN EXISTS (SELECT FROM bank_details x WHERE x.artisan_id = d.artisan_id AND x.id < d.id AND x.state = 'done')
                      THEN d.asked_at END AS changed_at
      FROM bank_details d WHERE d.artisan_id = o.artisan_id AND d.state = 'done' ORDER BY d.id DESC LIMIT 1) b ON true
 ORDER BY m.name
""")  # noqa: S608 - as above


def owed_to_makers(session: Session, through: date, *, only: Sequence[int] | None = None) -> list[Owed]:
    """Return what each maker, or each of a few, has earned up to a day and was not paid, in name order."""
    parties = None if only is None else [artisan_party(artisan_id) for artisan_id in only]
    return [Owed(*row) for row in session.execute(_OWED, {"through": through, "parties": parties})]


def why_it_waits(owed: Owed, minimum_minor: int, *, recoup_bp: int = 0, at: datetime) -> str:
    """Say why a maker is not paid now: `nothing_owed`, `below_minimum`, `no_account`, `account_changed`; "" where paid."""
    if owed.earned_minor <= 0:
        return "nothing_owed"
    settled = settle(
        owed.earned_minor,
        owed_by_maker=owed.owed_by_maker,
        advance=owed.advance,
        recoup_bp=recoup_bp,
        minimum=minimum_minor,
    )
    if settled.sent == 0:
        return "below_minimum"
    if owed.bank_details_id is None:
        return "no_account"
    if owed.account_changed_at is not None and at - owed.account_changed_at < ACCOUNT_RESTS:
        return "account_changed"
    return ""


def owes_more_than_is_owed(session: Session, run_id: int) -> list[str]:
    """Return the makers of a run to whom less is owed by now than their statements pay: something was put right since."""
    short = (
        "SELECT m.name FROM statement s JOIN artisan m ON m.id = s.artisan_id"
        " LEFT JOIN (account a JOIN balance b ON b.account_id = a.id) ON a.code = 2100 AND a.party = 'artisan:' || s.artisan_id"
        " WHERE s.run_id = :run AND coalesce(-b.amount, 0) < s.earned_minor ORDER BY m.name"
    )
    return list(session.scalars(text(short), {"run": run_id}))


def bank_balance_left(session: Session) -> int:
    """Return what the bank account holds by the books, less what is on its way to makers."""
    total = "SELECT coalesce(sum(p.amount), 0) FROM posting p JOIN account a ON a.id = p.account_id AND a.code = ANY(:codes)"
    return int(session.scalar(text(total), {"codes": [BANK, PAYOUT_TRANSIT]}) or 0)


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a payout run comes to, minor units. It adds up where charges = fees + taxes + payouts and what was taken off,
    each from its own postings.

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
    adds_up: bool


@dataclass(frozen=True, slots=True)
class InTransit:
    end_to_end_id: str
    amount_minor: int


_FIGURES = text("""
SELECT sum(s.sold_minor)::bigint AS charges, sum(s.fee_minor - s.tax_minor)::bigint AS fees, sum(s.tax_minor)::bigint AS taxes,
       coalesce(sum(s.set_off_minor + s.recouped_minor), 0)::bigint AS taken_off,
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
        adds_up=(row.charges or 0) == (row.fees or 0) + (row.taxes or 0) + row.payouts + row.taken_off,
    )


def in_transit(session: Session, run_id: int) -> list[InTransit]:
    """Return a run's payments that the bank has not confirmed yet."""
    rows = session.execute(
        text(
            "SELECT p.end_to_end_id, p.amount_minor FROM payment p JOIN statement s ON s.id = p.statement_id"
            " WHERE s.run_id = :run AND p.sent_entry_id IS NOT NULL AND p.settled_on IS NULL AND p.refused_on IS NULL ORDER BY s.number"
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


def open_run(session: Session) -> int | None:
    """Return the run that is being prepared, of which there is one at most."""
    found = session.execute(
        text("SELECT id FROM payout_run WHERE state IN ('requested', 'computed', 'approved')")
    ).first()
    return None if found is None else int(found.id)
