"""The tax inside a maker's own price stands on invoices in its name, so it is agreed for makers who sell themselves too."""

from alembic import op

revision = "price_tax"
down_revision = "member_documents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column(
        "artisan_terms",
        "price_tax_bp",
        comment="tax inside the price: the co-op's in resale, else the maker's own",
        existing_comment="tax inside the price, resale only",
    )
