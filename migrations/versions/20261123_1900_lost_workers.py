"""Count the workers that vanished in the middle of a job, so that one which kills its worker is stopped."""

import sqlalchemy as sa
from alembic import op

revision = "lost_workers"
down_revision = "guards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "outbox",
        sa.Column(
            "lost", sa.Integer(), server_default="0", nullable=False, comment="times its worker vanished in the work"
        ),
    )
