"""A draw names the one input digest that it decides: the one that was frozen when its value became known."""

import sqlalchemy as sa
from alembic import op

revision = "draw_inputs"
down_revision = "draws"
branch_labels = None
depends_on = None

KEEP = """
CREATE OR REPLACE FUNCTION draw_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM commitment c WHERE c.pool_id = OLD.pool_id) THEN
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'DELETE'
     OR (NEW.pool_id, NEW.n, NEW.kind, NEW.chain, NEW.round, NEW.round_at) IS DISTINCT FROM
        (OLD.pool_id, OLD.n, OLD.kind, OLD.chain, OLD.round, OLD.round_at)
     OR (OLD.value IS NOT NULL AND (NEW.value, NEW.input_digest) IS DISTINCT FROM (OLD.value, OLD.input_digest))
     OR (OLD.voided_at IS NOT NULL AND NEW.voided_at IS DISTINCT FROM OLD.voided_at) THEN
    RAISE EXCEPTION 'a draw stands once orders have opened' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
"""


def upgrade() -> None:
    comment = "of the run that waited when the value became known"
    op.add_column("draw", sa.Column("input_digest", sa.Text(), nullable=True, comment=comment))
    op.create_check_constraint(op.f("ck_draw_inputs"), "draw", "(value IS NULL) = (input_digest IS NULL)")
    op.execute(KEEP)
