"""Single lines of a bank statement: split, tied to what was noted by hand, a supplier's bill, or money that came back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from coop.bank.models import BankLine
from coop.bank.queries import lines_page
from coop.confirmations import service as confirmations
from coop.core.ledger import (
    BANK,
    BANK_FEES,
    CARD_TRANSIT,
    HARDSHIP_FUND,
    MEMBER_CREDIT,
    PAYOUT_TRANSIT,
    SHARE_PREPAID,
    SUPPLIERS,
    UNIDENTIFIED_RECEIPTS,
    Entry,
    Posting,
    household_party,
    supplier_party,
)
from coop.incoming import service as incoming
from coop.incoming.models import RecordedPayment
from coop.incoming.queries import household_meant
from coop.incoming.service import Part
from coop.ledger import service as ledger
from coop.payouts.models import Payment
from coop.places import service as places
from coop.policy import service as policy
from coop.settling import service as settling
from coop.treasury import service as treasury
from tests.builders import NOW, a_household, a_season, a_size
from tests.rounds import PICKUP, balances
from tests.services.test_bank import DAY, OURS, bring_in, count, paid, refusal  # noqa: F401 - a fixture

AT = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)
"""The day that the statements of these tests speak of."""


@pytest.fixture
def ana(db):
    with db.begin() as session:
        policy.settle(session, "coop_iban", OURS, by=0)
        return a_household(session, "Ana", credit_minor=20_000)


@pytest.fixture
def ben(db):
    with db.begin() as session:
        return a_household(session, "Ben", credit_minor=5000)


def only_line(db) -> int:
    with db() as session:
        return session.scalars(select(BankLine.id).order_by(BankLine.id.desc()).limit(1)).one()


def open_lines(db) -> list:
    with db() as session:
        return lines_page(session, "", only_open=True, number=1).rows


def in_bank(db) -> int:
    return balances(db, BANK).get("", 0)


# -- one receipt for several --


def test_a_receipt_is_split_over_households_and_purposes(db, ana, ben):
    with db.begin() as session:
        size = a_size(session, a_season(session), price_minor=3000)
    places.take_share(db, size, household_id=ben, by=1, at=NOW, key="s")
    bring_in(db, ("R1", 10_000, None, "from both"))
    before = -in_bank(db)
    parts = [Part(ana, "credit", 6000), Part(ben, "share", 3000), Part(ana, "gift", 1000)]
    assert incoming.split_receipt(db, only_line(db), parts, by=1, at=PICKUP, key="k") == 3
    assert incoming.split_receipt(db, only_line(db), parts, by=1, at=PICKUP, key="k") == 3  # sent twice
    assert -in_bank(db) == before  # the statement had brought the money in
    assert balances(db, UNIDENTIFIED_RECEIPTS).get("", 0) == 0
    assert balances(db, HARDSHIP_FUND) == {"": 1000}
    credit = balances(db, MEMBER_CREDIT)
    assert credit[household_party(ana)] == 26_000
    assert credit[household_party(ben)] + balances(db, SHARE_PREPAID).get(household_party(ben), 0) == 8000
    assert open_lines(db) == []
    with db() as session:
        assert lines_page(session, "", only_open=False, number=1).rows[0].whose == "Ana, Ben"


@pytest.mark.parametrize(
    ("minors", "code"),
    [
        ((6000, 3000), "does_not_add_up"),
        ((6000, 4001), "does_not_add_up"),
        ((10_001, -1), "bad_amount"),
        ((), "does_not_add_up"),
    ],
)
def test_parts_that_are_not_the_whole_are_refused_and_nothing_is_stored(db, ana, minors, code):
    bring_in(db, ("R1", 10_000, None, ""))
    parts = [Part(ana, "credit", minor) for minor in minors]
    assert refusal(incoming.split_receipt, db, only_line(db), parts, by=1, at=PICKUP, key="k") == code
    assert count(db, RecordedPayment) == 0


def test_a_part_for_a_share_that_nobody_has_is_refused(db, ana):
    bring_in(db, ("R1", 100, None, ""))
    told = [Part(ana, "share", 100)]
    assert refusal(incoming.split_receipt, db, only_line(db), told, by=1, at=PICKUP, key="k") == "no_share"


def test_a_household_is_meant_by_its_name_or_its_number_and_never_guessed(db, ana, ben):
    with db.begin() as session:
        other = a_household(session, "Ben")
    with db() as session:
        assert household_meant(session, " ANA ") == household_meant(session, f"#{ana}") == ana
        for words in ("An", "#0", "#999999999999999999", f"{ana}", ""):
            assert refusal(household_meant, session, words) == "unknown_household"
        assert refusal(household_meant, session, "ben") == "which_household"
        assert household_meant(session, f"#{other}") == other


def test_a_receipt_is_split_once(db, ana, ben):
    bring_in(db, ("R1", 100, None, ""))
    incoming.split_receipt(db, only_line(db), [Part(ana, "credit", 100)], by=1, at=PICKUP, key="k")
    other = [Part(ben, "credit", 100)]
    assert refusal(incoming.split_receipt, db, only_line(db), other, by=1, at=PICKUP, key="k2") == "inputs_changed"


# -- what was noted by hand --


def test_a_refund_noted_by_hand_is_known_again_when_the_bank_tells_it(db, ana):
    refund = treasury.refund_credit(db, ana, 2500, by=1, at=AT, key="r")
    before = in_bank(db)
    bring_in(db, ("OUT1", -2500, None, "refund"))
    assert in_bank(db) == before
    with db() as session:
        assert session.scalars(select(BankLine.entry_id)).one() == refund
    assert open_lines(db) == []
    assert refusal(treasury.reverse, db, refund, reason="oops", by=1, at=AT, key="x") == "not_reversible"


def test_two_that_fit_are_asked_about_and_each_is_tied_once(db, ana, ben):
    refunds = [treasury.refund_credit(db, one, 2500, by=1, at=AT, key=f"r{one}") for one in (ana, ben)]
    before = in_bank(db)
    bring_in(db, ("OUT1", -2500, None, ""), ("OUT2", -2500, None, ""))
    first, second = sorted(row.id for row in open_lines(db))
    assert {one.row_id for one in open_lines(db)[0].meanings} == set(refunds)
    for _ in range(2):
        settling.settle_line(db, first, kind="noted", row_id=refunds[0], by=1, at=AT)
    again = {"kind": "noted", "row_id": refunds[0], "by": 1, "at": AT}
    assert refusal(settling.settle_line, db, second, **again) == "inputs_changed"
    settling.settle_line(db, second, kind="noted", row_id=refunds[1], by=1, at=AT)
    assert (in_bank(db), open_lines(db)) == (before, [])


def test_a_payout_confirmed_by_hand_is_not_booked_again_by_the_bank(db, paid):  # noqa: F811
    _, _, end_to_end = paid
    with db() as session:
        payment = session.scalars(select(Payment)).one()
    confirmations.confirm(db, payment.id, on=DAY, by=1, at=PICKUP, key="c")
    before = in_bank(db)
    bring_in(db, ("L1", -payment.amount_minor, end_to_end, ""))
    assert (in_bank(db), sum(balances(db, PAYOUT_TRANSIT).values()), open_lines(db)) == (before, 0, [])
    confirmations.take_back(db, payment.id, on=DAY, by=1, at=PICKUP, key="t")
    before = in_bank(db)
    bring_in(db, ("L2", payment.amount_minor, end_to_end, "returned"), name="STMT2")
    assert (in_bank(db), open_lines(db), balances(db, UNIDENTIFIED_RECEIPTS)) == (before, [], {})


# -- suppliers, and what comes back --


@pytest.fixture
def bill(db, ana) -> int:
    """A carrier's bill of 12.00 that Ana bears, and the bank's line that pays it."""
    treasury.share_cost(db, "Carrier", 1200, among=[(ana, 1)], by=1, at=AT, key="b")
    bring_in(db, ("OUT1", -1200, None, "invoice 7"))
    return only_line(db)


def test_a_suppliers_bill_is_known_and_paid_by_the_line(db, bill):
    before = in_bank(db)
    (row,) = open_lines(db)
    assert [(one.kind, one.whose) for one in row.meanings] == []  # the statement names nobody
    with db.begin() as session:
        session.execute(text("UPDATE bank_line SET name = 'Carrier'"))
    (meaning,) = open_lines(db)[0].meanings
    assert (meaning.kind, meaning.whose) == ("supplier", "Carrier")
    for _ in range(2):
        settling.settle_line(db, bill, kind="supplier", row_id=meaning.row_id, by=1, at=AT)
    assert balances(db, SUPPLIERS).get(supplier_party("Carrier"), 0) == 0
    assert abs(in_bank(db) - before) == 1200
    assert open_lines(db) == []


def test_a_payment_to_a_supplier_that_comes_back_is_owed_again_once(db, bill):
    with db.begin() as session:
        session.execute(text("UPDATE bank_line SET name = 'Carrier'"))
    (meaning,) = open_lines(db)[0].meanings
    settling.settle_line(db, bill, kind="supplier", row_id=meaning.row_id, by=1, at=AT)
    bring_in(db, ("IN1", 1200, None, "account closed"), ("IN2", 1200, None, "another"), name="STMT2")
    one, other = (row for row in open_lines(db) if row.amount_minor > 0)
    for _ in range(2):
        settling.settle_line(db, one.id, kind="came_back", row_id=bill, by=1, at=AT)
    assert balances(db, SUPPLIERS) == {supplier_party("Carrier"): 1200}
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {"": 1200}
    again = {"kind": "came_back", "row_id": bill, "by": 1, "at": AT}
    assert refusal(settling.settle_line, db, other.id, **again) == "inputs_changed"
    with db() as session:
        shown = lines_page(session, "", only_open=False, number=1)
    assert {row.id: row.match for row in shown.rows}[one.id] == "came_back"


def test_two_treasurers_settle_one_line_once(db, bill):
    with db.begin() as session:
        session.execute(text("UPDATE bank_line SET name = 'Carrier'"))
    (meaning,) = open_lines(db)[0].meanings
    before = in_bank(db)
    settling.settle_line(db, bill, kind="supplier", row_id=meaning.row_id, by=1, at=AT)
    settling.settle_line(db, bill, kind="supplier", row_id=meaning.row_id, by=2, at=AT)
    assert abs(in_bank(db) - before) == 1200


# -- what a card provider passes on --


def test_what_the_card_provider_passes_on_leaves_the_money_in_transit_less_its_charges(db, ana):
    with db.begin() as session:
        paid_by_card = (Posting(CARD_TRANSIT, "", 5000), Posting(MEMBER_CREDIT, household_party(ana), -5000))
        ledger.post(session, Entry("card:1", "card_paid", DAY, paid_by_card), by=0, currency="EUR")
    bring_in(db, ("IN1", 4850, None, "STRIPE"), ("IN2", 100, None, "STRIPE"))
    first, second = sorted(row.id for row in open_lines(db))
    for fee, code in ((-1, "bad_amount"), (151, "more_than_in_transit")):
        assert refusal(settling.book_card_payout, db, first, fee_minor=fee, by=1, at=AT) == code
    for _ in range(2):
        settling.book_card_payout(db, first, fee_minor=150, by=1, at=AT)
    assert (balances(db, CARD_TRANSIT).get("", 0), abs(balances(db, BANK_FEES)[""])) == (0, 150)
    assert balances(db, UNIDENTIFIED_RECEIPTS) == {"": 100}
    assert refusal(settling.book_card_payout, db, second, fee_minor=0, by=1, at=AT) == "more_than_in_transit"
    told = {"by": 1, "at": PICKUP, "key": "k"}
    assert refusal(incoming.split_receipt, db, first, [Part(ana, "credit", 4850)], **told) == "inputs_changed"
