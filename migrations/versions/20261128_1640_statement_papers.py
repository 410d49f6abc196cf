"""Statements on paper, and questions about them; runs whose file was made before get their papers too."""

import sqlalchemy as sa
from alembic import op

revision = "statement_papers"
down_revision = "factors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "statement_paper",
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("made_at", at, nullable=False),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_statement_paper_statement_id")),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_statement_paper")),
    )
    op.create_table(
        "statement_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("is_answer", sa.Boolean(), nullable=False),
        sa.Column("said_by", sa.BigInteger(), nullable=False),
        sa.Column("said_at", at, nullable=False),
        sa.CheckConstraint("length(words) BETWEEN 1 AND 2000", name=op.f("ck_statement_message_words")),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_statement_message_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_message")),
    )
    op.create_index(op.f("ix_statement_message_statement_id"), "statement_message", ["statement_id"])
    op.execute(
        "INSERT INTO outbox (job, row_id, dedup_key)"
        " SELECT 'payouts.papers', run_id, 'payouts.papers:' || run_id FROM bank_file"
    )
