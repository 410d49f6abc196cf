"""What the database refuses to the app at a real commit, whoever forgot to look first."""

from __future__ import annotations

import threading

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from coop.books import queries
from coop.core.ledger import MEMBER_CREDIT, ORDER_HOLD, household_party
from coop.ledger import service as ledger
from tests.builders import a_household

OLD, NEW = "old", "new"
PAIR = ((1, "credit", 500), (2, "hold", -500))


@pytest.fixture
def books(fresh_db):
    """A ledger with one old entry: Ana's 100.00 of credit."""
    with fresh_db.begin() as session:
        household = a_household(session, "Ana", credit_minor=10_000)
        party = household_party(household)
        opened = ledger.open_accounts(session, [(MEMBER_CREDIT, party), (ORDER_HOLD, party)], currency="EUR")
    return Books(fresh_db, opened[MEMBER_CREDIT, party], opened[ORDER_HOLD, party])


class Books:
    def __init__(self, db, credit, hold):
        self.db, self.accounts = db, {"credit": credit, "hold": hold, "unknown": 9_999}
        with db() as session:
            self.old = session.scalar(text("SELECT id FROM entry"))
            self.month = session.scalar(text("SELECT id FROM period"))

    def enter(self, session, *, lines=2, key=NEW, day="2026-11-24", month=None):
        return session.scalar(
            text(
                "INSERT INTO entry (key, kind, business_date, period_id, line_count, actor_id)"
                " VALUES (:key, 'test', :day, :month, :lines, 0) RETURNING id"
            ),
            {"key": key, "day": day, "month": month or self.month, "lines": lines},
        )

    def post(self, session, entry, postings):
        for n, account, amount in postings:
            session.execute(
                text("INSERT INTO posting (entry_id, n, account_id, amount) VALUES (:entry, :n, :account, :amount)"),
                {"entry": entry, "n": n, "account": self.accounts[account], "amount": amount},
            )

    def book(self, postings, **entry):
        with self.db.begin() as session:
            self.post(session, self.enter(session, **entry), postings)

    def credit(self):
        with self.db() as session:
            kept = text("SELECT amount FROM balance WHERE account_id = :account")
            return session.scalar(kept, {"account": self.accounts["credit"]})

    def are_as_before(self):
        with self.db() as session:
            entries = session.scalar(text("SELECT count(*) FROM entry"))
            broken = [rule.id for rule in queries.results(session) if not rule.ok]
        return (entries, self.credit(), broken) == (1, -10_000, [])


def refusal(act, *given, **named):
    """Return which constraint refused, or which kind of error where none has a name."""
    with pytest.raises(DBAPIError) as refused:
        act(*given, **named)
    error = refused.value.orig
    assert isinstance(error, psycopg.Error)
    return error.diag.constraint_name or type(error).__name__


def test_a_balanced_entry_is_booked_and_its_balances_kept(books):
    books.book(PAIR)
    assert books.credit() == -9_500


@pytest.mark.parametrize(
    ("postings", "lines", "constraint"),
    [
        (((1, "credit", 500), (2, "hold", -499)), 2, "entry_balanced"),
        (PAIR, 3, "entry_balanced"),
        (PAIR, 4, "entry_balanced"),
        ((), 2, "entry_balanced"),
        (PAIR, 1, "ck_entry_line_count"),
        (((1, "credit", 500), (3, "hold", -500)), 2, "posting_slot"),
        (((0, "credit", 500), (1, "hold", -500)), 2, "posting_slot"),
        (((1, "credit", 500), (1, "hold", -500)), 2, "pk_posting"),
        (((1, "credit", 500), (2, "unknown", -500)), 2, "posting_account"),
        (((1, "credit", 500), (2, "hold", -500), (3, "hold", 0)), 3, "ck_posting_amount"),
        (((1, "hold", -100_000_000_001), (2, "credit", 100_000_000_001)), 2, "ck_posting_limit"),
        (((1, "credit", 10_001), (2, "hold", -10_001)), 2, "not_overdrawn"),
    ],
    ids=[
        "unbalanced",
        "a posting missing",
        "an entry that says it has room for more",
        "empty",
        "of one posting",
        "beyond its slots",
        "before its slots",
        "a slot twice",
        "unknown account",
        "a posting of nothing",
        "above the limit",
        "a cent more than there is",
    ],
)
def test_a_wrong_entry_is_refused_whole(books, postings, lines, constraint):
    assert refusal(books.book, postings, lines=lines) == constraint
    assert books.are_as_before()


def test_all_the_credit_there_is_can_be_spent(books):
    books.book(((1, "credit", 10_000), (2, "hold", -10_000)))
    assert books.credit() == 0


def test_postings_without_an_entry_are_refused(books):
    def orphans():
        with books.db.begin() as session:
            books.post(session, 8_888, PAIR)

    assert refusal(orphans) == "posting_slot"
    assert books.are_as_before()


@pytest.mark.parametrize(("slots", "constraint"), [((3, 4), "posting_slot"), ((1, 2), "pk_posting")])
def test_nothing_is_slipped_into_an_old_entry_though_it_balances(books, slots, constraint):
    def slip():
        with books.db.begin() as session:
            books.post(
                session, books.old, [(n, account, minor) for n, (_, account, minor) in zip(slots, PAIR, strict=True)]
            )

    assert refusal(slip) == constraint
    assert books.are_as_before()


def test_nothing_is_added_after_the_check_was_asked_for_early(books):
    def add_late():
        with books.db.begin() as session:
            entry = books.enter(session)
            books.post(session, entry, PAIR)
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            books.post(session, entry, [(3, "credit", 1), (4, "hold", -1)])

    assert refusal(add_late) == "posting_slot"
    assert books.are_as_before()


def test_a_key_books_once(books):
    books.book(PAIR)
    assert refusal(books.book, PAIR) == "uq_entry_key"
    assert books.credit() == -9_500


def test_postings_undone_to_a_savepoint_leave_their_entry_incomplete(books):
    def undone():
        with books.db.begin() as session:
            entry = books.enter(session)
            with session.begin_nested() as inner:
                books.post(session, entry, PAIR)
                inner.rollback()

    assert refusal(undone) == "entry_balanced"
    assert books.are_as_before()


def test_an_entry_in_several_statements_around_a_savepoint_is_booked(books):
    with books.db.begin() as session:
        entry = books.enter(session)
        books.post(session, entry, PAIR[:1])
        with session.begin_nested() as inner:
            books.post(session, entry, PAIR[1:])
            inner.rollback()
        books.post(session, entry, PAIR[1:])
    assert books.credit() == -9_500


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting SET amount = 1",
        "DELETE FROM posting",
        "TRUNCATE posting",
        "UPDATE entry SET memo = 'x'",
        "DELETE FROM entry",
        "TRUNCATE entry",
        "UPDATE account SET side = 0",
        "DELETE FROM account",
        "TRUNCATE account",
    ],
)
def test_what_is_booked_is_changed_by_nobody(books, database, statement):
    def change():
        with books.db.begin() as session:
            session.execute(text(statement))

    def change_as_owner():
        with engine.begin() as connection:
            connection.execute(text(statement))

    engine = create_engine(database.owner_url)
    assert (refusal(change), refusal(change_as_owner)) == ("InsufficientPrivilege", "RestrictViolation")
    engine.dispose()
    assert books.are_as_before()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE balance SET amount = -99999",
        "INSERT INTO balance VALUES (77, -1, -1)",
        "DELETE FROM balance",
        "INSERT INTO entry_check (lowest, highest) VALUES (1, 1)",
        "DELETE FROM entry_check",
        "ALTER TABLE posting DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TRIGGER b_keep_balances ON posting",
        "CREATE OR REPLACE FUNCTION ledger_check_slots() RETURNS trigger LANGUAGE sql AS ''",
    ],
)
def test_the_app_cannot_put_its_guards_aside(books, statement):
    def put_aside():
        with books.db.begin() as session:
            session.execute(text(statement))

    assert refusal(put_aside) == "InsufficientPrivilege"
    assert books.are_as_before()


def test_a_closed_month_takes_nothing_more(books):
    with books.db.begin() as session:
        session.execute(text("UPDATE period SET closed_at = now(), closed_by = 1"))
    assert refusal(books.book, PAIR) == "entry_in_open_period"
    assert books.are_as_before()


@pytest.mark.parametrize(
    ("day", "month"),
    [("2026-10-31", None), ("2026-12-01", None), ("2026-11-24", 9_999)],
    ids=["before", "after", "none"],
)
def test_an_entry_lies_in_the_month_it_names(books, day, month):
    assert refusal(books.book, PAIR, day=day, month=month) == "entry_in_open_period"
    assert books.are_as_before()


def test_the_first_and_the_last_day_of_a_month_belong_to_it(books):
    books.book(PAIR, day="2026-11-01", key="first")
    books.book(PAIR, day="2026-11-30", key="last")
    assert books.credit() == -9_000


def test_two_who_spend_the_same_credit_at_once_do_not_both_get_it(books):
    start, told = threading.Barrier(2), []

    def spend(key):
        start.wait()
        try:
            books.book(((1, "credit", 6_000), (2, "hold", -6_000)), key=key)
            told.append("booked")
        except DBAPIError as error:
            told.append(error.orig.diag.constraint_name)

    racing = [threading.Thread(target=spend, args=(f"race:{n}",)) for n in range(2)]
    for one in racing:
        one.start()
    for one in racing:
        one.join()
    assert sorted(told) == ["booked", "not_overdrawn"]
    assert books.credit() == -4_000


def test_nobody_posts_into_an_entry_that_another_is_just_making(books):
    with books.db.begin() as making:
        entry = books.enter(making)
        making.flush()

        def slip():
            with books.db.begin() as session:
                books.post(session, entry, PAIR)

        assert refusal(slip) == "posting_slot"
        books.post(making, entry, PAIR)
    assert books.credit() == -9_500


def test_a_check_left_over_from_a_commit_is_not_kept(books):
    books.book(PAIR)
    with books.db() as session:
        assert session.scalar(text("SELECT count(*) FROM entry_check")) == 0
