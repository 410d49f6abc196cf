"""The frame around each page: its words are escaped, its questions to the database few, its links good."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, text

from coop.formats import letters
from coop.notices import queries as notices
from tests.web.walking import addresses

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7919*7907 }}{% raise %}",
    "</title><svg/onload=alert(1)>",
    "javascript:alert(1)//",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_name_is_words_wherever_it_is_shown(app, client_as, db, payload):
    browser = client_as("member", "artisan", "packer", "treasurer", "admin")
    with db.begin() as session:
        session.execute(text("UPDATE person SET name = :name"), {"name": payload})
        session.execute(text("UPDATE household SET name = :name"), {"name": payload})
    for address in addresses(app, {"person_id": browser.person_id}):
        if address.method == "GET":
            page = browser.get(address.path).text
            assert "62615533" not in page, address
            assert payload not in page or not set(payload) & set("<>\"'"), address
            assert not re.search(r"(?i)<(script|img|svg)[^>]*(alert|onerror|onload)", page), address


def test_what_is_searched_for_is_shown_as_words(client_as):
    page = client_as("admin").get("/people", query_string={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_page_costs_one_question_about_who_is_here(client_as, db):
    browser, asked = client_as("member"), []
    browser.get("/account/sign-ins")
    with db() as session:
        engine = session.connection().engine
    keep = lambda conn, cursor, statement, *_: asked.append(statement)  # noqa: E731
    event.listen(engine, "before_cursor_execute", keep)
    browser.get("/account/sign-ins")
    event.remove(engine, "before_cursor_execute", keep)
    questions = [one for one in asked if one.startswith("SELECT")]
    assert len(questions) == 2, questions  # who is here, and the page's own


def test_every_link_of_the_frame_leads_to_a_page(app, client_as, visitor):
    for browser in (visitor, *(client_as(role) for role in ("member", "artisan", "packer", "treasurer", "admin"))):
        page = browser.get("/mail-sent").text
        links = set(re.findall(r'<a[^>]* href="(/[^"]*)"', page))
        assert links
        for link in links:
            assert browser.get(link, follow_redirects=True).status_code == 200, link


@pytest.mark.parametrize(
    ("letter_name", "purpose"), [("reset_password", "reset_password"), ("finish_joining", "confirm_email")]
)
def test_a_mailed_link_leads_to_the_page_that_takes_it(visitor, someone, db, at, letter_name, purpose):
    from coop.people import service as people

    ana = someone("member")
    with db.begin() as session:
        token = people.issue_token(session, ana.id, purpose, at)
        house = notices.house(session, "https://coop.example", at=at)
    letter = letters.write(letter_name, {"name": "Ana", "token": token}, house)
    (link,) = [one for one in re.findall(r"https://coop\.example/\S+", letter.text) if token in one]
    assert visitor.get(urlsplit(link).path).status_code == 200


@pytest.mark.parametrize("letter_name", ["reset_unknown", "already_joined", "welcome", "password_changed"])
def test_the_other_letters_at_the_door_link_to_pages_of_ours(visitor, db, at, letter_name):
    with db() as session:
        house = notices.house(session, "https://coop.example", at=at)
    values = {"name": "Ana", "household": "Ana & Tomas", "at": at.isoformat()}
    letter = letters.write(letter_name, values, house)
    for link in re.findall(r"https://coop\.example(/\S*)", letter.text):
        assert visitor.get(link).status_code in {200, 303}, link
