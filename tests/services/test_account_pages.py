"""An account's page reads only the latest of its entries; the balances on it must be those of the whole history all the same."""

from itertools import accumulate

import pytest
from sqlalchemy import select

from coop.books import queries as books
from coop.core.ledger import BANK, MEMBER_CREDIT, ORDER_HOLD, Entry, Posting, household_party
from coop.ledger import queries as accounts
from coop.ledger import service as ledger
from coop.ledger.models import Account
from tests.builders import TODAY, a_household

MOVED = [5000, *(7 * n % 90 - 40 or 1 for n in range(1, 120))]
"""What comes in, or where below zero goes back, in 120 entries; the credit stays above nothing."""

BENS = 900


@pytest.fixture
def ana(db):
    """A household each of whose entries has two postings on its credit, with somebody else's entries in between."""
    with db.begin() as session:
        ana, ben = a_household(session, "Ana"), household_party(a_household(session, "Ben", credit_minor=BENS))
        for n, minor in enumerate(MOVED):
            on_credit = [Posting(MEMBER_CREDIT, household_party(ana), part) for part in (-minor - 1000, 1000)]
            own = Entry(f"bank:story:{n}", "credit_paid_in", TODAY, (Posting(BANK, "", minor), *on_credit))
            others = Entry(f"order:story:{n}", "order", TODAY, (Posting(MEMBER_CREDIT, ben, 1), Posting(ORDER_HOLD, ben, -1)))  # fmt: skip
            for entry in (own, others):
                ledger.post(session, entry, by=0, currency="EUR")
        return ana


def latest_first(amounts, number):
    """Each amount with the sum up to it, as page `number` shows them."""
    return list(zip(amounts, accumulate(amounts), strict=True))[::-1][50 * (number - 1) : 50 * number]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_household_sees_each_entry_with_its_credit_after_it(db, ana, number):
    with db() as session:
        page = accounts.balance_page(session, ana, number=number)
    assert [(row.amount_minor, row.balance_minor) for row in page.rows] == latest_first(MOVED, number)
    assert page.credit_minor == sum(MOVED)
    assert page.part.total == (len(MOVED) if page.rows else 0)


def test_a_household_that_never_paid_has_an_empty_account(db):
    with db.begin() as session:
        page = accounts.balance_page(session, a_household(session, "Cleo"), number=1)
    assert (page.rows, page.credit_minor, page.part.total) == ([], 0, 0)


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_a_treasurer_sees_each_posting_of_a_kept_account(db, ana, number):
    amounts = [part for minor in MOVED for part in (-minor - 1000, 1000)]
    assert told(db, MEMBER_CREDIT, household_party(ana), number) == (latest_first(amounts, number), -sum(MOVED), 240)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_treasurer_sees_each_posting_of_an_account_that_is_summed_up(db, ana, number):
    amounts = [BENS, *MOVED]
    assert told(db, BANK, "", number) == (latest_first(amounts, number), sum(amounts), 121)


def told(db, code, party, number):
    with db() as session:
        account_id = session.scalars(select(Account.id).where(Account.code == code, Account.party == party)).one()
        page = books.account_page(session, account_id, number=number)
    rows = [(row.debit_minor - row.credit_minor, row.balance_minor) for row in page.rows]
    return rows, page.balance_minor, page.part.total


def test_balances_of_many_are_told_by_whose_they_are(db, ana):
    names = ['a "quoted" one', "back\\slash", "comma, {brace}", household_party(ana), "household:0"]
    with db.begin() as session:
        for n, name in enumerate(names[:3], 1):
            paid = (Posting(BANK, "", n), Posting(MEMBER_CREDIT, name, -n))
            ledger.post(session, Entry(f"bank:named:{n}", "credit_paid_in", TODAY, paid), by=0, currency="EUR")
        found = ledger.balances_of(session, MEMBER_CREDIT, names[::-1])
        assert ledger.balances_of(session, MEMBER_CREDIT, []) == {}
    assert found == {names[0]: -1, names[1]: -2, names[2]: -3, household_party(ana): -sum(MOVED)}
