"""What a maker expects of a batch if it goes badly, for forecasts before the cut-off."""

import sqlalchemy as sa
from alembic import op

revision = "pessimistic_yield"
down_revision = "corrections"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "batch",
        sa.Column(
            "pessimistic",
            sa.BigInteger(),
            nullable=True,
            comment="pieces to expect if it goes badly; null: the maker did not say",
        ),
    )
    op.create_check_constraint(op.f("ck_batch_pessimistic"), "batch", "pessimistic BETWEEN 0 AND planned")
