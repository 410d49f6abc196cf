"""A line of a statement keeps what it says: the offering, the pieces, and what they brought.

So a statement is read, page by page, from its own lines, and says the same for ever.
"""

import sqlalchemy as sa
from alembic import op

revision = "statement_lines"
down_revision = "snapshots"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "what was sold; null where the line is a payment that came back"
    op.add_column("statement_line", sa.Column("offering_id", sa.BigInteger(), nullable=True, comment=comment))
    op.add_column("statement_line", sa.Column("pieces", sa.BigInteger(), server_default="0", nullable=False))
    for name in ("sold_minor", "fee_minor", "tax_minor"):
        op.add_column("statement_line", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
