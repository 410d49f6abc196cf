"""Releases are checked a statement at a time, as awards are: a key checked row by row cost three times the row.

A batch that was released is held by its offering, so it can't be deleted either way.
"""

from alembic import op

revision = "release_check"
down_revision = "resale_cost"
branch_labels = None
depends_on = None

OF_BATCH = """
CREATE FUNCTION release_of_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE astray bigint;
BEGIN
  SELECT a.batch_id INTO astray FROM added a LEFT JOIN batch b ON b.id = a.batch_id WHERE b.id IS NULL LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'release of unknown batch %', astray USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'release_batch';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER of_batch AFTER INSERT ON release REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION release_of_batch();
"""


def upgrade() -> None:
    op.drop_constraint("fk_release_batch_id", "release", type_="foreignkey")
    op.execute("REVOKE DELETE ON batch FROM coop_app")
    op.execute("REVOKE UPDATE, DELETE ON release FROM coop_app")
    op.execute(OF_BATCH)
