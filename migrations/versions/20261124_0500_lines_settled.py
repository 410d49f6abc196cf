"""Lines of bank statements that are split, tied to what was noted by hand, or money that came back."""

import sqlalchemy as sa
from alembic import op

revision = "lines_settled"
down_revision = "bank_columns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    found = "line of a bank statement that it was found on; a line may be split over several payments"
    op.add_column("recorded_payment", sa.Column("line_id", sa.BigInteger(), nullable=True, comment=found))
    op.create_index(op.f("ix_recorded_payment_line_id"), "recorded_payment", ["line_id"])
    back = "the line whose money came back by this one"
    op.add_column("bank_line", sa.Column("returns_id", sa.BigInteger(), nullable=True, comment=back))
    op.create_foreign_key(op.f("fk_bank_line_returns_id"), "bank_line", "bank_line", ["returns_id"], ["id"])
    op.create_unique_constraint(op.f("uq_bank_line_returns_id"), "bank_line", ["returns_id"])
    op.create_index(op.f("ix_bank_line_entry_id"), "bank_line", ["entry_id"])
    noted = sa.text("kind IN ('refund', 'supplier_paid', 'advance', 'chargeback')")
    op.create_index("ix_entry_noted", "entry", ["business_date"], postgresql_where=noted)
