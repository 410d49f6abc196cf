"""Receipts booked by their payment reference, gifts among them, and the names that banks write beside a line."""

import sqlalchemy as sa
from alembic import op

revision = "payers"
down_revision = "pessimistic_yield"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = "who paid or was paid, as the bank writes it"
    op.add_column("bank_line", sa.Column("name", sa.Text(), server_default="", nullable=False, comment=name))
    op.drop_constraint(op.f("ck_recorded_payment_purpose"), "recorded_payment", type_="check")
    purposes = "purpose IN ('share', 'credit', 'gift')"
    op.create_check_constraint(op.f("ck_recorded_payment_purpose"), "recorded_payment", purposes)
