"""Receipts with a payment reference are their household's at once; all others are nobody's until a person says whose."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text

from coop.bank.models import BankLine, RecordedPayment
from coop.core.ledger import HARDSHIP_FUND, MEMBER_CREDIT, SHARE_PREPAID, UNIDENTIFIED_RECEIPTS, household_party
from coop.core.payment_reference import CREDIT, GIFT, SHARE, PaymentReference
from coop.places import service as places
from coop.policy import service as policy
from tests.builders import NOW, a_household, a_season, a_size
from tests.rounds import balances
from tests.services.test_bank import OURS, bring_in


@pytest.fixture
def ana(db):
    with db.begin() as session:
        policy.settle(session, "coop_iban", OURS, by=0)
        return a_household(session, "Ana")


@pytest.fixture
def share(db, ana):
    with db.begin() as session:
        size = a_size(session, a_season(session, starts=date(2026, 12, 15)), price_minor=30_000)
    return places.take_share(db, size, household_id=ana, by=1, at=NOW, key="s")


def written(purpose, number):
    return PaymentReference(purpose, number).written()


def test_a_households_reference_makes_credit_and_is_seen_among_the_payments(db, ana):
    bring_in(db, ("B1", 5000, None, f"jam {written(CREDIT, ana)}"))
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 5000}
    with db() as session:
        payment = session.scalars(select(RecordedPayment)).one()
        assert (payment.purpose, payment.reference) == ("credit", "B1")
        key = session.scalar(text("SELECT key FROM entry WHERE id = :id"), {"id": payment.entry_id})
    assert key == f"bank:{OURS}:B1"


def test_a_reference_in_the_end_to_end_id_counts_as_well(db, ana):
    bring_in(db, ("B1", 5000, written(CREDIT, ana), ""))
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 5000}


def test_a_shares_reference_pays_the_share_and_what_is_over_is_credit(db, ana, share):
    bring_in(db, ("B1", 20_000, None, written(SHARE, share)), ("B2", 15_000, None, written(SHARE, share)))
    moved = sum(balances(db, SHARE_PREPAID).values()) + sum(balances(db, MEMBER_CREDIT).values())
    assert moved == 35_000
    with db() as session:
        released = session.scalar(
            text("SELECT released_at IS NOT NULL FROM instalment WHERE share_id = :id"), {"id": share}
        )
    assert released
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 35_000}


def test_a_gift_goes_to_the_hardship_fund(db, ana):
    bring_in(db, ("B1", 700, None, written(GIFT, ana)))
    assert balances(db, HARDSHIP_FUND) == {"": 700}


@pytest.mark.parametrize("told", ["two", "stranger", "slip", "left"])
def test_what_is_not_certain_is_left_to_a_person(db, ana, told):
    own = written(CREDIT, ana)
    words = {"two": f"{own} {written(GIFT, ana)}", "stranger": written(CREDIT, 9_999_999), "slip": own[:-1] + str((int(own[-1]) + 1) % 10), "left": own}  # fmt: skip
    if told == "left":
        with db.begin() as session:
            session.execute(text("UPDATE household SET left_at = now() WHERE id = :id"), {"id": ana})
    bring_in(db, ("B1", 5000, None, words[told]))
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {"": 5000}
    assert balances(db, MEMBER_CREDIT) == {}


def test_two_equal_payments_are_both_booked_and_an_overlapping_file_books_neither_again(db, ana):
    line = ("", 5000, None, written(CREDIT, ana))
    bring_in(db, line, line)
    bring_in(db, line, line, ("B9", 100, None, ""), name="STMT2")
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 10_000}
    with db() as session:
        assert len(session.scalars(select(BankLine)).all()) == 3
