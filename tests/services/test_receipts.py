"""Receipts with a payment reference are their household's at once; all others are nobody's until a person says whose."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select, text

from coop.bank import service as bank
from coop.bank.models import BankLine, BankStatement
from coop.bank.queries import statement_page
from coop.core.errors import RuleBroken
from coop.core.ledger import HARDSHIP_FUND, MEMBER_CREDIT, SHARE_PREPAID, UNIDENTIFIED_RECEIPTS, household_party
from coop.core.payment_reference import CREDIT, GIFT, SHARE, PaymentReference
from coop.formats import camt
from coop.formats.bank_statement import BankLine as StatementLine
from coop.formats.bank_statement import BankStatement as Told
from coop.formats.iban import demo_iban
from coop.incoming import service as incoming
from coop.incoming.models import RecordedPayment
from coop.places import service as places
from coop.policy import service as policy
from tests.builders import FIELD_KEY, NOW, a_household, a_season, a_size
from tests.rounds import PICKUP, balances
from tests.services.test_bank import DAY, OURS, bring_in

ANAS = demo_iban("DE", 12)


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


# -- what is suggested, and confirmed with one click --


def suggested(db):
    """What the statement's page suggests, by line reference: (household, what for, how sure, why)."""
    with db() as session:
        page = statement_page(session, session.scalar(select(func.max(BankStatement.id))), number=1)
    return {
        row.reference: None
        if (found := row.suggestion) is None
        else (found.household_id, "share" if found.share_id else "credit", found.confidence, found.reasons)
        for row in page.rows
    }


def confirm(db, reference, household_id, *, key="c"):
    with db() as session:
        line_id = session.scalar(select(BankLine.id).where(BankLine.reference == reference))
    return incoming.confirm_suggestion(db, line_id, household_id=household_id, by=1, at=PICKUP, key=key)


def bring_in_named(db, *lines, name="STMT1"):
    """Bring in lines as (reference, minor, payer's name, payer's IBAN)."""
    parts = tuple(StatementLine(ref, minor, DAY, None, "", payer, iban) for ref, minor, payer, iban in lines)
    closing = 1_000_000 + sum(line.minor for line in parts)
    told = Told(name, OURS, "EUR", 1_000_000, closing, DAY, DAY, parts)
    content = camt.write_camt053(told, created_at=PICKUP)
    return bank.import_statement(db, content, by=1, at=PICKUP, field_key=FIELD_KEY)


def test_name_and_amount_suggest_a_household_and_nothing_is_booked_before_somebody_confirms(db, ana, share):
    bring_in_named(db, ("B1", 30_000, "Ana", ANAS))
    assert suggested(db) == {"B1": (ana, "share", "likely", ("name", "amount"))}
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {"": 30_000}
    assert confirm(db, "B1", ana) == confirm(db, "B1", ana)
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {}
    assert balances(db, MEMBER_CREDIT) | balances(db, SHARE_PREPAID) == {household_party(ana): 30_000}
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM entry WHERE key LIKE 'resolve:%'")) == 1


def test_an_account_that_paid_before_is_known_again_whatever_name_stands_there(db, ana):
    bring_in_named(db, ("B1", 900, "Ana", ANAS))
    confirm(db, "B1", ana)
    bring_in_named(db, ("B2", 1200, "Ms A R", ANAS), name="STMT2")
    assert suggested(db) == {"B2": (ana, "credit", "likely", ("account",))}
    with db() as session:
        kept = session.scalars(text("SELECT payer_hash FROM payer_account")).all()
        ends = session.scalars(select(BankLine.iban_ending)).all()
    assert len(kept) == 1
    assert ANAS not in kept[0]
    assert ends == [ANAS[-4:]] * 2


def test_an_account_is_learnt_from_a_reference_too(db, ana):
    line = StatementLine("B1", 900, DAY, None, written(CREDIT, ana), "A", ANAS)
    told = Told("S1", OURS, "EUR", 0, 900, DAY, DAY, (line,))
    bank.import_statement(db, camt.write_camt053(told, created_at=PICKUP), by=1, at=PICKUP, field_key=FIELD_KEY)
    bring_in_named(db, ("B2", 1200, "", ANAS), name="STMT2")
    assert suggested(db)["B2"] == (ana, "credit", "likely", ("account",))


def test_two_of_one_name_and_nobody_at_all_are_not_guessed(db, ana):
    with db.begin() as session:
        a_household(session, "Ana")
    bring_in_named(db, ("B1", 900, "Ana", ""), ("B2", 901, "Zoe", ""))
    assert suggested(db) == {"B1": None, "B2": None}


def test_a_suggestion_that_changed_or_a_receipt_that_is_known_is_not_confirmed(db, ana):
    with db.begin() as session:
        ben = a_household(session, "Ben")
    bring_in_named(db, ("B1", 900, "Ana", ""))
    with pytest.raises(RuleBroken) as refused:
        confirm(db, "B1", ben)
    assert refused.value.code == "inputs_changed"
    confirm(db, "B1", ana)
    with pytest.raises(RuleBroken) as refused:
        confirm(db, "B1", ana, key="again")
    assert refused.value.code == "inputs_changed"
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 900}
