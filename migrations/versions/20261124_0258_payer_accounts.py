"""The accounts that households paid from, by keyed hash, so that their next payment is known."""

import sqlalchemy as sa
from alembic import op

revision = "payer_accounts"
down_revision = "fairness_report"
branch_labels = None
depends_on = None


def upgrade() -> None:
    hashed = "keyed hash of the other side's IBAN"
    op.add_column("bank_line", sa.Column("payer_hash", sa.Text(), nullable=True, comment=hashed))
    ending = "its last four characters"
    op.add_column("bank_line", sa.Column("iban_ending", sa.Text(), server_default="", nullable=False, comment=ending))
    hmac = "HMAC-SHA-256 of the IBAN under the field key"
    op.create_table(
        "payer_account",
        sa.Column("payer_hash", sa.Text(), nullable=False, comment=hmac),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_payer_account_household_id")),
        sa.PrimaryKeyConstraint("payer_hash", "household_id", name=op.f("pk_payer_account")),
    )
