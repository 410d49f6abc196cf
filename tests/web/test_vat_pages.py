"""The VAT report as the accountant reads it: by step, down to the entries, and as files; odd times are told and never fail."""

from __future__ import annotations

import csv
import io
import re

import pytest
import time_machine

from tests.rounds import PICKUP
from tests.services.test_vat import sold  # noqa: F401 - a fixture
from tests.web.test_treasury_pages import shown, words

DECEMBER = "from=2026-12-01&to=2026-12-31"
TYPED = {"from": "2026-12-01", "to": "2026-12-31"}


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


@pytest.mark.usefixtures("sold")
def test_the_accountant_goes_from_a_rate_to_its_entries_and_sees_no_name(client_as):
    reader = client_as("accountant")
    page = shown(reader, "/books/vat", **TYPED)
    assert "Sold by the co-op itself 7% €14.58 €1.02 €15.60" in page
    assert "Co-op fees 19% €9.45 €1.80 €11.25" in page
    assert "All tax of this time €2.82" in page
    assert "Owed at the end €2.82" in page
    link = re.search(r'href="(/books/vat/entries\?what=fees[^"]*)"', reader.get(f"/books/vat?{DECEMBER}").text)[1]
    entries = reader.get(link.replace("&amp;", "&"))
    assert len(re.findall(r'href="/books/entries/\d+"', entries.text)) == 1
    assert not re.search("Mia|Orchard|Household", entries.text + page)


@pytest.mark.usefixtures("sold")
def test_the_files_have_what_the_pages_have(client_as):
    treasurer = client_as("treasurer")
    report = treasurer.get(f"/books/vat.csv?{DECEMBER}&step=quarter")
    assert (report.mimetype, 'filename="vat-2026-12-01-2026-12-31.csv"' in report.headers["Content-Disposition"]) == ("text/csv", True)  # fmt: skip
    assert list(csv.reader(io.StringIO(report.data.decode("utf-8-sig")))) == [
        ["from", "to", "what", "rate_percent", "net", "tax", "gross", "currency"],
        ["2026-12-01", "2026-12-31", "sales", "7.00", "14.58", "1.02", "15.60", "EUR"],
        ["2026-12-01", "2026-12-31", "fees", "19.00", "9.45", "1.80", "11.25", "EUR"],
    ]
    entries = treasurer.get(f"/books/vat/entries.csv?{DECEMBER}&what=sales&rate=700")
    rows = list(csv.reader(io.StringIO(entries.data.decode("utf-8-sig"))))
    assert [row[3:] for row in rows[1:]] == [["2026-12-01", "sales", "7.00", "14.58", "1.02", "15.60", "EUR"]]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2026-12-31&to=2026-12-01", "the last day lies before the first"),
        ("from=2020-01-01&to=2026-12-01", "a report covers at most 5 years"),
        ("from=never&to=0001-01-01", "never is no day; 0001-01-01 is no day"),
        ("from=2026-12-01", "a report needs its first and its last day"),
        ("from=2026&to=31/12/26&step=decade", "2026 is no day; 31/12/26 is no day"),
    ],
)
def test_a_time_that_is_none_shows_the_quarter_and_says_why(client_as, query, said):
    treasurer = client_as("treasurer")
    page = words(treasurer.get(f"/books/vat?{query}").text)
    assert "This quarter is shown instead:" in page
    assert said in page
    assert "from 2026-10-01 to 2026-12-31" in page
    assert treasurer.get(f"/books/vat/entries?{query}&what=gin&rate=-5&page=x").status_code == 200
    assert treasurer.get(f"/books/vat/entries.csv?{query}&rate=99999").status_code == 200


@pytest.mark.parametrize(("role", "status"), [("accountant", 200), ("treasurer", 200), ("admin", 200), ("member", 403), ("packer", 403)])  # fmt: skip
def test_who_answers_for_the_books_reads_it(client_as, role, status):
    paths = ("/books/vat", "/books/vat.csv", "/books/vat/entries", "/books/vat/entries.csv")
    assert {client_as(role).get(path).status_code for path in paths} == {status}
