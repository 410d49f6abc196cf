"""A season is closed by clicks, from the bank's file to the dividend, by two treasurers at two browsers."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import text
from werkzeug.serving import make_server

from coop import bell
from coop.app import create_app
from coop.clock import now
from coop.db import connect
from coop.factors import service as factors
from coop.formats import codes
from coop.formats.bank_statement import BankLine, BankStatement
from coop.formats.camt import write_camt053
from coop.formats.iban import demo_iban
from coop.people import service as people
from coop.policy import service as policy
from coop.pools import service as pools
from tests import rounds
from tests.browser.test_story import DESK, PHONE, Town, look_at
from tests.builders import (
    a_household,
    a_person,
    a_product,
    a_role,
    a_season,
    an_artisan,
    an_offering,
    give_credit,
)

IBAN = demo_iban("GB", 1)
OCTOBER = datetime(2026, 10, 13, 10, 0, tzinfo=UTC)
PASSWORD = "seven kettles sing at noon"
SECRET = b"twenty bytes, no more"[:20]
PETRA, TOMAS, ANA = "petra@example.org", "tomas@example.org", "ana@example.org"
SHOTS = os.environ.get("COOP_SHOTS", "")


@pytest.fixture
def town(settings, monkeypatch) -> Iterator[Town]:
    """Ana and Ben fetched mugs for 75.00 in October, of which the co-op keeps a tenth."""
    db = bell.wire(connect(settings.database_url), settings.redis_url)
    monkeypatch.setattr(rounds, "NOW", OCTOBER)
    with db.begin() as session:
        policy.settle(session, "coop_iban", IBAN, by=0)
        homes = [a_household(session, name) for name in ("Ana Mill", "Ben Weaver")]
        for person, address in ((a_person(session, "Petra"), PETRA), (a_person(session, "Tomas"), TOMAS)):
            a_role(session, person, "treasurer")
            _known(session, person, address)
            factors.give_app(session, person, SECRET, at=now(), field_key=settings.field_key)
        _known(session, session.scalar(text("SELECT person_id FROM belonging ORDER BY id LIMIT 1")), ANA)
        for home in homes:
            give_credit(session, home, 10_000, on=date(2026, 10, 1))
        mug = a_product(session, an_artisan(session, "Mia's mugs"), "Mug")
        begins, ends = OCTOBER - timedelta(days=7), OCTOBER + timedelta(days=2)
        pool = pools.plan_pool(
            session, a_season(session), "Mugs", opens_at=begins, closes_at=ends, pickup_on=date(2026, 10, 20)
        )
        offering = an_offering(session, pool, mug, price_minor=2500)
    lines = rounds.publish(db, pool, {homes[0]: {offering: 2}, homes[1]: {offering: 1}}, {offering: 3})
    at = datetime(2026, 10, 20, 17, 0, tzinfo=UTC)
    rounds.fetch(db, lines[homes[0], offering], 2, at=at)
    rounds.fetch(db, lines[homes[1], offering], 1, at=at)
    server = make_server("127.0.0.1", 0, create_app(settings, db=db), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as play:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Town(f"http://127.0.0.1:{server.server_port}", db, browser)
        browser.close()
    server.shutdown()
    server.server_close()
    db.kw["bind"].dispose()


def _known(session, person_id: int, address: str) -> None:
    person = session.get_one(people.Person, person_id)
    person.email = person.email_key = address
    person.password_hash = people.HASHES.hash(PASSWORD)


def signed_in(town: Town, address: str) -> Page:
    page = town.visitor(DESK)
    page.goto("/sign-in")
    page.get_by_label("Mail address").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "button", "Sign in")
    if address != ANA:
        page.get_by_label("Code").fill(codes.code_at(SECRET, int(now().timestamp())))
        press(page, "button", "Sign in")
    expect(page.locator(".person-menu summary")).to_be_visible()
    return page


def seen(page: Page, name: str, wrong: dict[str, list[str]]) -> None:
    """Look at the page as it is: axe, width, and a picture where somebody wants to see it."""
    for width in (PHONE, DESK) if SHOTS else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=str(Path(SHOTS) / f"{name}-{width}.png"), full_page=True)
    if found := look_at(page, page.url):
        wrong[name] = found


def press(page: Page, role: str, name: str) -> None:
    page.get_by_role("main").get_by_role(role, name=name, exact=True).first.click()


def test_a_season_is_closed_from_the_banks_file_to_the_dividend(town, tmp_path):
    petra, tomas = signed_in(town, PETRA), signed_in(town, TOMAS)
    wrong: dict[str, list[str]] = {}
    day = date(2026, 10, 30)
    line = BankLine("B1", 7000, day, None, "for mugs", name="Ana Mill")
    said = BankStatement("S1", IBAN, "EUR", 20_000, 27_000, day, day, (line,))
    file = tmp_path / "october.xml"
    file.write_bytes(write_camt053(said, created_at=now()))
    petra.goto("/bank/statements")
    petra.locator("input[type=file]").set_input_files(str(file))
    press(petra, "button", "Take in this statement")
    petra.goto("/books/months")
    seen(petra, "months", wrong)
    press(petra, "link", petra.locator("tbody th a").first.inner_text())
    expect(petra.get_by_text("Receipts wait for their household")).to_be_visible()
    seen(petra, "in-the-way", wrong)
    press(petra, "link", "Open lines")
    petra.get_by_role("button", name=re.compile("It is Ana Mill")).click()
    petra.goto("/books/months")
    petra.locator("tbody th a").first.click()
    seen(petra, "nothing-in-the-way", wrong)
    press(petra, "button", "Ask to close this month")
    tomas.goto("/books/months")
    tomas.locator("tbody th a").first.click()
    press(tomas, "link", "Look and close")
    seen(tomas, "close", wrong)
    press(tomas, "button", "Close it")
    seen(tomas, "closed", wrong)
    petra.goto("/books/dividends/bylaw")
    seen(petra, "bylaw", wrong)
    for label, words in (
        ("In force from", "2026-01-01"),
        ("To makers by what they earned, percent", "0"),
        ("To the hardship fund, percent", "0"),
    ):
        petra.get_by_label(label).fill(words)
    press(petra, "button", "Keep this bylaw")
    press(petra, "link", "Divide a result")
    seen(petra, "divide", wrong)
    press(petra, "button", "Ask for this")
    address = petra.url
    tomas.goto(address)
    press(tomas, "link", "Look and approve")
    seen(tomas, "approve", wrong)
    press(tomas, "button", "Approve this")
    press(tomas, "link", "Pay it out")
    tomas.get_by_label("Smallest payment").fill("0")
    press(tomas, "button", "Pay it out")
    seen(tomas, "payments", wrong)
    petra.goto(address)
    seen(petra, "dividend", wrong)
    for path in (
        "dividends",
        "stakes",
        "equation?through=2026-10-31",
        "counted",
        "by-hand/new",
        "health",
        "trial-balance",
    ):
        petra.goto(f"/books/{path}")
        seen(petra, path.partition("?")[0].replace("/", "-"), wrong)
    ana = signed_in(town, ANA)
    ana.goto("/dividends")
    expect(ana.get_by_text("on its way")).to_be_visible()
    seen(ana, "mine", wrong)
    assert wrong == {}
    assert town.complaints == []
