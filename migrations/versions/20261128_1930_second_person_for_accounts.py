"""Where a maker is paid takes two people: one enters it, another lets it count. What was entered before counts as it did."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_seconded"
down_revision = "price_tax"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("bank_details", "set_by", new_column_name="asked_by")
    op.alter_column("bank_details", "set_at", new_column_name="asked_at")
    op.add_column("bank_details", sa.Column("state", sa.Text(), server_default="done", nullable=False))
    op.alter_column("bank_details", "state", server_default=None)
    op.add_column("bank_details", sa.Column("decided_by", sa.BigInteger(), nullable=True))
    op.add_column("bank_details", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_bank_details_state"), "bank_details", "state IN ('waiting', 'done', 'withdrawn')"
    )
    op.create_check_constraint(
        op.f("ck_bank_details_second_person"), "bank_details", "state <> 'done' OR decided_by <> asked_by"
    )
