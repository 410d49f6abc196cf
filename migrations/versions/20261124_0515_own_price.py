"""A household's own price within bounds, and shares paid monthly."""

import sqlalchemy as sa
from alembic import op

revision = "own_price"
down_revision = "lines_settled"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, word in (("min", "least"), ("max", "most")):
        told = f"the {word} a household may choose to pay; null for the price"
        op.add_column("share_size", sa.Column(f"price_{name}_minor", sa.BigInteger(), nullable=True, comment=told))
    op.create_check_constraint("price_min", "share_size", "price_min_minor BETWEEN 0 AND price_minor")
    op.create_check_constraint("price_max", "share_size", "price_max_minor >= price_minor")
    op.create_table(
        "standing_payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("share_id", sa.BigInteger(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("first_due_on", sa.Date(), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("months BETWEEN 2 AND 24", name="months"),
        sa.ForeignKeyConstraint(["share_id"], ["season_share.id"], name=op.f("fk_standing_payment_share_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_payment")),
    )
    op.create_index(
        "uq_standing_payment_current",
        "standing_payment",
        ["share_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
