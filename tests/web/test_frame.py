"""The frame around each page: its words are escaped, its questions to the database few, its links good."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, text

from coop.formats import letters
from coop.notices import queries as notices
from coop.web.frame import NAV
from tests.builders import a_batch, a_pool, a_product, a_season, an_artisan
from tests.formats.test_letters import SAMPLES
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


@pytest.mark.parametrize("name", SAMPLES)
def test_every_link_of_a_letter_is_the_address_of_a_page(app, db, at, name):
    with db() as session:
        house = notices.house(session, "https://coop.example", at=at)
    letter = letters.write(name, SAMPLES[name], house)
    ours = app.url_map.bind("coop.example")
    links = set(re.findall(r"https://coop\.example(/[^\s\"<]*)", letter.text + letter.html))
    assert links
    for link in links:
        assert ours.match(urlsplit(link).path, "GET"), link


AT_NO_SECTION = {"addresses", "access", "proving", "home", "proofs", "static"}
"""Areas whose pages stand at the door, at the foot of the page, or belong to a pool whoever looks at it."""


def marks(page: str) -> list[tuple[str, str]]:
    """Return the marked links of the frame: what aria-current says, and the link's words."""
    return re.findall(r'<a href="[^"]*"\s+aria-current="(page|true)"\s*>([^<]*)</a>', page.partition("<main")[0])


def test_each_page_stands_under_an_entry_of_the_frame(app):
    entries = [entry for section in NAV for entry in section.entries]
    with app.test_request_context():
        pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    pages = {one for one in pages if one.partition(".")[0] not in AT_NO_SECTION}
    assert {page for page in pages if not any(entry.leads_to(page) for entry in entries)} == set()


def test_a_page_marks_its_section_whatever_its_address_begins_with(app, client_as, db):
    with db.begin() as session:
        artisan_id = an_artisan(session)
        batch_id = a_batch(session, a_product(session, artisan_id))
        pool_id = a_pool(session, a_season(session))
    everybody = client_as("member", "artisan", "packer", "treasurer", "admin", artisan_id=artisan_id)
    assert marks(everybody.get("/pools").text) == [("page", "Order")]
    assert marks(everybody.get(f"/pools/{pool_id}/allocation").text) == [("true", "Pools"), ("true", "Pools")]
    assert marks(everybody.get("/seasons").text) == [("true", "Pools"), ("page", "Seasons")]
    assert marks(everybody.get(f"/batches/{batch_id}").text) == [("true", "Makers"), ("true", "Batches")]
    assert marks(everybody.get(f"/batches/{batch_id}/yield").text) == [("true", "Workshop"), ("true", "Workshop")]
    assert marks(everybody.get("/statements").text) == [("true", "Workshop"), ("page", "Statements")]
    assert marks(client_as("treasurer").get("/statements").text) == [("true", "Money"), ("page", "Statements")]
    assert marks(everybody.get("/account/sign-ins").text) == []


def test_nobody_is_shown_a_section_they_may_not_open(client_as, visitor):
    def first_row(page: str) -> list[str]:
        row = re.search(r'<nav class="site-nav".*?</nav>', page, re.DOTALL)
        assert row is not None
        return re.findall(r">([^<>]+)</a>", row[0])

    assert first_row(visitor.get("/makers").text) == ["Season share", "Makers", "Impact"]
    assert first_row(client_as("packer").get("/makers").text) == ["Season share", "Makers", "Pickups", "Impact"]
    assert first_row(client_as("treasurer").get("/makers").text) == [
        "Season share",
        "Makers",
        "Money",
        "Books",
        "Impact",
    ]
    assert len(first_row(client_as("member", "admin").get("/makers").text)) == 11


def test_money_and_books_have_ten_entries_at_most_and_the_accountant_only_what_opens(client_as):
    def second_row(page: str) -> list[tuple[str, str]]:
        row = re.search(r'<nav class="section-nav".*?</nav>', page, re.DOTALL)
        assert row is not None
        return re.findall(r'<a href="([^"]*)"[^>]*>([^<>]+)</a>', row[0])

    helen, reader = client_as("treasurer"), client_as("accountant")
    for path in ("/payouts", "/books/trial-balance"):
        assert len(second_row(helen.get(path).text)) <= 10
    read = second_row(reader.get("/books/trial-balance").text)
    assert [label for _, label in read] == ["Trial balance", "Journal", "VAT"]
    assert {reader.get(href).status_code for href, _ in read} == {200}
    page = reader.get("/books/trial-balance").text.partition("<main")[2]
    assert "/books/stakes" not in page  # nor does the page itself lead where the accountant is not let in


def test_what_has_no_entry_of_its_own_is_linked_where_it_belongs(client_as):
    helen = client_as("treasurer")
    for path, to in (
        ("/money/households", "/credit-notes"),
        ("/bank/statements", "/bank/payments"),
        ("/books/trial-balance", "/books/balances"),
        ("/books/journal", "/books/downloads"),
    ):
        assert f'href="{to}"' in helen.get(path).text
        assert f'href="{path}"' in helen.get(to).text.partition("<main")[2]
