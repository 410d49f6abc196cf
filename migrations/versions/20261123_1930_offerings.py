"""An offering can be taken out of a pool that nobody could order in yet; and the list of members is read in its order.

An offering that was ordered stays: its order lines hold it, and they are never deleted.
"""

from alembic import op

revision = "offerings"
down_revision = "yields"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT DELETE ON offering TO coop_app")
    op.execute("CREATE INDEX ix_household_by_name ON household (lower(name), id) WHERE left_at IS NULL")
