"""Corrected yields of published pools: what is proposed, and the versions of a sharing out that replace one another."""

import sqlalchemy as sa
from alembic import op

revision = "corrections"
down_revision = "release_check"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger()
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    corrects = "the version before, if a corrected yield made this one"
    op.add_column("allocation_run", sa.Column("corrects_id", NUMBER, nullable=True, comment=corrects))
    op.add_column(
        "allocation_run", sa.Column("offering_id", NUMBER, nullable=True, comment="whose yield was corrected")
    )
    op.add_column("allocation_run", sa.Column("units_before", NUMBER, nullable=True))
    op.add_column("allocation_run", sa.Column("units", NUMBER, nullable=True))
    for column, other in (("corrects_id", "allocation_run"), ("offering_id", "offering")):
        op.create_foreign_key(op.f(f"fk_allocation_run_{column}"), "allocation_run", other, [column], ["id"])
    op.create_unique_constraint(op.f("uq_allocation_run_corrects_id"), "allocation_run", ["corrects_id"])
    floor = "handed over when a corrected yield made this version; null for all other lines"
    op.add_column("award", sa.Column("floor", NUMBER, nullable=True, comment=floor))
    declined = "given by the rule, but not held for lack of credit; counts as received"
    op.add_column("award", sa.Column("declined", NUMBER, server_default=sa.text("0"), nullable=False, comment=declined))
    _add_corrections()
    _add_lines()


def _add_corrections() -> None:
    op.create_table(
        "correction",
        sa.Column("id", NUMBER, sa.Identity(always=False), nullable=False),
        sa.Column("pool_id", NUMBER, nullable=False),
        sa.Column("offering_id", NUMBER, nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("new_run_id", NUMBER, nullable=True),
        sa.Column("units_before", NUMBER, nullable=False),
        sa.Column("units", NUMBER, nullable=False),
        sa.Column("state", sa.Text(), server_default="requested", nullable=False),
        sa.Column("requested_by", NUMBER, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("chain_start", sa.Text(), nullable=True, comment="result digest that the season's chain stood at"),
        sa.Column("result_digest", sa.Text(), nullable=True),
        sa.Column("proposed_at", INSTANT, nullable=True),
        sa.Column("published_by", NUMBER, nullable=True),
        sa.Column("published_at", INSTANT, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True, comment="what went wrong, in plain words"),
        sa.CheckConstraint(
            "state IN ('requested', 'proposed', 'publishing', 'published', 'failed', 'cancelled')",
            name=op.f("ck_correction_state"),
        ),
        sa.ForeignKeyConstraint(["new_run_id"], ["allocation_run.id"], name=op.f("fk_correction_new_run_id")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_correction_offering_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_correction_pool_id")),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_correction_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_pool_id"), "correction", ["pool_id"], unique=False)
    live = sa.text("state IN ('requested', 'proposed', 'publishing')")
    op.create_index("uq_correction_live", "correction", ["pool_id"], unique=True, postgresql_where=live)


def _add_lines() -> None:
    op.create_table(
        "correction_line",
        sa.Column("correction_id", NUMBER, nullable=False),
        sa.Column("line_id", NUMBER, nullable=False),
        sa.Column("floor", NUMBER, nullable=False),
        sa.Column("pieces", NUMBER, nullable=False),
        sa.Column("extra", NUMBER, nullable=False),
        sa.Column("entitled_micro", NUMBER, nullable=True),
        sa.Column("owed_before_micro", NUMBER, nullable=True),
        sa.Column("entitled_before_micro", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["correction_id"], ["correction.id"], name=op.f("fk_correction_line_correction_id")),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_correction_line_line_id")),
        sa.PrimaryKeyConstraint("correction_id", "line_id", name=op.f("pk_correction_line")),
    )
