"""A yield is never corrected below what members have in their hands already.

Hand-overs stand higher on the stair than batches, so the database asks: no code of a lower area has to know them.
"""

from alembic import op

revision = "yields"
down_revision = "lost_workers"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION yield_covers_hand_overs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE handed bigint;
BEGIN
  SELECT coalesce(sum(h.pieces), 0) INTO handed
    FROM offering o JOIN order_line l ON l.offering_id = o.id JOIN hand_over_line h ON h.line_id = l.id
   WHERE o.batch_id = NEW.batch_id;
  IF handed > NEW.pieces THEN
    RAISE EXCEPTION 'batch % was handed over beyond this yield', NEW.batch_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'yield_covers_hand_overs', DETAIL = handed::text;
  END IF;
  RETURN NULL;
END $$;
"""


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute(
        "CREATE CONSTRAINT TRIGGER covers_hand_overs AFTER INSERT ON yield_report"
        " FOR EACH ROW EXECUTE FUNCTION yield_covers_hand_overs()"
    )
