"""What the co-op takes of a maker's sales takes two people: one asks, another lets it count. What was agreed before counts as it did."""

import sqlalchemy as sa
from alembic import op

revision = "asked_terms"
down_revision = "statement_sums"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    taxed = "tax inside the price: the co-op's in resale, else the maker's own"
    op.create_table(
        "asked_terms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("artisan_id", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", when, nullable=False),
        sa.Column("model", sa.Text(), server_default="agent", nullable=False),
        sa.Column("fee_bp", sa.Integer(), nullable=False, comment="co-op fee taken off, basis points"),
        sa.Column("fee_tax_bp", sa.Integer(), server_default="0", nullable=False, comment="tax inside the fee"),
        sa.Column("price_tax_bp", sa.Integer(), server_default="0", nullable=False, comment=taxed),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", when, nullable=False),
        sa.Column("decided_by", sa.BigInteger()),
        sa.Column("decided_at", when),
        sa.Column("terms_id", sa.BigInteger(), comment="what came of it"),
        sa.CheckConstraint("model IN ('agent', 'resale')", name=op.f("ck_asked_terms_model")),
        sa.CheckConstraint("fee_bp BETWEEN 0 AND 5000", name=op.f("ck_asked_terms_fee")),
        sa.CheckConstraint("fee_tax_bp BETWEEN 0 AND 5000", name=op.f("ck_asked_terms_fee_tax")),
        sa.CheckConstraint("price_tax_bp BETWEEN 0 AND 5000", name=op.f("ck_asked_terms_price_tax")),
        sa.CheckConstraint("state IN ('waiting', 'done', 'withdrawn')", name=op.f("ck_asked_terms_state")),
        sa.CheckConstraint("state <> 'done' OR decided_by <> asked_by", name=op.f("ck_asked_terms_second_person")),
        sa.CheckConstraint("(state = 'done') = (terms_id IS NOT NULL)", name=op.f("ck_asked_terms_terms")),
        sa.ForeignKeyConstraint(["artisan_id"], ["artisan.id"], name=op.f("fk_asked_terms_artisan_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["artisan_terms.id"], name=op.f("fk_asked_terms_terms_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asked_terms")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "uq_asked_terms_waiting", "asked_terms", ["artisan_id", "effective_from"], unique=True, postgresql_where=waiting
    )
