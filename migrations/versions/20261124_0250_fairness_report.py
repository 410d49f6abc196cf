"""Reports on how fairly a season was shared out, each a version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "fairness_report"
down_revision = "award_overrides"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fairness_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="requested", nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "done", sa.Integer(), server_default="0", nullable=False, comment="steps that the worker has behind it"
        ),
        sa.Column(
            "steps", sa.Integer(), server_default="0", nullable=False, comment="of so many; 0 before it has begun"
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True, comment="what went wrong, in plain words"),
        sa.Column(
            "figures",
            postgresql.JSONB(),
            nullable=True,
            comment="as worked out; households by number, so that an erased one is nameless here too",
        ),
        sa.CheckConstraint("state IN ('requested', 'ready', 'failed')", name=op.f("ck_fairness_report_state")),
        sa.CheckConstraint("(state = 'ready') = (figures IS NOT NULL)", name=op.f("ck_fairness_report_figures")),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_fairness_report_season_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fairness_report")),
        sa.UniqueConstraint("season_id", "version", name=op.f("uq_fairness_report_season_id_version")),
    )
    live = sa.text("state = 'requested'")
    op.create_index("uq_fairness_report_live", "fairness_report", ["season_id"], unique=True, postgresql_where=live)
