"""Choices: lines of an order that stand in for one another, in the order in which the household likes them."""

import sqlalchemy as sa
from alembic import op

revision = "choices"
down_revision = "payers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = "number of the choice within the order that this line is an alternative of"
    rank = "place in the choice: 1 is liked best"
    held = "what is held for the line of a choice: its dearest outcome is held on one of its lines"
    op.add_column("order_line", sa.Column("choice", sa.Integer(), nullable=True, comment=number))
    op.add_column("order_line", sa.Column("rank", sa.Integer(), nullable=True, comment=rank))
    op.add_column("order_line", sa.Column("held_minor", sa.BigInteger(), nullable=True, comment=held))
    op.create_check_constraint(
        op.f("ck_order_line_choice"),
        "order_line",
        "(choice IS NULL) = (rank IS NULL) AND (choice IS NULL) = (held_minor IS NULL)",
    )
