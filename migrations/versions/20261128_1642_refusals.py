"""Payments that the bank refused, why they came back, and the bank's reports on files."""

import sqlalchemy as sa
from alembic import op

revision = "refusals"
down_revision = "statement_papers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    refused = "the bank refused it before any money moved"
    op.add_column("payment", sa.Column("refused_on", sa.Date(), nullable=True, comment=refused))
    op.add_column("payment", sa.Column("refused_entry_id", sa.BigInteger(), nullable=True))
    code = "why it was refused or came back, as the bank codes it: AC04, R02"
    op.add_column("payment", sa.Column("reason_code", sa.Text(), server_default="", nullable=False, comment=code))
    op.create_table(
        "status_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("report_reference", sa.Text(), nullable=False, comment="the bank's own"),
        sa.Column(
            "status",
            sa.Text(),
            nullable=False,
            comment='of the whole file, as the bank codes it; "" where it says nothing',
        ),
        sa.Column("refused", sa.Integer(), nullable=False, comment="payments refused by this report"),
        sa.Column("read_by", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["payout_run.id"], name=op.f("fk_status_report_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_report")),
        sa.UniqueConstraint("sha256", name=op.f("uq_status_report_sha256")),
    )
