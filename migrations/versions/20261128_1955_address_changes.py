"""Changes of mail addresses."""

import sqlalchemy as sa
from alembic import op

revision = "address_changes"
down_revision = "household_files"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    fell = "when it was taken back, or fell because another followed or an earlier one was taken back"
    op.create_table(
        "address_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("old_address", sa.Text(), nullable=False),
        sa.Column("new_address", sa.Text(), nullable=False),
        sa.Column("asked_at", when, nullable=False),
        sa.Column("confirmed_at", when),
        sa.Column("undone_at", when, comment=fell),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_address_change_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_change")),
    )
    op.create_index(op.f("ix_address_change_person_id"), "address_change", ["person_id"])
    op.drop_constraint(op.f("ck_one_time_token_purpose"), "one_time_token")
    kinds = "purpose IN ('reset_password', 'first_admin', 'confirm_email') OR purpose ~ '^(new|undo)_address:[0-9]+$'"
    op.create_check_constraint(op.f("ck_one_time_token_purpose"), "one_time_token", kinds)
