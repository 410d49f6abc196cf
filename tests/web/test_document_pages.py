"""A household finds, asks for and keeps its documents, sees no other's, and the treasurer decides which are written."""

from __future__ import annotations

import csv
import io
import re

import pytest
import time_machine
from sqlalchemy import text

from coop import jobs
from coop.documents import service as documents
from coop.papers import service as papers
from tests import rounds
from tests.rounds import PICKUP
from tests.services.test_papers import House
from tests.web.test_treasury_pages import shown, words

INVOICE = "/documents/months/2026-12"


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


@pytest.fixture
def house(db):
    made = House(db)
    rounds.fetch(db, made.mugs, 3)
    rounds.fetch(db, made.jam, 3)
    return made


@pytest.fixture
def ana(db, house, client_as):
    """Somebody of Ana's household."""
    browser = client_as("member")
    with db.begin() as session:
        session.execute(
            text("UPDATE belonging SET household_id = :to WHERE person_id = :who"),
            {"to": house.ana, "who": browser.person_id},
        )
    return browser


def test_a_member_asks_for_an_invoice_reads_it_and_downloads_the_same_paper_always(db, house, ana):
    page = shown(ana, "/documents")
    assert "December 2026 2 €90.60 Ask for the invoice of December 2026" in page
    asked = ana.press(INVOICE)
    assert asked.status_code == 303
    invoice = words(ana.get(asked.location).text)
    for said in ("Invoice INV-2026-1", "Jam, lot", "3 €5.20 7 % €15.60", "7 % €14.58 €1.02 €15.60", "Deposits on jars and bottles €1.50", "Total €17.10", "being laid out"):  # fmt: skip
        assert said in invoice
    assert "Fetched, and on no invoice yet" not in shown(ana, "/documents")
    document = int(asked.location.rsplit("/", 1)[1])
    assert ana.get(f"/documents/{document}.pdf").status_code == 404
    rounds.work_off(db, jobs.WRITE_DOCUMENT, document, lambda d, lease: documents.lay_out(d, lease, at=PICKUP))
    papers_seen = [ana.get(f"/documents/{document}.pdf") for _ in range(2)]
    assert {one.mimetype for one in papers_seen} == {"application/pdf"}
    assert papers_seen[0].data == papers_seen[1].data
    assert 'filename="INV-2026-1.pdf"' in papers_seen[0].headers["Content-Disposition"]


def test_a_makers_invoice_says_who_sells(house, ana):
    first = ana.press(INVOICE).location
    page = words(ana.get(f"/documents/{int(first.rsplit('/', 1)[1]) + 1}").text)
    for said in (f"Invoice INV-M{house.mia}-2026-1", "Mia Kell sells;", "19 % €63.03 €11.97 €75.00", "IE 7654321B"):
        assert said in page


def test_anothers_document_is_unknown_and_the_treasurer_reads_all(house, ana, client_as):
    path = ana.press(INVOICE).location
    assert [ana.get(one).status_code for one in (path, "/documents/999999", f"{path}.pdf")] == [200, 404, 404]
    for stranger in (client_as("member"), client_as("packer"), client_as("artisan", artisan_id=house.mia)):
        assert {stranger.get(one).status_code for one in (path, f"{path}.pdf", "/documents/999999")} == {404}
    assert client_as("treasurer").get(path).status_code == 200


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "x", "2026-12-01"])
def test_no_month_is_unknown(ana, month):
    assert ana.press(f"/documents/months/{month}").status_code == 404


def test_what_cannot_be_written_is_said_and_writes_nothing(house, ana):
    assert ana.press(INVOICE).status_code == 303
    again = ana.press(INVOICE)
    assert (again.status_code, "Nothing of this month is without an invoice" in again.text) == (422, True)
    other = ana.press("/documents/payments/999999")
    assert (other.status_code, "no such payment" in other.text) == (422, True)
    assert ana.press(INVOICE, {"amount": "5"}).status_code == 400
    assert len(house.all()) == 2


def test_a_member_says_the_address_and_asks_for_a_receipt(house, ana):
    assert ana.fill("/documents", {"address": "Quay 1\r\nAshby"}).status_code == 303
    wrong = ana.fill("/documents", {"address": "\n".join("1234567")})
    assert (wrong.status_code, "at most 6 lines" in wrong.text) == (422, True)
    button = re.search(r'action="(/documents/payments/\d+)"', ana.get("/documents").text)[1]
    receipt = words(ana.get(ana.press(button).location).text)
    assert "Receipt REC-2026-1" in receipt
    assert "Credit to order with, by bank" in receipt
    assert house.all()[0].addressee == "Ana\nQuay 1\nAshby"


def test_the_treasurer_decides_in_whose_name_and_finds_what_was_written(db, house, ana, client_as):
    ana.press(INVOICE)
    petra = client_as("treasurer")
    named = {"legal_name": "Orchard Lane Ltd", "address": "Lane 1", "tax_number": ""}
    assert petra.fill(f"/money/documents/sellers/{house.mia}", named).status_code == 303
    assert "Orchard Lane Ltd none" in shown(petra, "/money/documents/settings")
    assert petra.get("/money/documents/sellers/999999").status_code == 404
    empty = petra.fill("/money/documents/sellers/0", {"legal_name": " ", "address": "A\u202eB", "tax_number": "7" * 41})
    assert (empty.status_code, 'value="7777' in empty.text) == (422, True)
    for query, references in (
        ({}, ["INV-2026-1", f"INV-M{house.mia}-2026-1"]),
        ({"q": "mia kell"}, [f"INV-M{house.mia}-2026-1"]),
        ({"q": "INV-2026"}, ["INV-2026-1"]),
        ({"kind": "receipt"}, []),
        ({"kind": "gin", "from": "never", "page": "-1"}, ["INV-2026-1", f"INV-M{house.mia}-2026-1"]),
        ({"from": "2026-12-02"}, []),
        ({"to": "2026-12-01", "q": "%"}, []),
    ):
        answer = petra.get("/money/documents", query_string=query)
        assert sorted(re.findall(r"Invoice (INV-[^<]+)</a>", answer.text)) == references
        assert ("Not a day" in answer.text) == ("never" in query.values())
    rows = list(csv.reader(io.StringIO(petra.get("/money/documents.csv?q=INV-2026").data.decode("utf-8-sig"))))
    assert rows[1][:2] + rows[1][5:] == ["INV-2026-1", "invoice", "Riverside Craft Co-op", "Ana", "15.60", "1.02", "0.00", "1.50", "17.10", "EUR"]  # fmt: skip


def test_the_treasurer_settles_what_is_written(db, client_as):
    petra = client_as("treasurer")
    asked = {"invoices": "always", "receipts": "on_request", "since": "2026-12-01"}
    first = petra.fill("/money/documents/settings", asked)
    assert (first.status_code, "First say below in whose name" in first.text) == (422, True)
    assert petra.fill("/money/documents/settings", asked | {"invoices": "sometimes"}).status_code == 422
    assert petra.fill("/money/documents/settings", asked | {"since": "31/02/2026"}).status_code == 422
    name = {"legal_name": "Riverside", "address": "Mill Yard 3", "tax_number": "IE 1"}
    assert petra.fill("/money/documents/sellers/0", name).status_code == 303
    assert petra.fill("/money/documents/settings", asked).status_code == 303
    with db() as session:
        settled = papers.habit(session, at=PICKUP)
    assert (settled.invoices, settled.receipts, settled.since.isoformat()) == ("always", "on_request", "2026-12-01")


def test_an_entry_leads_to_the_document_that_tells_it(db, house, ana, client_as):
    ana.press(INVOICE)
    with db() as session:
        entry = session.scalar(text("SELECT min(id) FROM entry WHERE kind = 'pickup'"))
    told = client_as("treasurer").get(f"/books/entries/{entry}").text
    assert re.search(rf'href="/documents/\d+">Invoice INV-M{house.mia}-2026-1</a>', told)
    by_number = client_as("accountant").get(f"/books/entries/{entry}").text
    assert (f"Invoice INV-M{house.mia}-2026-1" in by_number, "/documents/" in by_number) == (True, False)


@pytest.mark.parametrize("role", ["member", "packer", "artisan", "accountant"])
def test_the_list_is_the_treasurers(client_as, role):
    paths = ("/money/documents", "/money/documents.csv", "/money/documents/settings", "/money/documents/sellers/0")
    browser = client_as(role)
    assert {browser.get(path).status_code for path in paths} == {403}


def test_a_co_op_that_writes_none_says_so(db, client_as):
    assert "The co-op writes none." in shown(client_as("member"), "/documents")
