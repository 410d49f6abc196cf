"""What the database itself refuses: an unbalanced ledger, edited history, more shared out than released.

The ledger is checked a statement at a time, not a row at a time. `posting` fills numbered slots of its entry, so a
finished entry has no slot left and nothing can be slipped in. A statement on `entry` leaves one range in `entry_check`,
and a deferred trigger on that row asks at commit, in one query, that every entry in the range is complete and sums to
zero. Triggers of one event fire in name order, so the slot check comes before the balances are touched.
"""

from alembic import op

revision = "guards"
down_revision = "tables"
branch_labels = None
depends_on = None

FUNCTIONS = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: correct by a new row', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_note_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE astray bigint;
BEGIN
  SELECT e.id INTO astray FROM added e LEFT JOIN period p ON p.id = e.period_id
   WHERE p.id IS NULL OR p.closed_at IS NOT NULL OR e.business_date NOT BETWEEN p.starts AND p.ends LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'entry % lies in no open period', astray USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_in_open_period';
  END IF;
  INSERT INTO entry_check (lowest, highest) SELECT min(id), max(id) FROM added HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION ledger_check_slots() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE astray bigint;
BEGIN
  SELECT p.entry_id INTO astray FROM added p LEFT JOIN entry e ON e.id = p.entry_id
   WHERE e.id IS NULL OR p.n < 1 OR p.n > e.line_count LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'posting outside the slots of entry %', astray USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_slot';
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION ledger_keep_balances() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE astray bigint;
BEGIN
  SELECT s.account_id INTO astray FROM (SELECT DISTINCT account_id FROM added) s
   LEFT JOIN account a ON a.id = s.account_id WHERE a.id IS NULL LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'posting on unknown account %', astray USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_account';
  END IF;
  WITH moved AS (
    INSERT INTO balance (account_id, amount, side)
    SELECT s.account_id, s.amount, a.side
      FROM (SELECT account_id, sum(amount) AS amount FROM added GROUP BY account_id) s
      JOIN account a ON a.id = s.account_id AND a.side <> 0
     ORDER BY s.account_id
    ON CONFLICT (account_id) DO UPDATE SET amount = balance.amount + excluded.amount
    RETURNING account_id, amount, side)
  SELECT account_id INTO astray FROM moved WHERE amount * side < 0 LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'account % would be overdrawn', astray USING ERRCODE = 'check_violation', CONSTRAINT = 'not_overdrawn';
  END IF;
  RETURN NULL;
END $$;

-- without nested loops: right after a bulk posting the planner still believes the tables are small
CREATE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_nestloop = off AS $$
DECLARE astray bigint;
BEGIN
  SELECT e.id INTO astray
    FROM entry e
    LEFT JOIN (SELECT entry_id, count(*) AS lines, sum(amount) AS total FROM posting
                WHERE entry_id BETWEEN NEW.lowest AND NEW.highest GROUP BY entry_id) p ON p.entry_id = e.id
   WHERE e.id BETWEEN NEW.lowest AND NEW.highest
     AND (p.lines IS DISTINCT FROM e.line_count OR p.total IS DISTINCT FROM 0) LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'entry % does not balance or is incomplete', astray USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balanced';
  END IF;
  DELETE FROM entry_check WHERE id = NEW.id;
  RETURN NULL;
END $$;

CREATE FUNCTION award_within_release() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE astray bigint;
BEGIN
  SELECT s.offering_id INTO astray
    FROM (SELECT a.run_id, a.offering_id, sum(a.pieces) AS pieces FROM award a
           WHERE a.run_id IN (SELECT DISTINCT run_id FROM added) GROUP BY a.run_id, a.offering_id) s
    LEFT JOIN allocation_run u ON u.id = s.run_id
    LEFT JOIN offering o ON o.id = s.offering_id AND o.pool_id = u.pool_id
    LEFT JOIN LATERAL (SELECT r.pieces FROM release r WHERE r.batch_id = o.batch_id ORDER BY r.version DESC LIMIT 1) r ON true
   WHERE o.id IS NULL OR s.pieces > coalesce(r.pieces, 0) LIMIT 1;
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'more awarded than released for offering %', astray USING ERRCODE = 'check_violation', CONSTRAINT = 'award_within_release';
  END IF;
  RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER a_note_entries AFTER INSERT ON entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_note_entries();
CREATE TRIGGER a_check_slots AFTER INSERT ON posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_slots();
CREATE TRIGGER b_keep_balances AFTER INSERT ON posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep_balances();
CREATE CONSTRAINT TRIGGER check_entries AFTER INSERT ON entry_check DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ledger_check_entries();
CREATE TRIGGER within_release AFTER INSERT ON award REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION award_within_release();
"""

APPEND_ONLY = ("entry", "posting", "audit_record", "seal")
UNDELETABLE = ("account",)
READ_ONLY_FOR_APP = ("balance", "entry_check", "alembic_version")

GRANTS = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coop_app') THEN CREATE ROLE coop_app NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
GRANT USAGE ON SCHEMA public TO coop_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO coop_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO coop_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO coop_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO coop_app;
"""


def upgrade() -> None:
    op.execute(
        "ALTER TABLE period ADD CONSTRAINT ex_period_overlap EXCLUDE USING gist (daterange(starts, ends, '[]') WITH &&)"
    )
    op.execute(FUNCTIONS)
    op.execute(TRIGGERS)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()"
        )
    for table in UNDELETABLE:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE OR UPDATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()"
        )
    op.execute(GRANTS)
    for table in (*APPEND_ONLY, *UNDELETABLE):
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM coop_app")
    op.execute("REVOKE DELETE ON allocation_run, offering, order_line FROM coop_app")
    for table in READ_ONLY_FOR_APP:
        op.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM coop_app")
