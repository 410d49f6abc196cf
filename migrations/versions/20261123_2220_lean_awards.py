"""Releases are known by batch and version alone, and the check of awards reads the run at hand, not the whole season.

Right after a bulk step the app may tell the planner how its large tables have grown.
"""

from alembic import op

revision = "lean_awards"
down_revision = "draw_inputs"
branch_labels = None
depends_on = None

WITHIN_RELEASE = """
CREATE OR REPLACE FUNCTION award_within_release() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE astray bigint;
BEGIN
  SELECT s.offering_id INTO astray
    FROM (SELECT a.run_id, a.offering_id, sum(a.pieces) AS pieces FROM award a
           WHERE a.run_id = ANY (ARRAY(SELECT DISTINCT run_id FROM added)) GROUP BY a.run_id, a.offering_id) s
    LEFT JOIN allocation_run u ON u.id = s.run_id
    LEFT JOIN offering o ON o.id = s.offering_id AND o.pool_id = u.pool_id
    LEFT JOIN LATERAL (SELECT r.pieces FROM release r WHERE r.batch_id = o.batch_id ORDER BY r.version DESC LIMIT 1) r ON true
   WHERE o.id IS NULL OR s.pieces > coalesce(r.pieces, 0) LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'more awarded than released for offering %', astray USING ERRCODE = 'check_violation', CONSTRAINT = 'award_within_release';
  END IF;
  RETURN NULL;
END $$
"""

# MAINTAIN came with PostgreSQL 17; without it the planner learns of bulk steps when the server gets round to it
MAY_ANALYZE = """
DO $$ BEGIN
  IF current_setting('server_version_num')::int >= 170000 THEN
    GRANT MAINTAIN ON account, award, batch, entry, hand_over, hand_over_line, household_order, offering, order_line,
      posting, product, release, statement_line, yield_report TO coop_app;
  END IF;
END $$
"""


def upgrade() -> None:
    op.drop_constraint("uq_release_batch_id_version", "release", type_="unique")
    op.drop_column("release", "id")
    op.create_primary_key("pk_release", "release", ["batch_id", "version"])
    op.execute(WITHIN_RELEASE)
    op.execute(MAY_ANALYZE)
