"""Bank files are handed in: noted before, and settled by a person where nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "submissions"
down_revision = "closing"
branch_labels = None
depends_on = None

STATES = (
    "state IN ('requested', 'computed', 'approved', 'file_made', 'submitting', 'uncertain', 'submitted', 'settled',"
    " 'partly_returned', 'closed', 'failed', 'cancelled')"
)


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.drop_constraint(op.f("ck_payout_run_state"), "payout_run")
    op.create_check_constraint(op.f("ck_payout_run_state"), "payout_run", STATES)
    op.add_column("payout_run", sa.Column("closed_at", at, nullable=True))
    op.add_column("payout_run", sa.Column("closed_by", sa.BigInteger(), nullable=True))
    op.alter_column("payout_run", "failure", comment="what went wrong last, in plain words")
    ends = "how its name ends: xml, ach, csv"
    op.add_column("bank_file", sa.Column("extension", sa.Text(), server_default="xml", nullable=False, comment=ends))
    op.create_table(
        "payout_submission",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "by_folder",
            sa.Boolean(),
            nullable=False,
            comment="the worker puts it into the bank's folder; else a person hands it in",
        ),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the bytes handed in: the stored file's own"),
        sa.Column("begun_by", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", at, nullable=False),
        sa.Column("started_at", at, nullable=True, comment="when the worker went to the folder; it goes there once"),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False, comment="how that is known"),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", at, nullable=True),
        sa.CheckConstraint("outcome IN ('accepted', 'not_accepted')", name=op.f("ck_payout_submission_outcome")),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name=op.f("ck_payout_submission_ended")),
        sa.ForeignKeyConstraint(["run_id"], ["payout_run.id"], name=op.f("fk_payout_submission_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_submission")),
    )
    op.create_index(
        "uq_payout_submission_open",
        "payout_submission",
        ["run_id"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
    )
