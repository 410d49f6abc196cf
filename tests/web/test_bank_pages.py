"""The treasurer's pages about bank statements: columns of CSV files, single lines, and what is refused."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from coop.policy import service as policy
from coop.web.forms import new_key
from tests.builders import a_household
from tests.services.test_bank import OURS

FILE = (
    b"Buchung;Name;Zweck;Betrag;Saldo\n20.11.2026;Ana;hello;25,00;1.025,00\n21.11.2026;Ben;<b>more</b>;-5,00;1.020,00\n"
)
CHOSEN = {"booked_on": "Buchung", "amount": "Betrag", "balance": "Saldo", "text": "Zweck", "name": "Name"}
NEXT = b"Buchung;Name;Zweck;Betrag;Saldo\n22.11.2026;Cem;;10,00;1.030,00\n"


@pytest.fixture
def petra(client_as, db):
    with db.begin() as session:
        policy.settle(session, "coop_iban", OURS, by=0)
    return client_as("treasurer")


def send(browser, content: bytes, **typed):
    """Send a file as a browser does; the body is put together here, since the test client would keep a large one in a file."""
    told = {"csrf_token": browser.token(), "key": new_key()} | typed
    parts = [f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{word}\r\n' for name, word in told.items()]
    parts.append('--cut\r\nContent-Disposition: form-data; name="file"; filename="file.csv"\r\n\r\n')
    body = "".join(parts).encode() + content + b"\r\n--cut--\r\n"
    return browser.post("/bank/statements", data=body, content_type="multipart/form-data; boundary=cut")


def count(db, table: str) -> int:
    with db() as session:
        return session.scalar(text(f"SELECT count(*) FROM {table}"))


def test_a_treasurer_names_the_columns_once(petra, db):
    asked = send(petra, FILE)
    assert (asked.status_code, count(db, "bank_statement")) == (303, 0)
    page = petra.get(asked.location)
    assert "&lt;b&gt;more&lt;/b&gt;" in page.text
    assert '<option selected value="Saldo">' in page.text  # what the headings suggest
    taken = petra.fill(asked.location, CHOSEN)
    assert (taken.status_code, count(db, "bank_line")) == (303, 2)
    again = send(petra, NEXT)
    assert again.location.rpartition("/")[0] == "/bank/statements"
    assert count(db, "bank_line") == 3


def test_columns_can_be_said_anew(petra, db):
    petra.fill(send(petra, FILE).location, CHOSEN)
    assert "/columns/" in send(petra, NEXT, again="y").location
    assert count(db, "bank_line") == 2


def test_columns_that_do_not_fit_are_explained_and_kept(petra, db):
    page = petra.fill(send(petra, FILE).location, CHOSEN | {"amount": "Name"})
    assert (page.status_code, count(db, "bank_statement")) == (422, 0)
    assert '<option selected value="Name">' in page.text
    assert "Row 2" in page.text


BAD = {
    "empty": (b"  ", "empty"),
    "no table": (b"just words", "no bank statement"),
    "entities": (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>', "entities"),
    "deep": (b"<a>" * 60 + b"</a>" * 60, "nested deeper"),
    "cut off": (b"<Document><BkToCstmrStmt>", "not well-formed"),
    "large": (b"a;b;c\n" + b"1;2;3\n" * 900_000, "larger than"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_statement_is_refused_in_words_and_nothing_is_stored(petra, db, kind):
    content, words = BAD[kind]
    answer = send(petra, content)
    assert (answer.status_code, words in answer.text) == (422, True), answer.text[:2000]
    assert (count(db, "bank_statement"), count(db, "bank_file_waiting"), count(db, "bank_line")) == (0, 0, 0)


def test_a_file_that_waits_is_for_treasurers_and_gone_when_unknown(petra, client_as):
    asked = send(petra, FILE).location
    assert client_as("member").get(asked).status_code == 403
    assert petra.get("/bank/statements/columns/999999").status_code == 404


def test_a_receipt_is_split_on_a_page_and_what_was_typed_stays(petra, db):
    with db.begin() as session:
        ana, ben = a_household(session, "Ana"), a_household(session, "Ben")
        a_household(session, "Ben")
    petra.fill(send(petra, FILE).location, CHOSEN)
    page = petra.get("/bank/lines").text
    (line,) = re.findall(r"/bank/lines/(\d+)/split", page)
    parts = {f"parts-{n}-purpose": "credit" for n in range(6)}  # as a browser sends a row left alone
    parts |= {"parts-0-household": "ana", "parts-0-purpose": "credit", "parts-0-amount": "20.00"}
    short = petra.fill(f"/bank/lines/{line}/split", parts)
    assert (short.status_code, "5.00 is missing" in short.text, 'value="20.00"' in short.text) == (422, True, True)
    parts |= {"parts-1-household": "Ben", "parts-1-purpose": "gift", "parts-1-amount": "5.00"}
    which = petra.fill(f"/bank/lines/{line}/split", parts)
    assert (which.status_code, f"#{ben}" in which.text) == (422, True)
    parts["parts-1-household"] = f"#{ben}"
    assert petra.fill(f"/bank/lines/{line}/split", parts).status_code == 303
    assert count(db, "recorded_payment") == 2
    assert petra.get(f"/bank/lines/{line}/split").status_code == 404
    assert ana != ben


def test_the_pages_of_lines_ask_few_questions_however_many_there_are(petra, queries_of, db):
    rows = b"".join(
        f"2{n % 10}.11.2026;Ana {n};;{n + 1},00;{1000 + (n + 1) * (n + 2) // 2},00\n".encode() for n in range(9)
    )
    petra.fill(send(petra, b"Buchung;Name;Zweck;Betrag;Saldo\n" + rows).location, CHOSEN)
    assert count(db, "bank_line") == 9
    assert queries_of(lambda: petra.get("/bank/lines")) <= 12
    assert queries_of(lambda: petra.get("/bank/lines?q=Ana")) <= 12
