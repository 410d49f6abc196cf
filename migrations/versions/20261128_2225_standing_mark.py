"""What wishes would come to is kept by those who show it: under a mark that changes with where households stand and what they weigh.

The mark is a row, or several where changes ran side by side: each change brings a row of its own and takes away those that
nobody else is about to take. So none waits for another, and no two states of the database ever have the same marks.
"""

import sqlalchemy as sa
from alembic import op

revision = "standing_mark"
down_revision = "shelf_version"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION standing_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM standing_mark WHERE version IN (SELECT version FROM standing_mark FOR UPDATE SKIP LOCKED);
  INSERT INTO standing_mark DEFAULT VALUES;
  RETURN NULL;
END $$;
"""

DECIDED_BY = {
    "standing": "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    "season_share": "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    "share_size": "UPDATE OF season_id, weight",
    "season": "UPDATE OF memory, credit_cap, guest_weight",
    "pool": "UPDATE OF season_id, opened_at",
    "offering": "UPDATE OF pool_id, product_id",
    "product": "UPDATE OF family",
    "household_order": "UPDATE OF pool_id, household_id",
}


def upgrade() -> None:
    op.create_table(
        "standing_mark",
        sa.Column("version", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_standing_mark"),
    )
    op.execute("INSERT INTO standing_mark DEFAULT VALUES")
    op.execute(FUNCTION)
    for table, events in DECIDED_BY.items():
        op.execute(
            f"CREATE TRIGGER standing_changed AFTER {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION standing_changed()"
        )
