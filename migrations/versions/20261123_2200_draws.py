"""What a pool promised before its orders opened, and where the chance in its sharing out comes from.

What is promised is never edited. Of a draw only two things can still happen once orders are open, each once: its value
becomes known, or it is void. A witness's secret can be written only if it has the hash that was handed in.
"""

import sqlalchemy as sa
from alembic import op

revision = "draws"
down_revision = "statement_lines"
branch_labels = None
depends_on = None

WAITING = ("requested", "waiting", "proposed", "publishing", "published")
RUN_STATES = (*WAITING, "failed", "cancelled", "superseded")

FUNCTIONS = """
CREATE FUNCTION draw_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM commitment c WHERE c.pool_id = OLD.pool_id) THEN
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'DELETE'
     OR (NEW.pool_id, NEW.n, NEW.kind, NEW.chain, NEW.round, NEW.round_at) IS DISTINCT FROM
        (OLD.pool_id, OLD.n, OLD.kind, OLD.chain, OLD.round, OLD.round_at)
     OR (OLD.value IS NOT NULL AND NEW.value IS DISTINCT FROM OLD.value)
     OR (OLD.voided_at IS NOT NULL AND NEW.voided_at IS DISTINCT FROM OLD.voided_at) THEN
    RAISE EXCEPTION 'a draw stands once orders have opened' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION witness_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM commitment c WHERE c.pool_id = OLD.pool_id) THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'DELETE'
     OR (NEW.pool_id, NEW.n, NEW.person_id, NEW.hash) IS DISTINCT FROM (OLD.pool_id, OLD.n, OLD.person_id, OLD.hash)
     OR (OLD.secret IS NOT NULL AND NEW.secret IS DISTINCT FROM OLD.secret) THEN
    RAISE EXCEPTION 'what a witness handed in stands' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON draw FOR EACH ROW EXECUTE FUNCTION draw_keep();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON witness FOR EACH ROW EXECUTE FUNCTION witness_keep();
"""


def upgrade() -> None:
    op.create_table(
        "commitment",
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="canonical JSON, as the digest covers it"),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pool_id", name=op.f("pk_commitment")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_commitment_pool_id")),
    )
    op.create_table(
        "draw",
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False, comment="1, and one more for each draw that was void"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), server_default="", nullable=False, comment="where a beacon can be looked up"),
        sa.Column("round", sa.Text(), server_default="", nullable=False),
        sa.Column("round_at", sa.DateTime(timezone=True), nullable=True, comment="when the round appears"),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("named_by", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True, comment="the source of the seed, once it is known"),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known_by", sa.BigInteger(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.BigInteger(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("pool_id", "n", name=op.f("pk_draw")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_draw_pool_id")),
        sa.CheckConstraint("kind IN ('witnesses', 'beacon')", name=op.f("ck_draw_kind")),
        sa.CheckConstraint("(kind = 'beacon') = (round_at IS NOT NULL)", name=op.f("ck_draw_round")),
        sa.CheckConstraint("value IS NULL OR octet_length(value) = 32", name=op.f("ck_draw_value")),
        sa.CheckConstraint("value IS NULL OR voided_at IS NULL", name=op.f("ck_draw_known_or_void")),
    )
    op.create_table(
        "witness",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False, comment="the draw"),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False, comment="SHA-256 of the secret, handed in before"),
        sa.Column("handed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True, comment="revealed once the inputs were frozen"),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_witness")),
        sa.ForeignKeyConstraint(["pool_id", "n"], ["draw.pool_id", "draw.n"], name=op.f("fk_witness_pool_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_witness_person_id")),
        sa.UniqueConstraint("pool_id", "n", "person_id", name=op.f("uq_witness_pool_id_n_person_id")),
        sa.UniqueConstraint("hash", name=op.f("uq_witness_hash")),
        sa.CheckConstraint(
            "secret IS NULL OR (octet_length(secret) = 32 AND encode(sha256(secret), 'hex') = hash)",
            name=op.f("ck_witness_secret"),
        ),
    )
    op.create_table(
        "season_secret",
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="what the season's draws came from"),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revealed_by", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("season_id", name=op.f("pk_season_secret")),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_season_secret_season_id")),
    )
    op.add_column(
        "allocation_run",
        sa.Column(
            "frozen_at", sa.DateTime(timezone=True), nullable=True, comment="when its input digest was published"
        ),
    )
    op.drop_constraint(op.f("ck_allocation_run_state"), "allocation_run", type_="check")
    op.create_check_constraint(op.f("ck_allocation_run_state"), "allocation_run", f"state IN {RUN_STATES}")
    op.drop_index("uq_allocation_run_live", "allocation_run")
    op.create_index(
        "uq_allocation_run_live",
        "allocation_run",
        ["pool_id"],
        unique=True,
        postgresql_where=sa.text(f"state IN {WAITING}"),
    )
    op.execute(FUNCTIONS)
    for table in ("commitment", "season_secret"):
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()"
        )
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM coop_app")
