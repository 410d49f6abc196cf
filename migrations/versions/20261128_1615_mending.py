"""Several makers of one piece, changed fees, credit notes, and hand-overs that are taken back."""

import sqlalchemy as sa
from alembic import op

revision = "mending"
down_revision = "hardship"
branch_labels = None
depends_on = None

_PLACE = "place in the list: an odd cent goes to the earlier"


def upgrade() -> None:
    _makers()
    _hand_overs()
    _fee_changes()
    _credit_notes()
    told = "came back after it was settled, or was refused before it moved"
    op.alter_column("payment", "returned_on", comment=told)


def _makers() -> None:
    for of in ("product", "offering"):
        table = f"{of}_maker"
        op.create_table(
            table,
            sa.Column(f"{of}_id", sa.BigInteger(), nullable=False),
            sa.Column("n", sa.Integer(), nullable=False, comment=_PLACE),
            sa.Column("artisan_id", sa.BigInteger(), nullable=False),
            sa.Column("part_bp", sa.Integer(), nullable=False),
            sa.CheckConstraint("part_bp BETWEEN 1 AND 10000", name="part"),
            sa.ForeignKeyConstraint([f"{of}_id"], [f"{of}.id"], name=op.f(f"fk_{table}_{of}_id")),
            sa.ForeignKeyConstraint(["artisan_id"], ["artisan.id"], name=op.f(f"fk_{table}_artisan_id")),
            sa.PrimaryKeyConstraint(f"{of}_id", "n", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint(f"{of}_id", "artisan_id", name=op.f(f"uq_{table}_{of}_id_artisan_id")),
        )
        op.create_index(op.f(f"ix_{table}_artisan_id"), table, ["artisan_id"])


def _hand_overs() -> None:
    told = "the hand-over that was ticked in error"
    op.add_column("hand_over", sa.Column("undoes_id", sa.BigInteger(), nullable=True, comment=told))
    op.create_foreign_key(op.f("fk_hand_over_undoes_id"), "hand_over", "hand_over", ["undoes_id"], ["id"])
    op.create_unique_constraint(op.f("uq_hand_over_undoes_id"), "hand_over", ["undoes_id"])
    op.drop_constraint(op.f("ck_hand_over_line_pieces"), "hand_over_line")
    op.create_check_constraint(op.f("ck_hand_over_line_pieces"), "hand_over_line", "pieces <> 0")
    told = "what the hardship fund bears of these pieces; below zero what it got"
    op.add_column("hand_over_line", sa.Column("fund_minor", sa.BigInteger(), server_default="0", nullable=False, comment=told))  # fmt: skip


def _fee_changes() -> None:
    op.create_table(
        "fee_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("fee_bp", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True, comment="null where nothing was to be booked by itself"),
        sa.Column(
            "fee_minor",
            sa.BigInteger(),
            nullable=False,
            comment="what the fee of pieces handed over before changes by, tax included",
        ),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False, comment="what the makers' net changes by"),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fee_bp BETWEEN 0 AND 5000", name="fee"),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_fee_change_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_change")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_fee_change_entry_id")),
    )
    op.create_index(op.f("ix_fee_change_line_id_id"), "fee_change", ["line_id", "id"])


def _credit_notes() -> None:
    op.create_table(
        "credit_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True, comment="null when the pieces were free"),
        sa.Column(
            "gross_minor",
            sa.BigInteger(),
            nullable=False,
            comment="price that goes back to household and hardship fund",
        ),
        sa.Column("fund_minor", sa.BigInteger(), nullable=False, comment="of it to the fund"),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False, comment="what the makers give back"),
        sa.Column("noted_by", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reversed_id",
            sa.BigInteger(),
            nullable=True,
            comment="the entry that took the note back; it counts no more then",
        ),
        sa.CheckConstraint("pieces > 0", name="pieces"),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_credit_note_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_credit_note_entry_id")),
    )
    op.create_index(op.f("ix_credit_note_line_id"), "credit_note", ["line_id"])
