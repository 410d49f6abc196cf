"""Months closed by two people, dividends, payments to households, capital and gifts to the reserve; postings wait for a closing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "closing"
down_revision = "cards"
branch_labels = None
depends_on = None

# Who posts holds the month shared, who closes it holds it alone: so nothing slips in beside the closing, and the check
# after the wait sees the month as it is by then.
NOTE_ENTRIES = """
CREATE OR REPLACE FUNCTION ledger_note_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE astray bigint;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7263546, s.period_id::int)
     FROM (SELECT DISTINCT period_id FROM added ORDER BY period_id) s;
  SELECT e.id INTO astray FROM added e LEFT JOIN period p ON p.id = e.period_id
   WHERE p.id IS NULL OR p.closed_at IS NOT NULL OR e.business_date NOT BETWEEN p.starts AND p.ends LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'entry % lies in no open period', astray USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_in_open_period';
  END IF;
  INSERT INTO entry_check (lowest, highest) SELECT min(id), max(id) FROM added HAVING count(*) > 0;
  RETURN NULL;
END $$;
"""


def upgrade() -> None:
    op.execute(NOTE_ENTRIES)
    op.drop_constraint("ck_recorded_payment_purpose", "recorded_payment")
    op.create_check_constraint(
        "purpose", "recorded_payment", "purpose IN ('share', 'credit', 'gift', 'capital', 'reserve')"
    )
    op.create_table(
        "household_payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=False, comment="what the treasurer gives the bank: A-Z 0-9"),
        sa.Column("sent_entry_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("settled_entry_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("purpose IN ('dividend', 'buyback')", name="purpose"),
        sa.CheckConstraint("(settled_on IS NULL) = (settled_entry_id IS NULL)", name="settled"),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_household_payment_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_payment")),
        sa.UniqueConstraint("end_to_end_id", name=op.f("uq_household_payment_end_to_end_id")),
        sa.UniqueConstraint("sent_entry_id", name=op.f("uq_household_payment_sent_entry_id")),
        sa.UniqueConstraint("settled_entry_id", name=op.f("uq_household_payment_settled_entry_id")),
    )
    op.create_index(op.f("ix_household_payment_household_id"), "household_payment", ["household_id"])
    _dividends()
    op.create_table(
        "period_decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("period_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False, comment="why a closed month is opened again"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "entry_id",
            sa.BigInteger(),
            nullable=True,
            comment="entry that moved the month's result, or took it back; null where there was none",
        ),
        sa.CheckConstraint("kind IN ('close', 'reopen')", name="kind"),
        sa.CheckConstraint("state IN ('asked', 'done', 'withdrawn')", name="state"),
        sa.CheckConstraint("state <> 'done' OR decided_by <> asked_by", name="second_person"),
        sa.CheckConstraint("kind <> 'reopen' OR reason <> ''", name="reason"),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"], name=op.f("fk_period_decision_period_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period_decision")),
    )
    op.create_index(
        "uq_period_decision_open",
        "period_decision",
        ["period_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )


def _dividends() -> None:
    op.create_table(
        "dividend",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False, comment="last day of the last closed month it covers"),
        sa.Column("bylaw", JSONB(), nullable=False, comment="the bylaw in force on the first day, as it stood"),
        sa.Column("bylaw_version", sa.Integer(), nullable=False),
        sa.Column("bylaw_from", sa.Date(), nullable=False),
        sa.Column(
            "result_minor",
            sa.BigInteger(),
            nullable=False,
            comment="income less expense of the time; a loss is negative",
        ),
        sa.Column(
            "outside_minor",
            sa.BigInteger(),
            nullable=False,
            comment="purchases of households that are no members by the bylaw",
        ),
        sa.Column(
            "from_outside_minor", sa.BigInteger(), nullable=False, comment="what those earned; it is in the reserve"
        ),
        sa.Column("reserve_minor", sa.BigInteger(), nullable=False),
        sa.Column("other_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=True, comment="cash below it became credit"),
        sa.Column("paid_by", sa.BigInteger(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("starts <= ends", name="order"),
        sa.CheckConstraint("result_minor <> 0", name="result"),
        sa.CheckConstraint("state IN ('proposed', 'posted', 'withdrawn')", name="state"),
        sa.CheckConstraint("state <> 'posted' OR decided_by <> asked_by", name="second_person"),
        sa.CheckConstraint("(state = 'posted') = (entry_id IS NOT NULL)", name="entry"),
        sa.CheckConstraint("(paid_at IS NULL) = (minimum_minor IS NULL)", name="paid"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dividend")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_dividend_entry_id")),
    )
    op.create_index(
        "uq_dividend_open",
        "dividend",
        [sa.text("(true)")],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "dividend_part",
        sa.Column("dividend_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False, comment="place in the order in which it was divided"),
        sa.Column("party", sa.Text(), nullable=False, comment="household:17 or artisan:4"),
        sa.Column(
            "trade_minor",
            sa.BigInteger(),
            nullable=False,
            comment="bought at full price, or earned, less what was credited",
        ),
        sa.Column("cash_minor", sa.BigInteger(), nullable=False),
        sa.Column("retained_minor", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True, comment="entry that sent or credited the cash"),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "cash_minor >= 0 AND retained_minor >= 0 AND cash_minor + retained_minor > 0", name="amount"
        ),
        sa.ForeignKeyConstraint(["dividend_id"], ["dividend.id"], name=op.f("fk_dividend_part_dividend_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["household_payment.id"], name=op.f("fk_dividend_part_payment_id")),
        sa.PrimaryKeyConstraint("dividend_id", "n", name=op.f("pk_dividend_part")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_dividend_part_entry_id")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_dividend_part_payment_id")),
    )
    op.create_index(op.f("ix_dividend_part_party"), "dividend_part", ["party"])
