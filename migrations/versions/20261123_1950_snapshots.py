"""A published snapshot keeps, unseen, which maker's amounts stand behind its sums: the next one must hide each maker too.

Snapshots are frozen: the app adds rows and changes none.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "snapshots"
down_revision = "offerings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    op.add_column(
        "snapshot",
        sa.Column(
            "by_pool",
            json,
            nullable=False,
            server_default=sa.text("'[]'"),
            comment="paid to makers by pool; empty where it would show one maker",
        ),
    )
    op.add_column(
        "snapshot",
        sa.Column(
            "behind",
            json,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="each maker's part of the sums shown; never shown, it decides what may follow",
        ),
    )
    op.add_column("snapshot", sa.Column("published_by", sa.BigInteger(), nullable=True))
    op.execute("REVOKE UPDATE, DELETE ON snapshot FROM coop_app")
