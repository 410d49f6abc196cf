"""Payments by card, and the provider's messages about them."""

import sqlalchemy as sa
from alembic import op

revision = "cards"
down_revision = "own_price"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "card_payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False, comment="share, credit or gift"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("session_ref", sa.Text(), nullable=True, comment="the provider's payment page"),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("payment_ref", sa.Text(), nullable=True, comment="the provider's payment, known once it is paid"),
        sa.Column(
            "entry_id",
            sa.BigInteger(),
            nullable=True,
            comment="entry that books it; null until the provider says it is paid",
        ),
        sa.Column("given_back_minor", sa.BigInteger(), server_default="0", nullable=False, comment="refunded in all"),
        sa.Column("begun_at", at, nullable=False),
        sa.Column("begun_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_card_payment_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_payment")),
        sa.UniqueConstraint("session_ref", name=op.f("uq_card_payment_session_ref")),
        sa.UniqueConstraint("payment_ref", name=op.f("uq_card_payment_payment_ref")),
    )
    op.create_index(op.f("ix_card_payment_household_id"), "card_payment", ["household_id"])
    op.create_table(
        "card_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_ref", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "session_ref", "payment_ref")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("minor", "fee_minor")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("currency", "outcome")),
        sa.Column("heard_at", at, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_message")),
        sa.UniqueConstraint("event_ref", name=op.f("uq_card_message_event_ref")),
    )
    op.create_index(op.f("ix_card_message_payment_ref"), "card_message", ["payment_ref"])
