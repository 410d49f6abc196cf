"""Bank details in the United States."""

import sqlalchemy as sa
from alembic import op

revision = "us_accounts"
down_revision = "refusals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    scheme = "iban, or us: routing number, account number and kind are sealed together"
    column = sa.Column("scheme", sa.Text(), server_default="iban", nullable=False, comment=scheme)
    op.add_column("bank_details", column)
    op.create_check_constraint(op.f("ck_bank_details_scheme"), "bank_details", "scheme IN ('iban', 'us')")
