"""Entries by hand that two people decide on, balances from outside, and what was noted by hand of more kinds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "by_hand"
down_revision = "submissions"
branch_labels = None
depends_on = None

NOTED = "kind IN ('refund', 'supplier_paid', 'advance', 'chargeback', 'manual', 'household_paid')"


def upgrade() -> None:
    op.drop_index("ix_entry_noted", "entry")
    op.create_index("ix_entry_noted", "entry", ["business_date"], postgresql_where=sa.text(NOTED))
    op.create_table(
        "voucher",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lines", JSONB(), nullable=False, comment="[[account, debit + or credit -], ...]"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'posted', 'withdrawn')", name="state"),
        sa.CheckConstraint("state <> 'posted' OR decided_by <> written_by", name="second_person"),
        sa.CheckConstraint("(state = 'posted') = (entry_id IS NOT NULL)", name="entry"),
        sa.CheckConstraint("reason <> ''", name="reason"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
    )
    op.create_table(
        "counted_balance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_code", sa.Integer(), nullable=False, comment="the account of the books it is held against"),
        sa.Column("counted_on", sa.Date(), nullable=False, comment="the end of this day"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("account_code IN (1000, 1050, 2200)", name="account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counted_balance")),
    )
    op.create_index(
        op.f("ix_counted_balance_account_code_counted_on"), "counted_balance", ["account_code", "counted_on"]
    )
