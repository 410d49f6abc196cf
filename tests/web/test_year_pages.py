"""Each maker's year for taxes, on a page, on paper, and in one file for the treasurer."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from coop.treasury import service as acts
from tests.rounds import PICKUP, fetch
from tests.services.test_bank import bring_in
from tests.services.test_payouts import Coop, sent
from tests.web.test_treasury_pages import shown


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


@pytest.fixture
def coop(db):
    """In 2026 Mia sells three mugs, is paid 67.50 and advanced 30.00; Orchard Lane sells a jar and waits."""
    made = Coop(db)
    fetch(db, made.anas_mugs, 3)
    fetch(db, made.anas_jam, 1)
    sent(db, made)
    with db() as session:
        end_to_end = session.scalar(text("SELECT end_to_end_id FROM payment"))
    bring_in(db, ("B1", -6750, end_to_end, ""))
    acts.pay_advance(db, made.mia, 3000, by=0, at=PICKUP, key="a")
    fetch(db, made.bens_mugs, 1, at=PICKUP + timedelta(days=40))  # 10 January 2027
    return made


def test_a_maker_sees_its_own_year_and_nobody_elses(client_as, coop):
    mia = client_as("artisan", artisan_id=coop.mia)
    assert "/statements/years/2026" in mia.get("/statements").text
    page = shown(mia, "/statements/years/2026")
    assert re.search(r"Mia&#39;s pottery 3 €75.00 €7.50 €0.00 €67.50 €30.00 €67.50 PDF", page)
    assert "Orchard" not in page
    assert re.search(r"Mia&#39;s pottery 1 €25.00 €2.50 €0.00 €22.50 €0.00 €0.00", shown(mia, "/statements/years/2027"))
    assert "Nothing in this year" in shown(mia, "/statements/years/2025")


def test_the_paper_of_a_year_is_tagged_and_its_makers_own(client_as, coop):
    mia, orchard = client_as("artisan", artisan_id=coop.mia), client_as("artisan", artisan_id=coop.orchard)
    path = f"/statements/years/2026/makers/{coop.mia}.pdf"
    paper = mia.get(path)
    assert (paper.status_code, paper.mimetype, paper.data[:5]) == (200, "application/pdf", b"%PDF-")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in paper.data
    assert orchard.get(path).status_code == 404
    assert mia.get(path.replace("2026", "2020")).status_code == 404
    assert client_as("treasurer").get(path).status_code == 200


def test_the_treasurers_file_has_every_maker(client_as, coop):
    answer = client_as("treasurer").get("/statements/years/2026.csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows == [
        ["maker", "year", "pieces", "sold", "fee", "tax_in_fee", "earned", "advanced", "paid", "currency"],
        ["Mia's pottery", "2026", "3", "75.00", "7.50", "0.00", "67.50", "30.00", "67.50", "EUR"],
        ["Orchard Lane", "2026", "1", "5.20", "0.52", "0.00", "4.68", "0.00", "0.00", "EUR"],
    ]
    assert client_as("artisan", artisan_id=coop.mia).get("/statements/years/2026.csv").status_code == 403


@pytest.mark.parametrize("year", [0, 1999, 2100, 99999999999999999999])
def test_a_year_that_there_is_not_is_unknown(client_as, year):
    petra = client_as("treasurer")
    assert petra.get(f"/statements/years/{year}").status_code == 404
    assert petra.get(f"/statements/years/{year}.csv").status_code == 404
