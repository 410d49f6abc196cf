"""What a bank's CSV columns are, files that wait for that, and bank files sealed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "bank_columns"
down_revision = "payer_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_columns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False, comment="the co-op's own account"),
        sa.Column("headings_sha256", sa.Text(), nullable=False, comment="digest of the file's headings in their order"),
        sa.Column("columns", postgresql.JSONB(), nullable=False, comment="the fields of formats.bank_csv.Columns"),
        sa.Column("said_by", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_columns")),
        sa.UniqueConstraint("iban", "headings_sha256", name=op.f("uq_bank_columns_iban_headings_sha256")),
    )
    op.create_table(
        "bank_file_waiting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="the file, AES-GCM under the field key"),
        sa.Column("sent_by", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file_waiting")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_file_waiting_sha256")),
    )
    sealed = "the file, AES-GCM under the field key"
    op.alter_column("bank_statement", "bytes", new_column_name="sealed", comment=sealed)
