"""What the bank says: payments recorded by hand, statements taken in whole, and money that leaves, comes back or is nobody's yet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from coop.bank import queries
from coop.bank import service as bank
from coop.bank.models import BankLine, BankStatement
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import (
    BANK,
    BANK_FEES,
    MEMBER_CREDIT,
    OWED_TO_MAKER,
    PAYOUT_TRANSIT,
    SHARE_PREPAID,
    UNIDENTIFIED_RECEIPTS,
    artisan_party,
    household_party,
)
from coop.formats import camt
from coop.formats.bank_statement import BankLine as StatementLine
from coop.formats.bank_statement import BankStatement as Told
from coop.formats.iban import demo_iban
from coop.incoming import service as incoming
from coop.incoming.models import RecordedPayment
from coop.payouts import service as payouts
from coop.payouts.models import Payment, PayoutRun
from coop.places import service as places
from coop.policy import service as policy
from coop.settling import service as settling
from tests.builders import FIELD_KEY, NOW, TODAY, a_household, a_person, a_role, a_season, a_size
from tests.races import at_once
from tests.rounds import PICKUP, balances, compute_payouts, fetch
from tests.services.test_payouts import Coop, sent

OURS = demo_iban("GB", 1)
DAY = PICKUP.date()


def statement(*lines, iban=OURS, currency="EUR", name="STMT1", opening=1_000_000, on=DAY):
    """The bytes of a bank statement with these (reference, minor, end-to-end id, words)."""
    parts = tuple(
        StatementLine(reference, minor, on, end_to_end, words) for reference, minor, end_to_end, words in lines
    )
    closing = opening + sum(line.minor for line in parts)
    told = Told(name, iban, currency, opening, closing, on, on, parts)
    return camt.write_camt053(told, created_at=datetime(2026, 12, 1, 18, tzinfo=UTC))


def bring_in(db, *lines, **named):
    return bank.import_statement(db, statement(*lines, **named), by=1, at=PICKUP, field_key=FIELD_KEY)


def record(db, household_id, **named):
    told = {"amount_minor": 5000, "received_on": TODAY, "reference": "AB-1", "by": 1, "at": NOW, "key": "k"} | named
    return incoming.record_payment(db, household_id, **told)


def refusal(act, *args, **named):
    with pytest.raises(RuleBroken) as refused:
        act(*args, **named)
    return refused.value.code


def count(db, model):
    with db() as session:
        return len(session.scalars(select(model)).all())


@pytest.fixture
def ana(db):
    with db.begin() as session:
        policy.settle(session, "coop_iban", OURS, by=0)
        return a_household(session, "Ana")


@pytest.fixture
def paid(db):
    """A run of one payment, 67.50 to Mia, whose file is made; (coop, run, end-to-end id)."""
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = sent(db, coop)
    with db() as session:
        return coop, run_id, session.scalar(select(Payment.end_to_end_id))


# -- by hand --


def test_a_payment_for_credit_is_credit_at_once(db, ana):
    record(db, ana)
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 5000}
    assert balances(db, BANK) == {"": -5000}  # a debit


def test_a_payment_for_a_share_is_prepaid_until_its_instalments_fall_due(db, ana):
    with db.begin() as session:
        size = a_size(session, a_season(session, starts=date(2026, 12, 15)), price_minor=30_000)
    share = places.take_share(db, size, household_id=ana, by=1, at=NOW, key="s")
    record(db, ana, amount_minor=30_000, share_id=share)
    assert sum(balances(db, SHARE_PREPAID).values()) + sum(balances(db, MEMBER_CREDIT).values()) == 30_000
    assert refusal(record, db, ana, amount_minor=1, share_id=share, reference="AB-2", key="k2") == "more_than_owed"


def test_a_share_of_another_household_takes_no_payment(db, ana):
    with db.begin() as session:
        ben, size = a_household(session, "Ben"), a_size(session, a_season(session))
    share = places.take_share(db, size, household_id=ben, by=1, at=NOW, key="s")
    with pytest.raises(NotFound):
        record(db, ana, share_id=share)


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"amount_minor": 0}, "bad_amount"),
        ({"amount_minor": -1}, "bad_amount"),
        ({"amount_minor": 100_000_001}, "bad_amount"),
        ({"received_on": TODAY + timedelta(days=1)}, "future_date"),
    ],
)
def test_what_cannot_have_arrived_is_refused_and_nothing_is_kept(db, ana, named, code):
    assert refusal(record, db, ana, **named) == code
    assert (count(db, RecordedPayment), balances(db, BANK)) == (0, {})


@pytest.mark.parametrize(
    "named", [{"amount_minor": 1}, {"amount_minor": 100_000_000}, {"received_on": date(2026, 1, 1)}]
)
def test_what_just_can_have_arrived_is_kept(db, ana, named):
    record(db, ana, **named)
    assert count(db, RecordedPayment) == 1


def test_a_closed_month_takes_no_payment(db, ana):
    with db.begin() as session:
        session.execute(
            text(
                "INSERT INTO period (starts, ends, closed_at, closed_by) VALUES ('2026-10-01', '2026-10-31', now(), 0)"
            )
        )
    assert refusal(record, db, ana, received_on=date(2026, 10, 31)) == "period_closed"
    record(db, ana, received_on=date(2026, 11, 1))


def test_a_reference_is_recorded_once_and_a_form_sent_twice_is_one_payment(db, ana):
    assert record(db, ana) == record(db, ana)
    assert refusal(record, db, ana, key="k2") == "duplicate_reference"
    assert refusal(record, db, ana, amount_minor=5001) == "key_reused"
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 5000}


def test_two_treasurers_with_the_same_reference_at_once_record_it_once(fresh_db):
    with fresh_db.begin() as session:
        ana, ben = a_household(session, "Ana"), a_household(session, "Ben")
    answers = at_once(
        *(lambda who=who, n=n: record(fresh_db, who, key=f"k{n}") for n, who in enumerate((ana, ben, ana)))
    )
    assert sorted(map(str, answers))[1:] == ["duplicate_reference"] * 2
    assert balances(fresh_db, BANK) == {"": -5000}


# -- statements --


def test_a_confirmed_payment_leaves_transit_and_settles_its_run(db, paid):
    _, run_id, end_to_end = paid
    bring_in(db, ("B1", -6750, end_to_end, "Statement 2026-1"))
    assert balances(db, PAYOUT_TRANSIT) == {}
    assert balances(db, BANK) == {"": 6750 - 100_000}  # 1,000.00 came in, 67.50 went out
    with db() as session:
        run, payment = session.get_one(PayoutRun, run_id), session.scalars(select(Payment)).one()
        line = session.scalars(select(BankLine)).one()
    assert (run.state, payment.settled_on) == ("settled", DAY)
    assert line.entry_id == payment.settled_entry_id


def test_the_same_file_again_changes_nothing(db, paid):
    line = ("B1", -6750, paid[2], "")
    assert bring_in(db, line) == bring_in(db, line)
    assert (count(db, BankStatement), count(db, BankLine)) == (1, 1)


def test_lines_seen_in_another_statement_are_left_out(db, ana):
    bring_in(db, ("B1", 1000, None, "Ana"))
    bring_in(db, ("B1", 1000, None, "Ana"), ("B2", 2000, None, "Ben"), name="STMT2")
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {"": 3000}
    assert (count(db, BankStatement), count(db, BankLine)) == (2, 2)


def missing(db, statement_id):
    with db() as session:
        return queries.statement_page(session, statement_id, number=1).missing_minor


def test_a_statement_that_is_missing_between_two_shows_until_it_is_taken_in(db, ana):
    later = DAY + timedelta(days=2)
    first = bring_in(db, ("B1", 1000, None, "Ana"))
    third = bring_in(db, ("B3", 50, None, "Ben"), name="STMT3", opening=1_000_700, on=later)
    assert (missing(db, first), missing(db, third)) == (0, -300)
    between = bring_in(db, ("B2", -300, None, "Shop"), name="STMT2", opening=1_001_000, on=later - timedelta(days=1))
    assert (missing(db, first), missing(db, between), missing(db, third)) == (0, 0, 0)


def test_statements_that_overlap_join(db, ana):
    bring_in(db, ("B1", 1000, None, "Ana"))
    later = DAY + timedelta(days=1)
    both = statement(("B1", 1000, None, "Ana"), ("B2", 2000, None, "Ben"), name="STMT2", on=later)
    assert missing(db, bank.import_statement(db, both, by=1, at=PICKUP, field_key=FIELD_KEY)) == 0


def test_a_payment_of_another_amount_or_name_stays_in_transit_and_its_line_unmatched(db, paid):
    _, run_id, end_to_end = paid
    bring_in(db, ("B1", -6749, end_to_end, ""), ("B2", -6750, "SB9999N1", ""), ("B3", -150, None, "Charges"))
    assert sum(balances(db, PAYOUT_TRANSIT).values()) == 6750
    with db() as session:
        assert session.get_one(PayoutRun, run_id).state == "file_made"
        assert session.scalars(select(BankLine.entry_id)).all() == [None, None, None]


def test_a_payment_that_a_statement_names_twice_is_settled_once(db, paid):
    bring_in(db, ("B1", -6750, paid[2], ""), ("B2", -6750, paid[2], ""))
    with db() as session:
        entries = session.scalars(select(BankLine.entry_id).order_by(BankLine.id)).all()
    assert [entry is None for entry in entries] == [False, True]
    assert balances(db, PAYOUT_TRANSIT) == {}


def test_a_payment_that_comes_back_is_owed_again_and_sent_once_more(db, paid):
    coop, run_id, end_to_end = paid
    with db.begin() as session:
        a_role(session, a_person(session, "Mia"), "artisan", artisan_id=coop.mia)
    bring_in(db, ("B1", -6750, end_to_end, ""))
    bring_in(db, ("B2", 6750, end_to_end, "AC04 closed"), name="STMT2")
    assert balances(db, OWED_TO_MAKER) == {artisan_party(coop.mia): 6750}
    assert balances(db, BANK) == {"": -100_000}
    with db() as session:
        assert session.get_one(PayoutRun, run_id).state == "partly_returned"
        assert (
            session.scalar(text("SELECT values ->> 'reason' FROM notice WHERE template = 'payout_returned'"))
            == "AC04 closed"
        )
    again = compute_payouts(db, by=coop.jun)
    with db() as session:
        figures = session.execute(
            text("SELECT sold_minor, fee_minor, payable_minor FROM statement WHERE run_id = :run"), {"run": again}
        ).one()
    assert tuple(figures) == (0, 0, 6750)


def test_money_back_in_the_same_statement_as_it_left_is_taken_in_order(db, paid):
    coop, run_id, end_to_end = paid
    bring_in(db, ("B2", 6750, end_to_end, ""), ("B1", -6750, end_to_end, ""))
    assert balances(db, OWED_TO_MAKER) == {artisan_party(coop.mia): 6750}
    with db() as session:
        assert session.get_one(PayoutRun, run_id).state == "partly_returned"


def test_money_that_comes_back_twice_is_nobodys_the_second_time(db, paid):
    bring_in(db, ("B1", -6750, paid[2], ""), ("B2", 6750, paid[2], ""), ("B3", 6750, paid[2], ""))
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {"": 6750}


def test_a_receipt_recorded_by_hand_before_is_recognised_and_not_booked_twice(db, ana):
    record(db, ana, reference="B7")
    bring_in(db, ("B7", 5000, None, "Ana"), ("B8", 5000, None, "Ben"))
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {"": 5000}
    assert balances(db, BANK) == {"": -10_000}


def test_a_receipt_that_nobody_knew_is_recorded_for_its_household_later(db, ana):
    bring_in(db, ("B7", 5000, None, "for the season"))
    record(db, ana, reference="B7", received_on=DAY, at=PICKUP)
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {}
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 5000}
    assert balances(db, BANK) == {"": -5000}  # once


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"not xml at all", "unknown_format"),
        (statement(("B1", 100, None, ""))[:-40], "not_xml"),
        (b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><d>&e;</d>', "entities"),
        (b"<Document/>", "not_camt"),
        (statement(iban=demo_iban("GB", 9)), "wrong_account"),
        (statement(currency="GBP"), "wrong_currency"),
        (statement(("B1", 100, None, "")).replace(b"1.00</Amt>", b"1.01</Amt>", 1), "does_not_add_up"),
        (b"x" * (5 * 1024 * 1024 + 1), "too_large"),
    ],
)
def test_a_file_that_is_not_sound_is_refused_whole(db, ana, content, code):
    assert refusal(bank.import_statement, db, content, by=1, at=PICKUP, field_key=FIELD_KEY) == code
    assert (count(db, BankStatement), count(db, BankLine), balances(db, BANK)) == (0, 0, {})


def test_a_statement_cannot_be_ours_while_our_account_is_not_known(db):
    assert refusal(bank.import_statement, db, statement(), by=1, at=PICKUP, field_key=FIELD_KEY) == "no_bank_account"


def test_two_imports_of_the_same_file_at_once_are_one(fresh_db):
    coop = Coop(fresh_db)
    fetch(fresh_db, coop.anas_mugs, 3)
    sent(fresh_db, coop)
    with fresh_db() as session:
        end_to_end = session.scalar(select(Payment.end_to_end_id))
    line = ("B1", -6750, end_to_end, "")
    answers = at_once(
        lambda: bring_in(fresh_db, line),
        lambda: bring_in(fresh_db, line),
        lambda: bring_in(fresh_db, line, ("B2", 1, None, ""), name="STMT2"),
    )
    assert answers[0] == answers[1] != answers[2]
    assert (count(fresh_db, BankStatement), count(fresh_db, BankLine)) == (2, 2)
    assert balances(fresh_db, BANK) == {"": 6750 - 100_000 - 1}


def test_a_cancelled_runs_payment_is_not_settled_by_anything(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = compute_payouts(db, by=coop.jun)
    with db() as session:
        end_to_end = session.scalar(select(Payment.end_to_end_id))
    payouts.cancel(db, run_id, by=1, reason="too early")
    bring_in(db, ("B1", -6750, end_to_end, ""))
    assert balances(db, BANK) == {"": -100_000}


def test_a_bank_charge_is_booked_once_from_the_line_that_says_it(db, ana):
    bring_in(db, ("B1", -150, None, "Charges"), ("B2", 900, None, "from Ana"))
    with db() as session:
        charges, receipt = session.scalars(select(BankLine.id).order_by(BankLine.reference))
    booked = {settling.book_charge(db, charges, by=1, at=PICKUP) for _ in range(2)}
    assert balances(db, BANK_FEES) == {"": -150}
    assert balances(db, BANK) == {"": -(900 - 150)}
    with db() as session:
        assert [session.get_one(BankLine, charges).entry_id] == list(booked)
        key, on = session.execute(
            text("SELECT key, business_date FROM entry WHERE id = :id"), {"id": booked.pop()}
        ).one()
        assert (key, on) == (f"bank:{OURS}:B1", DAY)
        assert session.scalar(text("SELECT count(*) FROM audit_record WHERE act = 'book_charge'")) == 1
    assert refusal(settling.book_charge, db, receipt, by=1, at=PICKUP) == "no_charge"
    with pytest.raises(NotFound):
        settling.book_charge(db, 999_999, by=1, at=PICKUP)


def test_a_payout_of_ours_is_no_bank_charge(db, paid):
    _, _, end_to_end = paid
    bring_in(db, ("B1", -6700, end_to_end, "not what we sent"))
    with db() as session:
        line_id = session.scalars(select(BankLine.id)).one()
    assert refusal(settling.book_charge, db, line_id, by=1, at=PICKUP) == "no_charge"
