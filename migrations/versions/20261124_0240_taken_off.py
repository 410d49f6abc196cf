"""A payout sets off what a maker owes and recoups its advance, and a run may leave makers unpaid."""

from alembic import op

revision = "taken_off"
down_revision = "choices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
ALTER TABLE payout_run
  ADD COLUMN recoup_bp integer NOT NULL DEFAULT 0,
  ADD COLUMN held bigint[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT ck_payout_run_recoup CHECK (recoup_bp BETWEEN 0 AND 10000);
COMMENT ON COLUMN payout_run.recoup_bp IS 'most of each payout, in basis points, that goes against the maker''s advance';
COMMENT ON COLUMN payout_run.held IS 'makers this run leaves unpaid';
ALTER TABLE statement
  ADD COLUMN set_off_minor bigint NOT NULL DEFAULT 0,
  ADD COLUMN recouped_minor bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT ck_statement_taken_off CHECK (set_off_minor >= 0 AND recouped_minor >= 0);
COMMENT ON COLUMN statement.set_off_minor IS 'what the maker owed, taken off';
COMMENT ON COLUMN statement.recouped_minor IS 'taken off against the maker''s advance';
COMMENT ON COLUMN statement.payable_minor IS 'what is paid: earned less set off and recouped';
""")
