"""A maker reads and downloads each statement, and asks about it; the treasurer answers there."""

from __future__ import annotations

import pytest
import time_machine
from sqlalchemy import text

from tests.rounds import PICKUP, fetch
from tests.services.test_payouts import Coop, sent
from tests.services.test_telling import papers, statement_of, write
from tests.web.conftest import without_tokens
from tests.web.test_treasury_pages import shown


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


@pytest.fixture
def coop(db):
    made = Coop(db)
    fetch(db, made.anas_mugs, 3)
    return made


def test_the_paper_is_the_makers_the_treasurers_and_the_admins_to_download(client_as, coop, db):
    run = sent(db, coop)
    path = f"/statements/{statement_of(db, run)}"
    mia = client_as("artisan", artisan_id=coop.mia)
    assert (mia.get(f"{path}.pdf").status_code, "PDF" in shown(mia, path)) == (404, False)
    write(db, run)
    ((_, content, sha256),) = papers(db)
    for reader in (mia, client_as("treasurer"), client_as("admin")):
        answer = reader.get(f"{path}.pdf")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, "application/pdf", content)
    assert sha256 in shown(mia, path)
    orchard = client_as("artisan", artisan_id=coop.orchard)
    anothers, unknown = orchard.get(f"{path}.pdf"), orchard.get("/statements/999999.pdf")
    assert (anothers.status_code, without_tokens(anothers.text)) == (404, without_tokens(unknown.text))


def test_a_maker_asks_and_the_treasurer_answers(client_as, coop, db):
    path = f"/statements/{statement_of(db, sent(db, coop))}"
    mia, petra = client_as("artisan", artisan_id=coop.mia), client_as("treasurer")
    asked = mia.fill(path, {"words": "Three mugs?\r\nI count <b>four</b>."})
    assert (asked.status_code, asked.location) == (303, path)
    assert "question" in shown(petra, "/statements")
    page = petra.get(path).text
    assert "Three mugs?<br>" in page.replace(" ", "").replace("Threemugs?", "Three mugs?")
    assert "&lt;b&gt;four&lt;/b&gt;" in page
    assert petra.fill(path, {"words": "The fourth comes on Friday."}).status_code == 303
    read = shown(mia, path)
    assert "The fourth comes on Friday." in read
    assert ", for the co-op" in read
    assert "question" not in shown(petra, "/statements").replace("Questions", "")


@pytest.mark.parametrize(("typed", "said"), [("", "Please fill in"), ("  ", "Please fill in"), ("x" * 2001, "please keep to 2000"), ("a\u202eb", "cannot be shown")])  # fmt: skip
def test_a_question_that_is_none_is_refused_and_kept_as_typed(client_as, coop, db, typed, said):
    path = f"/statements/{statement_of(db, sent(db, coop))}"
    refused = client_as("artisan", artisan_id=coop.mia).fill(path, {"words": typed})
    assert (refused.status_code, said in refused.text, typed in refused.text) == (422, True, True)
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM statement_message")) == 0


def test_another_maker_can_ask_nothing(client_as, coop, db):
    path = f"/statements/{statement_of(db, sent(db, coop))}"
    assert client_as("artisan", artisan_id=coop.orchard).press(path, {"words": "Hm?"}).status_code == 404
    assert client_as("member").press(path, {"words": "Hm?"}).status_code == 403
