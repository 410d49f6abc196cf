"""The accountant reads the books by numbers alone; every figure leads to its postings, and an entry to what it is about."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from tests import rounds
from tests.builders import a_household, a_pool, a_product, a_season, an_artisan, an_offering


@pytest.fixture
def books(db):
    with db.begin() as session:
        ana = a_household(session, "Quillan & Tomas", credit_minor=5_000)
        pool = a_pool(session, a_season(session), "Advent pool")
        jam = an_offering(session, pool, a_product(session, an_artisan(session, "Orchard Lane")), deposit_minor=50)
    line = rounds.publish(db, pool, {ana: {jam: 2}}, {jam: 2})[ana, jam]
    rounds.fetch(db, line, 2)
    with db() as session:
        ids = dict(session.execute(text("SELECT kind, max(id) FROM entry GROUP BY kind")).all())
        account = session.scalar(text("SELECT id FROM account WHERE code = 2000"))
    return {"ana": ana, "account": account, **ids}


def test_the_accountant_reads_everything_by_numbers_and_never_a_name(client_as, books):
    reader = client_as("accountant")
    paths = [
        "/books/trial-balance", "/books/chart/2000", "/books/chart/2100", f"/books/accounts/{books['account']}", "/books/journal",
        f"/books/entries/{books['pickup']}", "/books/balances", "/books/balances/1", "/books/downloads",
    ]  # fmt: skip
    for path in paths:
        answer = reader.get(path)
        if path != "/books/balances/1":
            assert answer.status_code == 200, path
        for name in ("Quillan", "Tomas", "Orchard"):
            assert name not in answer.text, path
    assert f"Household {books['ana']}" in reader.get("/books/chart/2000").text
    assert "Quillan &amp; Tomas" in client_as("treasurer").get("/books/chart/2000").text


def test_the_accountant_changes_nothing(client_as, books):
    reader = client_as("accountant")
    assert reader.get(f"/books/entries/{books['credit_paid_in']}/reverse").status_code == 403
    assert reader.get("/money/households").status_code == 403
    assert "Reverse it" not in reader.get(f"/books/entries/{books['credit_paid_in']}").text


def test_an_entry_leads_down_to_accounts_and_up_to_what_it_is_about(client_as, books):
    page = client_as("treasurer", "packer").get(f"/books/entries/{books['pickup']}").text
    assert len(re.findall(r'href="/books/accounts/\d+"', page)) == 4
    assert re.search(r'href="/pickups/orders/\d+">Hand-over \d+ of order', page)
    assert "Hand-over" in client_as("accountant").get(f"/books/entries/{books['pickup']}").text
    assert client_as("treasurer").get("/books/entries/999999").status_code == 404


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"account": "2200"}, {"pickup"}),
        ({"party": "artisan:999"}, set()),
        ({"kind": "order"}, {"order"}),
        ({"q": "pickup:"}, {"pickup"}),
        ({"q": "%"}, set()),
        ({"from": "2027-01-01"}, set()),
        ({"to": "2020-01-01"}, set()),
        ({"period": "999"}, set()),
        ({"account": "x", "period": "-1", "from": "never", "page": "0"}, {"credit_paid_in", "order", "pickup"}),
    ],
)
def test_the_journal_finds_what_is_asked_for(client_as, books, query, kinds):
    page = client_as("treasurer").get("/books/journal", query_string=query)
    assert page.status_code == 200
    found = {int(n) for n in re.findall(r'href="/books/entries/(\d+)"', page.text)}
    assert found == {books[kind] for kind in kinds}
    assert ("Not a day" in page.text) == (query.get("from") == "never")


def test_the_treasurer_reverses_an_entry_from_its_page_once(client_as, db, books):
    petra = client_as("treasurer")
    assert petra.fill(f"/money/households/{books['ana']}/gift", {"amount": "1"}).status_code == 303
    with db() as session:
        gift = session.scalar(text("SELECT max(id) FROM entry"))
    path = f"/books/entries/{gift}/reverse"
    assert petra.fill(path, {"reason": ""}).status_code == 422
    done = petra.fill(path, {"reason": "Asked by mistake"})
    assert done.status_code == 303
    assert "Asked by mistake" in petra.get(done.location).text
    again = petra.fill(path, {"reason": "Again"})
    assert (again.status_code, "reversed already" in again.text, 'value="Again"' in again.text) == (422, True, True)
    assert petra.fill(f"/books/entries/{books['pickup']}/reverse", {"reason": "x"}).status_code == 422


def test_a_month_adds_up(client_as, db, books):
    with db() as session:
        period = session.scalar(text("SELECT min(id) FROM period"))
    page = client_as("accountant").get(f"/books/balances/{period}").text
    assert "both sides agree" in page
    assert client_as("accountant").get("/books/balances/999999").status_code == 404


def test_a_form_of_the_ledger_that_is_not_written_is_unknown(client_as):
    assert client_as("accountant").get("/books/ledger/pdf").status_code == 404
