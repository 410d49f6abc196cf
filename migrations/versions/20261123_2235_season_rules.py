"""What a season shares out by, in versions: each choice stays readable with who made it and when."""

import sqlalchemy as sa
from alembic import op

revision = "season_rules"
down_revision = "season_memory"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "season_rule",
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("memory", sa.Text(), nullable=False),
        sa.Column("credit_cap", sa.Integer(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("chosen_by", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_season_rule_season_id")),
        sa.PrimaryKeyConstraint("season_id", "version", name=op.f("pk_season_rule")),
    )
    op.execute(
        "INSERT INTO season_rule (season_id, version, rule, memory, credit_cap, chosen_at, chosen_by)"
        " SELECT id, 1, rule, memory, credit_cap, made_at, 0 FROM season"
    )
    op.execute(
        "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON season_rule"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()"
    )
    op.execute("REVOKE UPDATE, DELETE ON season_rule FROM coop_app")
