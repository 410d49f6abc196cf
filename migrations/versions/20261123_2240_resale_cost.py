"""What a maker gets for a piece that the co-op buys and sells on: without it a resale line earned its maker nothing."""

import sqlalchemy as sa
from alembic import op

revision = "resale_cost"
down_revision = "season_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "offering",
        sa.Column(
            "cost_minor",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="what the maker gets for a piece in resale; 0 as agent, where it gets the price less the fee",
        ),
    )
    op.create_check_constraint(op.f("ck_offering_cost"), "offering", "cost_minor >= 0")
