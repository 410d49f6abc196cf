"""The rules of the books hold on a season carried through, and each finds the damage that it is there to find."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from coop.books import queries
from coop.books import service as books
from coop.books.models import INVARIANTS
from coop.clock import now
from coop.core.ledger import Entry, Posting
from coop.ledger import service as ledger
from tests.builders import TODAY
from tests.carried import carry_through

TOUCHED = [
    "entry",
    "posting",
    "account",
    "balance",
    "period",
    "award",
    "standing",
    "standing_event",
    "chain_head",
    "document",
    "document_line",
    "audit_record",
    "seal",
]
"""Tables whose own guards are put aside for the damage of one test."""


@pytest.fixture(scope="module")
def season(module_database):
    """A season carried through, once for the module."""
    engine = create_engine(module_database.app_url, connect_args={"options": "-c timezone=UTC"})
    carried = carry_through(sessionmaker(engine, expire_on_commit=False))
    engine.dispose()
    return carried


@pytest.fixture
def owner(season, module_database):
    """The owner of that database, with the guards put aside; nothing of what it does is kept."""
    engine = create_engine(module_database.owner_url)
    with engine.connect() as connection, connection.begin() as around:
        for table in TOUCHED:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        around.rollback()
    engine.dispose()


def broken(session: Session) -> set[str]:
    return {rule.id for rule in queries.results(session) if not rule.ok}


def test_a_season_carried_through_keeps_every_rule(owner):
    assert [(rule.id, rule.rows) for rule in queries.results(owner) if not rule.ok] == []


def test_a_new_co_op_keeps_every_rule(fresh_db):
    assert {rule.id for rule in books.run_checks(fresh_db)} == {rule.id for rule in INVARIANTS}
    with fresh_db() as session:
        assert broken(session) == set()


def test_the_rules_are_numbered_once_and_said_in_words():
    assert len({rule.id for rule in INVARIANTS}) == len({rule.title for rule in INVARIANTS}) == len(INVARIANTS)


ORDER = "(SELECT id FROM entry WHERE kind = 'order' ORDER BY id LIMIT 1)"
ANAS_CREDIT = "(SELECT id FROM account WHERE code = 2000 ORDER BY id LIMIT 1)"
BANK = "(SELECT id FROM account WHERE code = 1000)"
FIRST_RUN = "(SELECT id FROM allocation_run ORDER BY id LIMIT 1)"
PAIR = f"INSERT INTO posting (entry_id, n, account_id, amount) SELECT {ORDER}, n, {BANK}, CASE n WHEN 8 THEN 5 ELSE -5 END FROM (VALUES (8), (9)) v (n)"
NEW_ENTRY = (
    "INSERT INTO entry (id, key, kind, business_date, period_id, line_count, actor_id) OVERRIDING SYSTEM VALUE"
    " SELECT 900, 'x', 'x', starts, id, 2, 0 FROM period ORDER BY id LIMIT 1"
)

DAMAGES = {
    "a posting changed by a cent": (
        f"UPDATE posting SET amount = amount + 1 WHERE account_id = {BANK} AND entry_id = (SELECT max(entry_id) FROM posting)",
        {"I1", "I2", "I16", "I25"},
    ),
    "an entry whose postings are gone": (NEW_ENTRY, {"I1"}),
    "postings whose entry is gone": ("DELETE FROM entry WHERE key = 'goodwill:1'", {"I1"}),
    "a balanced pair slipped into an old entry": (PAIR, {"I1"}),
    "an entry that says it has more postings than it has": (
        "UPDATE entry SET line_count = line_count + 1 WHERE key = 'goodwill:1'",
        {"I1"},
    ),
    "an entry in two currencies": (f"UPDATE account SET currency = 'GBP' WHERE id = {BANK}", {"I2", "I3"}),
    "postings on an account that nobody opened": ("DELETE FROM account WHERE code = 5300", {"I3"}),
    "a credit spent twice, with its kept balance": (
        NEW_ENTRY
        + f"; INSERT INTO posting (entry_id, n, account_id, amount) VALUES (900, 1, {ANAS_CREDIT}, 90000), (900, 2, {BANK}, -90000)"
        f"; UPDATE balance SET amount = amount + 90000 WHERE account_id = {ANAS_CREDIT}",
        {"I4"},
    ),
    "a kept balance that somebody raised": (
        f"UPDATE balance SET amount = amount - 100 WHERE account_id = {ANAS_CREDIT}",
        {"I5"},
    ),
    "a kept balance that is gone": (f"DELETE FROM balance WHERE account_id = {ANAS_CREDIT}", {"I5"}),
    "a reversal of half the amount": (
        "UPDATE posting SET amount = amount / 2 WHERE entry_id = (SELECT id FROM entry WHERE kind = 'reversal')",
        {"I5", "I6"},
    ),
    "a reversal of nothing": ("UPDATE entry SET reverses_id = NULL WHERE kind = 'reversal'", {"I6"}),
    "a piece awarded that was never released": (
        (
            f"UPDATE award SET pieces = pieces + 1 WHERE ctid = (SELECT a.ctid FROM award a JOIN order_line l ON l.id = a.line_id"
            f" WHERE a.run_id = {FIRST_RUN} AND a.pieces < l.up_to LIMIT 1)"
        ),
        {"I7", "I9", "I22"},
    ),
    "a release taken back after the sharing out": ("UPDATE release SET pieces = pieces - 1 WHERE batch_id = 1", {"I7"}),
    "a wish that nobody decided": (
        "DELETE FROM award WHERE ctid = (SELECT ctid FROM award WHERE run_id = (SELECT max(id) FROM allocation_run) LIMIT 1)",
        {"I8", "I9", "I22"},
    ),
    "an award beyond what was asked": (
        "UPDATE order_line SET wish = 1, up_to = 1 WHERE id = {anas_jam}",
        {"I8"},
    ),
    "a hold without its wish": (
        "UPDATE order_line SET wish = 0, up_to = 0 WHERE order_id = (SELECT min(id) FROM household_order)",
        {"I9"},
    ),
    "a hold moved to another line": (
        "UPDATE posting SET line_id = {bens_jam} WHERE line_id = {anas_jam} AND account_id IN (SELECT id FROM account WHERE code = 2020)",
        {"I9"},
    ),
    "an earning on two statements": (
        "UPDATE statement_line SET live = true",
        {"I10"},
    ),
    "a cancelled statement that still holds its earnings": (
        "DELETE FROM statement_line WHERE live; UPDATE statement_line SET live = true",
        {"I10", "I11"},
    ),
    "a payout larger than its statement": (
        "UPDATE payment SET amount_minor = amount_minor + 1 WHERE sent_entry_id IS NOT NULL",
        {"I11"},
    ),
    "a statement that pays another's earning": (
        "UPDATE account SET party = 'artisan:77' WHERE code = 2100",
        {"I11"},
    ),
    "an entry booked after its month was closed": (
        "UPDATE period SET closed_at = '2026-01-01', closed_by = 1",
        {"I12", "I25"},
    ),
    "an entry dated out of its month": (
        "UPDATE entry SET business_date = '2025-01-01' WHERE key = 'goodwill:1'",
        {"I13"},
    ),
    "a jar that nobody gave a deposit for": (
        "UPDATE hand_over_line SET pieces = pieces + 1 WHERE line_id = {bens_jam}",
        {"I9", "I14", "I20"},
    ),
    "a jar that came back without its deposit": (
        (
            "INSERT INTO returnable_move (household_id, type_id, kind, pieces, entry_id, moved_at, moved_by)"
            " SELECT o.household_id, f.container_type_id, 'back', 1, 1, now(), 1 FROM order_line l"
            " JOIN household_order o ON o.id = l.order_id JOIN offering f ON f.id = l.offering_id WHERE l.id = {bens_jam}"
        ),
        {"I14"},
    ),
    "jars that are of another kind": (
        (
            "INSERT INTO container_type (name, deposit_minor) VALUES ('crate', 300);"
            " UPDATE offering SET container_type_id = (SELECT max(id) FROM container_type) WHERE container_type_id IS NOT NULL"
        ),
        {"I14"},
    ),
    "a job that has died": ("UPDATE outbox SET done_at = NULL, dead_at = now() WHERE id = 1", {"I15"}),
    "a job tried ten times": ("UPDATE outbox SET done_at = NULL, attempts = 10 WHERE id = 1", {"I15"}),
    "an act that was rewritten": ("UPDATE audit_record SET actor_id = 9 WHERE act = 'publish_allocation'", {"I19"}),
    "an act that was taken out": ("DELETE FROM audit_record WHERE act = 'publish_allocation'", {"I19"}),
    "a link taken out of the chain": (
        "UPDATE seal SET previous_hash = sha256('other')",
        {"I19"},
    ),
    "acts that wait for their seal for too long": (
        (
            "INSERT INTO audit_record (at, actor_id, act, subject_kind, subject_id, detail) VALUES (now() - interval '9 minutes', 1, 'x', 'x', 1, '{{}}')"
            "; INSERT INTO outbox (job, row_id, dedup_key, created_at) VALUES ('audit.seal', 1, 'x', now() - interval '6 minutes')"
        ),
        {"I19"},
    ),
    "a line of a statement that says another amount": (
        "UPDATE bank_line SET amount_minor = amount_minor + 1 WHERE amount_minor > 0",
        {"I16"},
    ),
    "a line of a statement tied to another entry": (
        "UPDATE bank_line SET entry_id = (SELECT id FROM entry WHERE key = 'goodwill:1') WHERE amount_minor > 0",
        {"I16"},
    ),
    "a receipt that waits for its household for too long": (
        "UPDATE entry SET posted_at = now() - interval '14 days' WHERE kind = 'unidentified_receipt'",
        {"I17"},
    ),
    "a payment that the bank never sent": (
        (
            "INSERT INTO account (code, party, currency, side) VALUES (2450, 'payment:77', 'EUR', -1)"
            "; INSERT INTO balance (account_id, amount, side) SELECT id, -5, -1 FROM account WHERE party = 'payment:77'"
            "; UPDATE posting SET account_id = (SELECT id FROM account WHERE party = 'payment:77'), amount = -5"
            f" WHERE entry_id = {ORDER} AND account_id = {ANAS_CREDIT}"
            f"; UPDATE entry SET posted_at = now() - interval '14 days' WHERE id = {ORDER}"
        ),
        {"I1", "I2", "I5", "I17", "I25"},
    ),
    "a dividend that nobody's work earned": (
        (
            "INSERT INTO dividend (starts, ends, bylaw, bylaw_version, bylaw_from, result_minor, outside_minor, from_outside_minor, reserve_minor,"
            " other_minor, state, asked_by, asked_at, decided_by, decided_at, entry_id) SELECT '2026-11-01', '2026-11-30', '{{}}', 1, '2026-01-01', 100,"
            " 0, 0, 100, 0, 'done', 1, now(), 2, now(), id FROM entry WHERE key = 'goodwill:1'"
        ),
        {"I18"},
    ),
    "a hand-over without its entry": (
        "UPDATE hand_over SET entry_id = NULL WHERE id = (SELECT max(id) FROM hand_over)",
        {"I20", "I29"},
    ),
    "a pickup that was earned twice": (
        "UPDATE entry SET kind = 'pickup' WHERE key = 'goodwill:1'",
        {"I20"},
    ),
    "a hold that the hardship fund was to bear a part of": (
        "UPDATE order_line SET fund_minor = 100, fund_held_minor = 100 WHERE id = {anas_jam}",
        {"I27"},
    ),
    "a fund's payment for a line that it bears nothing of": (
        (
            "UPDATE account SET code = 2300 WHERE code = 5300; UPDATE posting SET line_id = {anas_jam}"
            " WHERE account_id = (SELECT id FROM account WHERE code = 2300) AND entry_id = (SELECT id FROM entry WHERE key = 'goodwill:1')"
        ),
        {"I27"},
    ),
    "a credit note that was never booked": (
        (
            "INSERT INTO credit_note (line_id, pieces, reason, gross_minor, fund_minor, fee_minor, tax_minor, net_minor, noted_by, noted_at)"
            " VALUES ({anas_jam}, 1, 'x', 100, 0, 10, 0, 90, 0, now())"
        ),
        {"I28"},
    ),
    "a fee that was booked and never changed": (
        "UPDATE entry SET kind = 'fee_changed' WHERE key = 'goodwill:1'",
        {"I28"},
    ),
    "a tax that was said and never booked": (
        "UPDATE hand_over_line SET tax_minor = tax_minor + 1 WHERE line_id = {bens_jam}",
        {"I29"},
    ),
    "a fee that was booked as tax": ("UPDATE account SET code = 2400 WHERE code = 4000", {"I29"}),
    "a document whose number is missing": (
        "UPDATE document SET number = number + 1 WHERE id = (SELECT max(id) FROM document)",
        {"I30"},
    ),
    "a number that stands on no document": ("UPDATE document_series SET last_number = last_number + 1", {"I30"}),
    "a document of another sum": (
        "UPDATE document SET fund_minor = fund_minor + 1 WHERE id = (SELECT min(id) FROM document)",
        {"I30"},
    ),
    "an invoice of more than was sold": (
        (
            "UPDATE document_line SET gross_minor = gross_minor + 1 WHERE hand_over_id IS NOT NULL AND n = 1"
            "; UPDATE document SET gross_minor = gross_minor + 1 WHERE kind = 'invoice'"
        ),
        {"I31"},
    ),
    "a receipt of another payment": (
        "UPDATE document_line SET entry_id = (SELECT id FROM entry WHERE key = 'goodwill:1') WHERE entry_id IS NOT NULL",
        {"I31"},
    ),
    "an invoice to another household": ("UPDATE document SET household_id = {ben} WHERE kind = 'invoice'", {"I31"}),
    "a standing that somebody raised": (
        "UPDATE standing SET owed_micro = owed_micro + 1 WHERE household_id = {ana}",
        {"I21", "I22"},
    ),
    "a standing moved from one to another": (
        "UPDATE standing SET owed_micro = owed_micro + CASE WHEN household_id = {ana} THEN 5 ELSE -5 END",
        {"I22"},
    ),
    "an entitlement kept by a season that keeps none": (
        "UPDATE standing SET entitled_micro = 7 WHERE household_id = {ana}",
        {"I22"},
    ),
    "a leaver's balance that nobody got": (
        (
            "INSERT INTO standing_event (season_id, family, household_id, kind, owed_micro, entitled_micro, at, actor_id)"
            " SELECT season_id, family, household_id, 'left', -9, 0, now(), 0 FROM standing WHERE household_id = {ana}"
            "; UPDATE standing SET owed_micro = owed_micro - 9 WHERE household_id = {ana}"
        ),
        {"I21", "I24"},
    ),
    "a season that ends with an earlier result": (f"UPDATE chain_head SET run_id = {FIRST_RUN}", {"I23"}),
    "a result that continues another": (
        "UPDATE allocation_run SET chain_start = repeat('1', 64) WHERE id = (SELECT max(id) FROM allocation_run)",
        {"I23"},
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_shows(owner, season, what):
    statements, rules = DAMAGES[what]
    named = {name: getattr(season, name) for name in ("ana", "ben", "anas_jam", "bens_jam")}
    owner.execute(text("DROP INDEX uq_statement_line_live"))
    for statement in statements.format(**named).split("; "):
        assert owner.execute(text(statement)).rowcount > 0
    assert broken(owner) == rules


def test_every_rule_is_tried_by_some_damage():
    assert set().union(*(rules for _, rules in DAMAGES.values())) == {rule.id for rule in INVARIANTS}


def bank_days_ago(days: int):
    """Return the instant of the latest day with so many Mondays to Fridays after it, today included."""
    day = now()
    while days:
        days -= day.isoweekday() < 6
        day -= timedelta(days=1)
    return day


@pytest.mark.parametrize(("days", "rules"), [(5, set()), (6, {"I17"})])
def test_five_bank_days_are_in_time_and_six_are_not(owner, days, rules):
    aged = "UPDATE entry SET posted_at = :since WHERE kind = 'unidentified_receipt'"
    owner.execute(text(aged), {"since": bank_days_ago(days)})
    assert broken(owner) == rules


@pytest.mark.parametrize(("passed_on", "rules"), [(100, set()), (99, {"I17"})])
def test_the_card_provider_passes_on_the_oldest_money_first(owner, passed_on, rules):
    """100 came nine days ago and 50 today: once 100 are passed on, what is left is today's."""
    moves = ((100, bank_days_ago(9)), (50, bank_days_ago(0)), (-passed_on, bank_days_ago(0)))
    for n, (minor, since) in enumerate(moves):
        postings = (Posting(1050, "", minor), Posting(1000, "", -minor))
        entry = ledger.post(owner, Entry(f"card:{n}", "card", TODAY, postings), by=0, currency="EUR")
        owner.execute(text("UPDATE entry SET posted_at = :since WHERE id = :id"), {"since": since, "id": entry})
    assert broken(owner) == rules
