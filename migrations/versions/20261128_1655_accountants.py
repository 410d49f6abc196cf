"""A role that reads the books and nothing else."""

from alembic import op

revision = "accountants"
down_revision = "us_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_role_grant_role"), "role_grant")
    op.create_check_constraint(
        op.f("ck_role_grant_role"), "role_grant", "role IN ('artisan', 'packer', 'treasurer', 'accountant', 'admin')"
    )
