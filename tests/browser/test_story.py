"""The demo co-op's story by clicks, on a telephone and on a desk, with a real worker; and a look at every page on the way."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from coop import bell
from coop.app import create_app
from coop.clock import now
from coop.db import Db, connect
from coop.demo.bank import statement
from coop.demo.people import ADMINS, MEMBER, PACKERS, PASSWORD, TREASURERS, address
from coop.formats.camt import write_camt053
from coop.payouts.models import PayoutRun

AXE = Path(__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESK = 390, 1280
MAKER = "Maeve Doran"
SOON = 20_000


class Town:
    """The demo co-op as it is served, and a browser in which several people are signed in, each for themselves."""

    def __init__(self, base: str, db: Db, browser: Browser) -> None:
        self.base, self.db, self.browser = base, db, browser
        self.complaints: list[str] = []

    def visitor(self, width: int) -> Page:
        """Open a window of this width; what its console complains about is kept."""
        size = {"width": width, "height": 900}
        page = self.browser.new_context(viewport=size, base_url=self.base, reduced_motion="reduce").new_page()
        page.set_default_timeout(SOON)
        page.on("console", lambda said: self._keep(page, said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def signed_in(self, name: str, width: int) -> Page:
        """Open a window and sign somebody in."""
        page = self.visitor(width)
        page.goto("/sign-in")
        page.get_by_label("Mail address").fill(address(name))
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        if name in {*ADMINS, *TREASURERS, MAKER}:
            take_second_step(page)
        expect(page.locator(".person-menu summary")).to_have_text(name)
        return page

    def _keep(self, page: Page, kind: str, words: str) -> None:
        if kind in {"error", "warning"} and "Failed to load resource" not in words:
            self.complaints.append(f"{page.url}: {words}")


@pytest.fixture
def town(riverside_crew) -> Iterator[Town]:
    settings = riverside_crew.settings
    riverside_crew.worker(concurrency=1)
    db = bell.wire(connect(settings.database_url), settings.redis_url)
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


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_pool_goes_from_its_orders_to_the_makers_pay(town, width, tmp_path):
    member = town.signed_in(MEMBER, width)
    order(member)
    share_out(town.signed_in(ADMINS[0], width))
    read_award(member)
    report_yield(town.signed_in(MAKER, width))
    hand_over(town.signed_in(PACKERS[0], width))
    pay_out(town, width, tmp_path)
    publish_figures(town, width)
    assert town.complaints == []


def test_every_page_of_the_demo_is_sound_in_both_themes(town):
    """Each kind of page once, by whomever meets it first: links are followed from the first page of each role."""
    wrong: dict[str, list[str]] = {}
    seen: set[str] = set()
    for name in ("", MEMBER, MAKER, PACKERS[0], TREASURERS[0], ADMINS[1]):
        page = town.signed_in(name, DESK) if name else town.visitor(DESK)
        ways = ["/", "/sign-in", "/join", "/password/forgotten"] if not name else ["/"]
        fresh = {"/"}
        while ways:
            path = ways.pop(0)
            found = look_at(page, path)
            wrong |= {f"{name} {path}": found} if found else {}
            links = page.eval_on_selector_all("main a[href^='/'], header a[href^='/'], footer a[href^='/']", "all => all.map(a => a.getAttribute('href'))")  # fmt: skip
            for link in links:
                kind = re.sub(r"[0-9]+", "1", link.split("?")[0].split("#")[0])
                if kind not in seen | fresh and not re.search(
                    r"/(proof|file|static|verifier|ledger)\b|\.(pdf|csv|xlsx)$", kind
                ):
                    seen.add(kind)
                    ways.append(link)
    assert wrong == {}
    assert town.complaints == []
    assert len(seen) > 30


def test_the_links_of_the_frame_stand_on_one_line(town):
    for name, width in ((ADMINS[0], DESK), (TREASURERS[0], DESK), (MEMBER, PHONE), (MAKER, PHONE)):
        links = town.signed_in(name, width).locator(".site-nav li")
        tops = {links.nth(at).bounding_box()["y"] for at in range(links.count())}
        assert len(tops) == 1, name


def take_second_step(page: Page) -> None:
    """Type the code that the demo shows; each works once, so a second window of the same person may have to wait for it."""
    expect(page.get_by_role("heading", level=1)).to_have_text("The second step")
    for _ in range(12):
        if page.locator(".notice code").count():
            break
        page.wait_for_timeout(3_000)
        page.reload()
    page.get_by_label("Code").fill(page.locator(".notice code").inner_text())
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def order(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Order in this pool").click()
    gin = page.get_by_role("spinbutton", name="Hedgerow gin, 50 cl: how many you want")
    gin.fill("99")
    page.locator("button:visible", has_text="Save order").first.click()
    expect(page.get_by_role("link", name=re.compile("One household may take at most"))).to_be_visible()
    expect(gin).to_have_value("99")
    gin.fill("2")
    page.get_by_role("spinbutton", name="Damson jam, 340 g: how many you want").fill("3")
    page.get_by_role("spinbutton", name="Damson jam, 340 g: the most you would take").fill("4")
    page.locator("button:visible", has_text="Save order").first.click()
    expect(page.get_by_role("status").or_(page.locator(".notice.good")).first).to_be_visible()
    page.goto("/pools/3")
    expect(page.get_by_role("spinbutton", name="Hedgerow gin, 50 cl: how many you want")).to_have_value("2")


def share_out(page: Page) -> None:
    """Ask for the outcome, watch the worker, publish, watch it again."""
    page.goto("/admin")
    page.get_by_role("link", name="Share out Hearth pool").click()
    page.get_by_role("button", name=re.compile("Work out the outcome")).click()
    page.wait_for_url("**/allocation/*")
    until_shown(page, page.get_by_role("button", name=re.compile("Publish to 33 members")))
    page.get_by_role("button", name=re.compile("Publish to 33 members")).click()
    until_shown(page, page.get_by_role("link", name="Download proof"))


def read_award(page: Page) -> None:
    page.goto("/pools/2/awards")
    expect(page.get_by_role("heading", level=1)).to_have_text("What you got")
    bowl = page.locator("li, section, article").filter(has_text="Stoneware bowl").last
    expect(bowl).to_contain_text("0")


def report_yield(page: Page) -> None:
    page.goto("/workshop")
    page.get_by_role("link", name=re.compile("Hedgerow gin")).first.click()
    page.get_by_role("link", name="Report the yield").click()
    page.get_by_label("Bottles that passed your check").fill("17")
    page.get_by_role("button", name="Report these bottles").click()
    expect(page.locator("main")).to_contain_text("17")


def hand_over(page: Page) -> None:
    """Gin asks for an identity card; without the tick nothing is handed over."""
    page.goto("/pickups")
    page.get_by_role("link", name="Hearth pool").click()
    page.locator("li.household").filter(has_text="18+").first.get_by_role("link").first.click()
    page.get_by_role("button", name="Hand over and note it").click()
    expect(page.locator(".field-error, .error-summary").first).to_be_visible()
    page.get_by_label(re.compile("I looked at an identity card")).check()
    page.get_by_role("button", name="Hand over and note it").click()
    expect(page.locator(".field-error, .error-summary")).to_have_count(0)
    page.goto("/pickups/2")
    expect(page.locator("li.household").filter(has_text="all fetched").first).to_be_visible()


def pay_out(town: Town, width: int, folder: Path) -> None:
    helen = town.signed_in(TREASURERS[0], width)
    helen.goto("/payouts")
    helen.get_by_role("link", name="Prepare a payout").click()
    helen.get_by_role("button", name=re.compile("^Work out €")).click()
    helen.wait_for_url("**/payouts/*")
    until_shown(helen, helen.get_by_text("so a second person approves it"))
    imran = town.signed_in(TREASURERS[1], width)
    imran.goto(helen.url)
    imran.get_by_role("link", name="Look and approve").click()
    imran.get_by_role("button", name=re.compile("^Approve €")).click()
    helen.goto(helen.url)
    helen.get_by_role("button", name=re.compile("^Make the bank file")).click()
    with helen.expect_download() as downloaded:
        helen.get_by_role("link", name="Download the bank file").click()
    assert b"pain.001.001.09" in downloaded.value.path().read_bytes()
    take_in_statement(town, helen, folder)


def take_in_statement(town: Town, page: Page, folder: Path) -> None:
    with town.db() as session:
        run_id = session.scalar(select(PayoutRun.id).order_by(PayoutRun.id.desc()).limit(1))
        content = write_camt053(statement(session, run_id, now().date(), at=now()), created_at=now())
    (folder / "statement.xml").write_bytes(content)
    page.goto("/bank/statements")
    page.locator("input[type=file]").set_input_files(folder / "statement.xml")
    page.get_by_role("button", name="Take in this statement").click()
    expect(page.locator("main")).to_contain_text("all known")
    page.goto(f"/payouts/{run_id}")
    expect(page.locator("main")).to_contain_text("paid")


def publish_figures(town: Town, width: int) -> None:
    admin = town.signed_in(ADMINS[1], width)
    admin.goto("/impact")
    admin.get_by_role("button", name="Publish the figures of today").click()
    expect(admin.locator(".notice.good")).to_be_visible()
    anyone = town.visitor(width)
    anyone.goto("/impact")
    expect(anyone.get_by_role("heading", name="Published at other times")).to_be_visible()


def until_shown(page: Page, wanted: Locator) -> None:
    """Wait for the live status to say that the worker is done, then read the page again as its reader would."""
    if page.locator("live-status").count():
        page.wait_for_selector("live-status [data-done], live-status[data-done]", state="attached")
    page.goto(page.url)
    expect(wanted.first).to_be_visible()


def look_at(page: Page, path: str) -> list[str]:
    """Open a page; return what axe finds in light on a desk and in dark on a telephone, and whether it is too wide for either."""
    answer = page.goto(path)
    found = [] if answer is None or answer.ok else [f"status {answer.status}"]
    page.evaluate(AXE.read_text("utf-8"))
    for width, theme in ((DESK, "light"), (PHONE, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        asked = "rules => axe.run({runOnly: rules}).then(found => found.violations.map(one => one.id + ' ' + one.nodes[0].html))"
        found += [f"{theme}: {one}" for one in page.evaluate(asked, RULES)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{wide} px wide at {width}"] if wide > width else []
    return found
