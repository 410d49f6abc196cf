"""Documents for members: sellers, series without gaps, lines that stand for one fact each, and their papers."""

import sqlalchemy as sa
from alembic import op

revision = "member_documents"
down_revision = "seconding"
branch_labels = None
depends_on = None

NEVER_CHANGED = (
    "seller",
    "invoice_address",
    "document",
    "document_line",
    "document_reference",
    "document_paper",
)


def upgrade() -> None:
    _sellers()
    _documents()
    _lines()
    op.create_table(
        "document_reference",
        _number("document_id"),
        _number("earlier_id"),
        _key("document_reference", "document_id", "document"),
        _key("document_reference", "earlier_id", "document"),
        sa.PrimaryKeyConstraint("document_id", "earlier_id", name=op.f("pk_document_reference")),
    )
    op.create_table(
        "document_paper",
        _number("document_id"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        _key("document_paper", "document_id", "document"),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_document_paper")),
    )
    for table in NEVER_CHANGED:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()"
        )
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM coop_app")
    op.execute("REVOKE DELETE ON document_series FROM coop_app")


def _sellers() -> None:
    op.create_table(
        "seller",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _number("artisan_id", nullable=True, comment="null: the co-op itself"),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="lines, as they stand on a document"),
        sa.Column("tax_number", sa.Text(), nullable=False, comment="empty where the seller is not liable for tax"),
        _number("set_by"),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(legal_name) BETWEEN 1 AND 120 AND length(address) BETWEEN 1 AND 400", name=op.f("ck_seller_words")
        ),
        _key("seller", "artisan_id", "artisan"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller")),
    )
    op.create_index(op.f("ix_seller_artisan_id_id"), "seller", ["artisan_id", "id"])
    op.create_table(
        "invoice_address",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _number("household_id"),
        sa.Column("address", sa.Text(), nullable=False),
        _number("set_by"),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(address) <= 400", name=op.f("ck_invoice_address_address")),
        _key("invoice_address", "household_id", "household"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_address")),
    )
    op.create_index(op.f("ix_invoice_address_household_id_id"), "invoice_address", ["household_id", "id"])


def _documents() -> None:
    op.create_table(
        "document_series",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_document_series")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _number("seller_id"),
        _number("household_id"),
        sa.Column("addressee", sa.Text(), nullable=False, comment="name and address as they were then"),
        sa.Column("starts", sa.Date(), nullable=False, comment="day of the first line"),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        _number("issued_by", comment="who asked for it; 0 for the clock"),
        sa.Column("reason", sa.Text(), server_default="", nullable=False, comment="why something is put right"),
        _number("gross_minor", comment="sum of its lines, tax inside, deposits apart"),
        _number("tax_minor"),
        _number("fund_minor", comment="what the hardship fund bears of it; below zero where the household paid more"),
        _number("deposit_minor"),
        sa.CheckConstraint("kind IN ('invoice', 'receipt', 'credit_note')", name=op.f("ck_document_kind")),
        sa.CheckConstraint("starts <= ends", name=op.f("ck_document_days")),
        _key("document", "seller_id", "seller"),
        _key("document", "household_id", "household"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("series", "number", name=op.f("uq_document_series_number")),
    )
    op.create_index(op.f("ix_document_household_id_id"), "document", ["household_id", "id"])


def _lines() -> None:
    op.create_table(
        "document_line",
        _number("document_id"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        _number("pieces", default="0"),
        _number("unit_minor", default="0"),
        _number("gross_minor"),
        sa.Column("rate_bp", sa.Integer(), server_default="0", nullable=False, comment="of the tax inside gross"),
        _number("tax_minor", default="0"),
        _number("fund_minor", default="0"),
        _number("deposit_minor", default="0"),
        _number("line_id", nullable=True),
        _number("hand_over_id", nullable=True, comment="what was fetched, or that it was not"),
        _number("credit_note_id", nullable=True, comment="pieces found bad"),
        _number("taken_back_id", nullable=True, comment="a credit note that was made in error"),
        _number("entry_id", nullable=True, comment="a payment, or the reversal of one"),
        sa.CheckConstraint(
            "num_nonnulls(hand_over_id, credit_note_id, taken_back_id, entry_id) = 1",
            name=op.f("ck_document_line_fact"),
        ),
        _key("document_line", "document_id", "document"),
        _key("document_line", "line_id", "order_line"),
        _key("document_line", "hand_over_id", "hand_over"),
        _key("document_line", "credit_note_id", "credit_note"),
        _key("document_line", "taken_back_id", "credit_note"),
        sa.PrimaryKeyConstraint("document_id", "n", name=op.f("pk_document_line")),
    )
    _once("hand_over", "hand_over_id", "line_id")
    _once("credit_note", "credit_note_id")
    _once("taken_back", "taken_back_id")
    _once("entry", "entry_id")
    op.create_index(
        "ix_document_line_line_id", "document_line", ["line_id"], postgresql_where=sa.text("line_id IS NOT NULL")
    )


def _once(name: str, *columns: str) -> None:
    op.create_index(
        f"uq_document_line_{name}",
        "document_line",
        list(columns),
        unique=True,
        postgresql_where=sa.text(f"{columns[0]} IS NOT NULL"),
    )


def _number(
    name: str, *, nullable: bool = False, default: str | None = None, comment: str | None = None
) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=default, comment=comment)


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))
