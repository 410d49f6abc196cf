"""What the hardship fund bears of an order line, and the tiers agreed with households."""

import sqlalchemy as sa
from alembic import op

revision = "hardship"
down_revision = "returnables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, told in (
        ("fund_minor", "what the hardship fund bears of up_to pieces, deposits apart; below zero it gets it"),
        ("fund_held_minor", "what of the hold comes from the hardship fund until the pool is shared out"),
    ):
        op.add_column("order_line", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False, comment=told))
    op.create_check_constraint(op.f("ck_order_line_fund"), "order_line", "fund_minor <= up_to * unit_minor")
    op.create_table(
        "hardship_tier",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("tier_bp", sa.Integer(), nullable=False, comment="the household's part of the price, basis points"),
        sa.Column("through", sa.Date(), nullable=False, comment="last day on which orders are helped"),
        sa.Column("reason", sa.Text(), nullable=False, comment="for those who grant it; never shown to others"),
        sa.Column("granted_by", sa.BigInteger(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("tier_bp BETWEEN 0 AND 20000", name="tier"),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_hardship_tier_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hardship_tier")),
    )
    op.create_index(
        "uq_hardship_tier_current",
        "hardship_tier",
        ["household_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
