"""Jars and bottles by kind and holder. What was deposited without naming a kind gets one for each amount."""

import sqlalchemy as sa
from alembic import op

revision = "returnables"
down_revision = "by_hand"
branch_labels = None
depends_on = None

# Whatever was offered was deposited a piece, so each amount is one container on a piece.
NAMED = """
INSERT INTO container_type (name, deposit_minor)
SELECT 'container ' || row_number() OVER (ORDER BY deposit_minor), deposit_minor
  FROM (SELECT deposit_minor FROM product UNION SELECT deposit_minor FROM offering) d
 WHERE deposit_minor > 0 ORDER BY deposit_minor;
UPDATE product p SET container_type_id = t.id FROM container_type t WHERE t.deposit_minor = p.deposit_minor;
UPDATE offering f SET container_type_id = t.id FROM container_type t WHERE t.deposit_minor = f.deposit_minor;
"""


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    op.create_table(
        "container_type",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="jar 0.5 l"),
        sa.Column("deposit_minor", sa.BigInteger(), nullable=False, comment="returnable deposit on one"),
        sa.Column("added_at", at, server_default=now, nullable=False),
        sa.Column("ended_at", at, nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 60", name="name"),
        sa.CheckConstraint("deposit_minor > 0", name="deposit"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_container_type")),
        sa.UniqueConstraint("name", name=op.f("uq_container_type_name")),
    )
    told = {
        "product": ("jar or bottle that comes back; null: none", "how many of them go out with a piece"),
        "offering": (None, "returnable containers that go out with a piece"),
    }
    for table, (kind, each) in told.items():
        op.add_column(table, sa.Column("container_type_id", sa.BigInteger(), nullable=True, comment=kind))
        one = sa.Column("containers_each", sa.Integer(), server_default="1", nullable=False, comment=each)
        op.add_column(table, one)
        named = op.f(f"fk_{table}_container_type_id")
        op.create_foreign_key(named, table, "container_type", ["container_type_id"], ["id"])
    op.alter_column("product", "deposit_minor", comment="returnable deposit on a piece")
    for statement in NAMED.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in told:
        op.create_check_constraint("container", table, "(container_type_id IS NULL) = (deposit_minor = 0)")
        op.create_check_constraint("containers_each", table, "containers_each > 0")
    op.create_table(
        "returnable_move",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("type_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="back: brought to the co-op; forfeited: the deposit is the co-op's",
        ),
        sa.Column(
            "pieces",
            sa.BigInteger(),
            nullable=False,
            comment="taken off what is out; below 0 where an earlier move is undone",
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=False, comment="entry that moves the deposit"),
        sa.Column("undoes_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("moved_at", at, nullable=False),
        sa.Column("moved_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('back', 'forfeited')", name="kind"),
        sa.CheckConstraint("CASE WHEN undoes_id IS NULL THEN pieces > 0 ELSE pieces < 0 END", name="pieces"),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_returnable_move_household_id")),
        sa.ForeignKeyConstraint(["type_id"], ["container_type.id"], name=op.f("fk_returnable_move_type_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["returnable_move.id"], name=op.f("fk_returnable_move_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returnable_move")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_returnable_move_entry_id")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_returnable_move_undoes_id")),
    )
    op.create_index(op.f("ix_returnable_move_household_id"), "returnable_move", ["household_id"])
    op.create_table(
        "container_count",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("type_id", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False, comment="empty ones that stood at the co-op"),
        sa.Column(
            "expected",
            sa.BigInteger(),
            nullable=False,
            comment="what the count before and what came back since made of it",
        ),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("counted_at", at, nullable=False),
        sa.Column("counted_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("pieces >= 0", name="pieces"),
        sa.ForeignKeyConstraint(["type_id"], ["container_type.id"], name=op.f("fk_container_count_type_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_container_count")),
    )
    op.create_index(op.f("ix_container_count_type_id"), "container_count", ["type_id"])
    for table in ("returnable_move", "container_count"):
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM coop_app")
