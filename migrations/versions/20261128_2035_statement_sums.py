"""What a statement says of deposits and of what waited for it is kept with it: it never changes, and adding it up took long."""

import sqlalchemy as sa
from alembic import op

revision = "statement_sums"
down_revision = "address_changes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, comment in (
        ("deposit_minor", "on what was handed over; the co-op's to keep"),
        ("carried_minor", "earned through the run before this one, of which it waited"),
    ):
        op.add_column(
            "statement", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False, comment=comment)
        )
    op.execute("""
UPDATE statement s SET deposit_minor = d.minor
  FROM (SELECT l.statement_id, sum(hl.pieces * o.deposit_minor) AS minor
          FROM statement_line l JOIN posting q ON q.entry_id = l.entry_id AND q.n = l.n
          JOIN hand_over h ON h.entry_id = l.entry_id
          JOIN hand_over_line hl ON hl.hand_over_id = h.id AND hl.line_id = q.line_id
          JOIN order_line o ON o.id = q.line_id GROUP BY l.statement_id) d
 WHERE s.id = d.statement_id
""")
    op.execute("""
UPDATE statement s SET carried_minor = c.minor
  FROM (SELECT l.statement_id, sum(l.amount_minor) AS minor
          FROM statement_line l JOIN statement t ON t.id = l.statement_id JOIN entry e ON e.id = l.entry_id
         WHERE l.offering_id IS NOT NULL AND e.business_date <= (
               SELECT max(through) FROM payout_run x WHERE x.id < t.run_id AND x.state NOT IN ('cancelled', 'failed'))
         GROUP BY l.statement_id) c
 WHERE s.id = c.statement_id
""")
