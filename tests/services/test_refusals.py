"""What the bank refused before any money moved is owed to its maker again, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop.books import queries as books
from coop.confirmations import service as confirmations
from coop.core.ledger import OWED_TO_MAKER, PAYOUT_TRANSIT, artisan_party
from coop.payouts.models import Payment
from coop.policy import service as policy
from coop.refusals import service as refusals
from coop.sending import service as sending
from tests.builders import a_person, a_role
from tests.formats.test_pain_status import report
from tests.rounds import PICKUP, balances, compute_payouts, fetch
from tests.services.test_bank import bring_in
from tests.services.test_payouts import Coop, refusal, sent, state


@pytest.fixture
def coop(db):
    made = Coop(db)
    with db.begin() as session:
        policy.settle(session, "payout_minimum_minor", 0, by=0)
        a_role(session, a_person(session, "Mia"), "artisan", artisan_id=made.mia)
    fetch(db, made.anas_mugs, 3)
    fetch(db, made.anas_jam, 2)
    return made


@pytest.fixture
def run(db, coop):
    """Mia's 67.50 and Orchard Lane's 9.36 are on their way."""
    return sent(db, coop)


def message(db):
    with db() as session:
        return session.scalar(text("SELECT message_id FROM bank_file ORDER BY run_id DESC LIMIT 1"))


def ids(db):
    with db() as session:
        rows = session.execute(text("SELECT s.artisan_id, p.end_to_end_id FROM payment p JOIN statement s ON s.id = p.statement_id ORDER BY p.id"))  # fmt: skip
        return dict(rows.all())


def read(db, *payments, **named):
    content = report(*payments, **({"message": message(db)} | named))
    return refusals.read_report(db, content, by=7, at=PICKUP)


def clean(db):
    with db() as session:
        return [one.rule.id for one in books.results(session) if not one.ok and one.rule.id in {"I1", "I2", "I4", "I5", "I10", "I11"}]  # fmt: skip


def test_a_refused_payment_is_owed_again_its_maker_told_and_the_rest_goes_on(db, coop, run):
    mias = ids(db)[coop.mia]
    assert read(db, (mias, "RJCT", "AC04", "67.50")) == run
    assert balances(db, OWED_TO_MAKER) == {artisan_party(coop.mia): 6750}
    assert sum(balances(db, PAYOUT_TRANSIT).values()) == 936
    with db() as session:
        told = session.execute(text("SELECT values ->> 'reason' FROM notice WHERE template = 'payout_refused'")).scalars().all()  # fmt: skip
        key = session.scalar(text("SELECT key FROM entry WHERE kind = 'payout_rejected'"))
        payment = session.scalars(select(Payment).where(Payment.end_to_end_id == mias)).one()
    assert told == ["The account is closed. (AC04)"]
    assert key == f"rjct:{payment.id}:BANK-77"
    assert state(db, run) == "submitted"  # PART: the bank has the file
    bring_in(db, ("B1", -936, ids(db)[coop.orchard], ""))
    assert state(db, run) == "partly_returned"
    assert clean(db) == []


def test_the_same_report_again_and_another_that_repeats_it_change_nothing(db, coop, run):
    mias = ids(db)[coop.mia]
    for _ in range(2):
        read(db, (mias, "RJCT", "AC04", ""))
    read(db, (mias, "RJCT", "AC04", "67.50"))
    assert balances(db, OWED_TO_MAKER) == {artisan_party(coop.mia): 6750}


def test_a_file_that_was_refused_whole_owes_everybody_again_and_ends_the_doubt(db, coop, run):
    sending.begin(db, run, by_folder=False, by=7, at=PICKUP)
    sending.note_answer(db, run, "unknown", reason="the line broke", by=7, at=PICKUP)
    read(db, status="RJCT", code="DUPL")
    assert state(db, run) == "partly_returned"
    assert balances(db, OWED_TO_MAKER) == {artisan_party(coop.mia): 6750, artisan_party(coop.orchard): 936}
    assert balances(db, PAYOUT_TRANSIT) == {}
    with db() as session:
        assert session.scalars(text("SELECT outcome FROM payout_submission")).all() == ["not_accepted"]
    again = compute_payouts(db, by=coop.jun, at=PICKUP + timedelta(days=1))
    with db() as session:
        paid = session.scalar(text("SELECT sum(payable_minor) FROM statement WHERE run_id = :run"), {"run": again})
    assert (paid, clean(db)) == (7686, [])


def test_an_accepted_file_is_with_the_bank(db, run):
    read(db, status="ACCP")
    assert (state(db, run), sum(balances(db, PAYOUT_TRANSIT).values())) == ("submitted", 7686)


def test_what_was_paid_cannot_be_refused_afterwards(db, coop, run):
    mias = ids(db)[coop.mia]
    bring_in(db, ("B1", -6750, mias, ""))
    assert refusal(read, db, (mias, "RJCT", "AC04", "")) == "paid_already"
    assert refusal(read, db, status="RJCT") == "paid_already"
    assert balances(db, OWED_TO_MAKER) == {}


def test_a_report_that_does_not_fit_our_file_changes_nothing(db, coop, run):
    mias = ids(db)[coop.mia]
    assert refusal(read, db, message="SB9999") == "unknown_message"
    assert refusal(read, db, (mias, "RJCT", "AC04", ""), ("SB1N77", "RJCT", "", "")) == "unknown_payment"
    assert refusal(read, db, (mias, "RJCT", "AC04", "67.49")) == "wrong_amount"
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM status_report")) == 0
    assert balances(db, OWED_TO_MAKER) == {}


def test_a_payment_refused_by_hand_can_neither_settle_nor_be_refused_again(db, coop, run):
    with db() as session:
        payment = session.scalars(select(Payment).where(Payment.end_to_end_id == ids(db)[coop.mia])).one()
    note = {"reason_code": "R03", "on": PICKUP.date(), "by": 7, "at": PICKUP}
    first = confirmations.refuse(db, payment.id, key="k" * 16, **note)
    assert confirmations.refuse(db, payment.id, key="k" * 16, **note) == first
    assert refusal(confirmations.refuse, db, payment.id, key="l" * 16, **note) == "payout_not_in_transit"
    bring_in(db, ("B1", -6750, payment.end_to_end_id, ""))
    assert balances(db, OWED_TO_MAKER) == {artisan_party(coop.mia): 6750}
    with db() as session:
        assert session.scalar(text("SELECT entry_id FROM bank_line")) is None


def test_a_return_is_told_with_the_reason_that_the_statement_codes(db, coop, run):
    from dataclasses import replace

    from coop.bank import service as bank
    from coop.formats.bank_statement import BankLine, BankStatement
    from coop.formats.camt import write_camt053
    from coop.formats.iban import demo_iban
    from tests.builders import FIELD_KEY

    mias, day = ids(db)[coop.mia], PICKUP.date()
    out = BankLine("B1", -6750, day, mias, "Statement")
    back = replace(out, reference="B2", minor=6750, text="", reason="AC01")
    said = BankStatement("S", demo_iban("GB", 1), "EUR", 0, 0, day, day, (out, back))
    content = write_camt053(said, created_at=PICKUP)
    bank.import_statement(db, content, by=0, at=PICKUP, field_key=FIELD_KEY)
    with db() as session:
        (reason,) = session.scalars(text("SELECT values ->> 'reason' FROM notice WHERE template = 'payout_returned'")).all()  # fmt: skip
        code = session.scalar(text("SELECT reason_code FROM payment WHERE returned_on IS NOT NULL"))
    assert (reason, code) == ("The account number is wrong. (AC01)", "AC01")
