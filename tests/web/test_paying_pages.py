"""A member sees what to pay, to which account and with which reference, and a code that a banking app reads."""

from __future__ import annotations

import pytest

from coop.core.payment_reference import references_in
from coop.policy import service as policy
from tests.services.test_bank import OURS


@pytest.fixture
def with_account(db):
    with db.begin() as session:
        policy.settle(session, "coop_iban", OURS, by=0)


def test_a_top_up_shows_the_transfer_with_the_households_own_reference(client_as, with_account):
    ana = client_as("member")
    page = ana.get("/pay?for=credit&amount=25.00")
    assert page.status_code == 200
    assert "€25.00" in page.text
    assert '<svg viewBox="0 0' in page.text
    assert {("H", ana.household_id)} == {tuple(one) for one in references_in(page.text)}


def test_without_an_amount_there_is_a_reference_and_no_code(client_as, with_account):
    page = client_as("member").get("/pay?for=gift")
    assert (page.status_code, "as you like" in page.text, "qr-figure" in page.text) == (200, True, False)


@pytest.mark.parametrize("typed", ["1e3", "0", "-5", "12.345", "99999999999999"])
def test_an_amount_that_is_none_is_kept_and_explained(client_as, with_account, typed):
    page = client_as("member").get("/pay", query_string={"amount": typed})
    assert (page.status_code, f'value="{typed}"' in page.text, "amount-error" in page.text) == (422, True, True)


def test_without_an_account_of_the_coop_the_page_says_so(client_as):
    assert "No account yet" in client_as("member").get("/pay").text


def test_a_page_of_payment_asks_few_questions(client_as, with_account, queries_of):
    ana = client_as("member")
    assert queries_of(lambda: ana.get("/pay?amount=5")) <= 12
