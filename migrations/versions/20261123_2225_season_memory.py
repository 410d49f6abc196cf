"""A season's memory: entitlements beside balances, a credit cap, and each change of a standing that no batch made."""

import sqlalchemy as sa
from alembic import op

revision = "season_memory"
down_revision = "lean_awards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    cap = "in pieces per share point, for memory season; null for none"
    op.add_column("season", sa.Column("credit_cap", sa.Integer(), nullable=True, comment=cap))
    op.create_check_constraint(
        op.f("ck_season_credit_cap"), "season", "credit_cap IS NULL OR memory = 'season' AND credit_cap >= 0"
    )
    op.add_column("allocation_run", sa.Column("credit_cap", sa.Integer(), nullable=True))
    before = "sum of entitlements before this batch; for memory season only"
    op.add_column("award", sa.Column("entitled_before_micro", sa.BigInteger(), nullable=True, comment=before))
    entitled = "sum of entitlements; kept by seasons of memory season only"
    op.add_column(
        "standing",
        sa.Column("entitled_micro", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment=entitled),
    )
    _add_events()


def _add_events() -> None:
    op.create_table(
        "standing_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owed_micro", sa.BigInteger(), nullable=False),
        sa.Column("entitled_micro", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=True, comment="settled before this pool was shared out"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('joined', 'left', 'spread', 'merged', 'split')", name=op.f("ck_standing_event_kind")
        ),
        sa.CheckConstraint(
            "owed_micro <> 0 OR entitled_micro <> 0 OR kind = 'joined'", name=op.f("ck_standing_event_change")
        ),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_standing_event_household_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_standing_event_pool_id")),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_standing_event_season_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_event")),
    )
    op.create_index(
        op.f("ix_standing_event_season_id_household_id"), "standing_event", ["season_id", "household_id"], unique=False
    )
    op.create_index(
        "uq_standing_event_joined",
        "standing_event",
        ["season_id", "family", "household_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'joined'"),
    )
    op.execute(
        "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON standing_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()"
    )
    op.execute("REVOKE UPDATE, DELETE ON standing_event FROM coop_app")
