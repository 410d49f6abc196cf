"""Every address in a real browser: nothing breaks the policy, axe finds nothing, and no page is wider than a small telephone."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from coop.access import service as access
from coop.agreements import service as agreements
from coop.app import create_app
from coop.bank import service as bank
from coop.bank.models import BankLine
from coop.choices import service as choices
from coop.clock import now
from coop.columns.service import put_by
from coop.core.claims import TOGETHER_RULE
from coop.factors import service as factors
from coop.fees import service as fees
from coop.formats import codes
from coop.formats.bank_csv import Columns
from coop.formats.iban import demo_iban
from coop.hardship import service as hardship
from coop.mending import service as mending
from coop.orders.service import place_order
from coop.papers import service as papers
from coop.people import service as people
from coop.people.models import Belonging
from coop.places import service as places
from coop.policy import service as policy
from coop.pools import service as pools
from coop.seasons import service as seasons
from coop.wishes.service import Wish
from tests import rounds
from tests.builders import a_household, a_pool, a_product, a_season, an_artisan, an_offering, give_credit
from tests.services.test_papers import House
from tests.web.walking import addresses

AXE = Path(__file__).with_name("axe.min.js")
PASSWORD = "seven kettles sing at noon"
SECRET = b"a secret of 20 bytes"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def house(settings, fresh_db) -> Iterator[tuple[str, list[str], str]]:
    """A served co-op with one person who holds every role: its address, its pages, and a link that works once."""
    at = now()
    ana = people.join(
        fresh_db, name="Ana", email="ana@example.org", password=PASSWORD, household_name="Ana & Tomas", at=at
    )
    for role in ("packer", "treasurer", "admin"):
        people.grant_role(fresh_db, ana, role, by=0, at=at)
    people.grant_role(fresh_db, ana, "artisan", artisan_id=1, by=0, at=at)
    with fresh_db.begin() as session:
        factors.give_app(session, ana, SECRET, at=at, field_key=settings.field_key)
    link = f"/first-admin/{access.first_admin(fresh_db, 'tomas@example.org', at=at)}"
    settings = dataclasses.replace(settings, stripe_key="sk_of_ours", stripe_webhook_secret="whsec_of_ours")
    app = create_app(settings, db=fresh_db)
    pages = [address.path for address in addresses(app, {"person_id": ana}) if address.method == "GET"]
    pages += choice_pages(fresh_db, ana) + paying_pages(fresh_db, settings, ana) + mending_pages(fresh_db, ana)
    pages += document_pages(fresh_db) + waiting_pages(fresh_db, settings, ana)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", pages, link
    server.shutdown()
    server.server_close()


def choice_pages(db, person: int) -> list[str]:
    """Let a person's household order jam, or gin instead, in an open pool; return the pages that show it."""
    with db.begin() as session:
        household = session.scalars(select(Belonging.household_id).where(Belonging.person_id == person)).one()
        give_credit(session, household, 10_000, on=now().date())
        season, maker = a_season(session), an_artisan(session)
        pool = a_pool(session, season, closes_at=now() + timedelta(days=2))
        jam, gin = (
            an_offering(session, pool, a_product(session, maker, name), rule=TOGETHER_RULE) for name in ("Jam", "Gin")
        )
    pools.open_pool(db, pool, by=0, at=now())
    whose = {"household_id": household, "by": person, "at": now()}
    place_order(db, pool, [Wish(jam, 1, 1, 520)], key="jam", **whose)
    choices.choose(db, pool, jam, [gin], key="or gin", **whose)
    return [f"/pools/{pool}", f"/pools/{pool}/instead/{jam}"]


def paying_pages(db, settings, person: int) -> list[str]:
    """Give the co-op an account and a statement of it, and a person's household a share to pay; return the pages that show it."""
    with db.begin() as session:
        household = session.scalars(select(Belonging.household_id).where(Belonging.person_id == person)).one()
        policy.settle(session, "coop_iban", demo_iban("GB", 1), by=0)
        today = now().date()
        season = a_season(session, "Next year", starts=today, ends=today + timedelta(days=300))
        bounds = {"price_min_minor": 20_000, "price_max_minor": 45_000}
        sizes = [
            seasons.add_size(session, season, one, weight=1, price_minor=30_000, **bounds) for one in ("half", "full")
        ]
    share = places.take_share(db, sizes[0], household_id=household, by=person, at=now(), key="share")
    file = b"Date;Name;Purpose;Amount;Balance\n2026-11-20;Ana;hello;25.00;1025.00\n2026-11-21;Bank;fees;-5.00;1020.00\n"
    columns = Columns("Date", "ymd", ".", amount="Amount", balance="Balance", text="Purpose", name="Name")
    key = settings.field_key
    bank.import_statement(db, file, by=person, at=now(), field_key=key, columns=columns)
    waiting = put_by(db, file.replace(b"Date", b"Day"), by=person, at=now(), field_key=key)
    with db() as session:
        line = session.scalars(select(BankLine.id).where(BankLine.amount_minor > 0)).one()
    paying = ["/pay?for=credit&amount=25.00", f"/pay/monthly/{share}", f"/season/sizes/{sizes[1]}/price"]
    return [*paying, "/bank/lines", f"/bank/lines/{line}/split", f"/bank/statements/columns/{waiting}", "/pay/card"]


def mending_pages(db, person: int) -> list[str]:
    """Let a household fetch mugs of two makers, one of them bad, and pay 60 % of each price; return the pages that show it."""
    with db.begin() as session:
        household = a_household(session, "The Kettle household", credit_minor=10_000)
        mug = a_product(session, an_artisan(session, "Mia"), "Mug")
        mugs = an_offering(session, pool := a_pool(session, a_season(session, "Kiln")), mug, price_minor=1000)
    line = rounds.publish(db, pool, {household: {mugs: 3}}, {mugs: 3})[household, mugs]
    fetched = rounds.fetch(db, line, 2)
    note = mending.credit_bad(db, line, 1, reason="cracked glaze", by=person, at=now(), key="cracked")
    until = {"through": now().date(), "reason": "asked for it", "by": person, "at": now()}
    hardship.grant_tier(db, household, tier_bp=6000, key="tier", **until)
    with db() as session:
        own = session.scalars(select(Belonging.household_id).where(Belonging.person_id == person)).one()
    hardship.grant_tier(db, own, tier_bp=6000, key="own tier", **until)
    after = f"/pickups/orders/{rounds.order_of(db, line)}"
    lines = [f"/pickups/lines/{line}/credit", f"/pickups/lines/{line}/fee", f"/credit-notes/{note}/undo"]
    found = ["/credit-notes?q=kettle", "/hardship?q=kettle", f"/hardship/{household}", f"/products/{mug}/makers"]
    return [after, f"{after}/afterwards", f"/pickups/hand-overs/{fetched}/undo", *lines, *found]


def document_pages(db) -> list[str]:
    """Write an invoice of the co-op's, one of a maker's and a credit note; return the pages that show them and their tax."""
    made = House(db, makers=("Tern Press", "Heather & Comb"), season="Advent")
    rounds.fetch(db, made.mugs, 3)
    rounds.fetch(db, made.jam, 3)
    made.ask()
    mending.credit_bad(db, made.mugs, 1, reason="cracked glaze", **made.acting())
    papers.issue_due(db, at=rounds.PICKUP)
    written = [f"/documents/{one.row.id}" for one in made.all()]
    days = "from=2026-12-01&to=2026-12-31"
    tax = [f"/books/vat?{days}&step=quarter", f"/books/vat/entries?{days}&what=sales&rate=700"]
    return [*written, *tax, "/money/documents?q=mia", f"/money/documents/sellers/{made.mia}"]


def waiting_pages(db, settings, person: int) -> list[str]:
    """Let a maker's terms and account wait for a second person, asked for by this one and by another; return the page that shows it."""
    with db.begin() as session:
        kiln = an_artisan(session, "Kiln Street Pottery")
    for n, by in enumerate((person, 0), 1):
        begins, rates = now() + timedelta(days=30 * n), {"fee_bp": 1250, "fee_tax_bp": 1900, "price_tax_bp": 700}
        fees.ask_terms(db, kiln, effective_from=begins, **rates, by=by, at=now(), key=f"terms {n}")
    account = {"holder": "Kiln Street", "iban": demo_iban("GB", 7), "field_key": settings.field_key}
    agreements.change_bank_details(db, kiln, **account, by=person, at=now())
    return [f"/makers/{kiln}/agreement"]


@pytest.fixture
def page() -> Iterator[Page]:
    """A page in Chromium that keeps what the console complains about."""
    with sync_playwright() as play:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
        yield opened
        browser.close()


def look_at(page: Page, address: str) -> list[str]:
    """Open an address; return what is wrong with its page."""
    complaints: list[str] = []

    def keep(message) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    page.on("console", keep)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    answer = page.goto(address)
    if answer is not None and answer.status == 404:
        return []  # the one page for all that is not there; it is looked at by itself
    page.evaluate(AXE.read_text("utf-8"))
    asked = "rules => axe.run({runOnly: rules}).then(found => found.violations.map(one => one.id + ' ' + one.nodes[0].html))"
    complaints += page.evaluate(asked, RULES)
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.remove_listener("console", keep)
    return complaints + ([f"{wide} px wide"] if wide > 320 else [])


def test_each_page_is_sound_in_a_browser(page, house):
    base, paths, link = house
    wrong = {path: found for path in ("/sign-in", "/join", link, "/people") if (found := look_at(page, base + path))}
    page.goto(f"{base}/sign-in")
    page.fill("[name=email]", "ana@example.org")
    page.fill("[name=password]", "not the password at all")
    page.click("main button[type=submit]")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile("/sign-in/second-step"))
    wrong |= {"second step": found} if (found := look_at(page, page.url)) else {}
    page.get_by_label("Code").fill(codes.code_at(SECRET, int(now().timestamp())))
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(f"{base}/nowhere")
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate("axe.run().then(found => found.violations.map(one => one.id))") == []
    no_pages = {"/health", "/verifier"}  # words for a machine, and a file to keep
    shown = [path for path in paths if path not in no_pages and not path.endswith(".csv")]
    wrong |= {path: found for path in shown if (found := look_at(page, base + path))}
    assert wrong == {}
