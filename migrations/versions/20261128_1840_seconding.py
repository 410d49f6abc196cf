"""One word for what takes two people: asked for by one, waiting, and done by another."""

import sqlalchemy as sa
from alembic import op

revision = "seconding"
down_revision = "accountants"
branch_labels = None
depends_on = None

WAITED = {"period_decision": "asked", "dividend": "proposed", "voucher": "waiting"}
DONE = {"period_decision": "done", "dividend": "posted", "voucher": "posted"}


def upgrade() -> None:
    op.alter_column("voucher", "written_by", new_column_name="asked_by")
    op.alter_column("voucher", "written_at", new_column_name="asked_at")
    op.drop_index("uq_period_decision_open", "period_decision")
    op.drop_index("uq_dividend_open", "dividend")
    for table, waited in WAITED.items():
        kept = ("state", "second_person") if table == "period_decision" else ("state", "second_person", "entry")
        for constraint in kept:
            op.drop_constraint(op.f(f"ck_{table}_{constraint}"), table)
        op.execute(f"UPDATE {table} SET state = 'waiting' WHERE state = '{waited}'")
        op.execute(f"UPDATE {table} SET state = 'done' WHERE state = '{DONE[table]}'")
        op.create_check_constraint("state", table, "state IN ('waiting', 'done', 'withdrawn')")
        op.create_check_constraint("second_person", table, "state <> 'done' OR decided_by <> asked_by")
        if "entry" in kept:
            op.create_check_constraint("entry", table, "(state = 'done') = (entry_id IS NOT NULL)")
    waiting = sa.text("state = 'waiting'")
    op.create_index("uq_period_decision_open", "period_decision", ["period_id"], unique=True, postgresql_where=waiting)
    op.create_index("uq_dividend_open", "dividend", [sa.text("(true)")], unique=True, postgresql_where=waiting)
