"""Bank accounts of households, and the bank files that pay them."""

import sqlalchemy as sa
from alembic import op

revision = "household_files"
down_revision = "accounts_seconded"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    op.create_table(
        "household_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "scheme",
            sa.Text(),
            nullable=False,
            comment="iban, or us: routing number, account number and kind are sealed together",
        ),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False, comment="AES-GCM under the field key"),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", when, nullable=False),
        sa.Column("rests_until", when, comment="nothing is paid to it before; null for a first one"),
        sa.CheckConstraint("scheme IN ('iban', 'us')", name=op.f("ck_household_account_scheme")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_household_account_household_id_household")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_account")),
    )
    op.create_index(op.f("ix_household_account_household_id"), "household_account", ["household_id"])
    op.create_table(
        "household_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", when, nullable=False),
        sa.Column("decided_by", sa.BigInteger()),
        sa.Column("decided_at", when),
        sa.Column("message_id", sa.Text()),
        sa.Column("extension", sa.Text(), comment="how its name ends: xml, ach, csv"),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("sha256", sa.Text()),
        sa.Column("refused_at", when, comment="when it was noted that the bank did not take the file"),
        sa.Column("refused_by", sa.BigInteger()),
        sa.Column("refused_reason", sa.Text()),
        sa.CheckConstraint("state IN ('waiting', 'done', 'withdrawn')", name=op.f("ck_household_file_state")),
        sa.CheckConstraint("state <> 'done' OR decided_by <> asked_by", name=op.f("ck_household_file_second_person")),
        sa.CheckConstraint("(state = 'done') = (content IS NOT NULL)", name=op.f("ck_household_file_stored")),
        sa.CheckConstraint("refused_at IS NULL OR state = 'done'", name=op.f("ck_household_file_refused")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_file")),
        sa.UniqueConstraint("message_id", name=op.f("uq_household_file_message_id")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "uq_household_file_open", "household_file", [sa.text("(true)")], unique=True, postgresql_where=waiting
    )
    op.create_table(
        "household_file_line",
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "live",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="false once the file was withdrawn or refused by the bank",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["household_account.id"], name=op.f("fk_household_file_line_account_id_household_account")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["household_file.id"], name=op.f("fk_household_file_line_file_id_household_file")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["household_payment.id"], name=op.f("fk_household_file_line_payment_id_household_payment")
        ),
        sa.PrimaryKeyConstraint("file_id", "payment_id", name=op.f("pk_household_file_line")),
    )
    live = sa.text("live")
    op.create_index(
        "uq_household_file_line_live", "household_file_line", ["payment_id"], unique=True, postgresql_where=live
    )
    op.drop_constraint(op.f("ck_household_payment_purpose"), "household_payment")
    op.create_check_constraint(
        op.f("ck_household_payment_purpose"), "household_payment", "purpose IN ('dividend', 'buyback', 'refund')"
    )
