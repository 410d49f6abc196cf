"""Awards changed by hand while a run is proposed, each approved by a second person."""

import sqlalchemy as sa
from alembic import op

revision = "award_overrides"
down_revision = "taken_off"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger()
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    computed = "what the rule alone came to, where awards were changed by hand"
    op.add_column("allocation_run", sa.Column("computed_digest", sa.Text(), nullable=True, comment=computed))
    waiting = "changes by hand that nobody has approved or refused yet; kept under the lock of the run"
    op.add_column(
        "allocation_run",
        sa.Column("overrides_waiting", sa.Integer(), server_default="0", nullable=False, comment=waiting),
    )
    op.create_table(
        "award_override",
        sa.Column("id", NUMBER, sa.Identity(always=False), nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("offering_id", NUMBER, nullable=False),
        sa.Column("line_id", NUMBER, nullable=False),
        sa.Column("computed", NUMBER, nullable=False, comment="what the rule gives"),
        sa.Column("pieces", NUMBER, nullable=False, comment="what is given instead"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("made_by", NUMBER, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("decided_by", NUMBER, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'refused', 'replaced')", name=op.f("ck_award_override_state")
        ),
        sa.CheckConstraint("pieces >= 0 AND computed >= 0", name=op.f("ck_award_override_pieces")),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_award_override_decided")),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_award_override_run_id")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_award_override_offering_id")),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_award_override_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award_override")),
    )
    for state in ("waiting", "approved"):
        where = sa.text(f"state = '{state}'")
        columns = ["run_id", "line_id"]
        op.create_index(f"uq_award_override_{state}", "award_override", columns, unique=True, postgresql_where=where)
