"""A passkey is made and used in Chromium, with an authenticator that the browser plays itself; and an app beside it."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from coop.app import create_app
from coop.clock import now
from coop.formats import codes
from coop.people import service as people

AXE = Path(__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PASSWORD = "seven kettles sing at noon"


@pytest.fixture
def address(settings, fresh_db) -> Iterator[str]:
    """A served co-op with a treasurer, at an address with a name: browsers make no passkeys at a bare number."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://localhost:{port}"
    ana = people.join(
        fresh_db, name="Ana", email="ana@example.org", password=PASSWORD, household_name="Ana & Tomas", at=now()
    )
    people.grant_role(fresh_db, ana, "treasurer", by=0, at=now())
    server = make_server("127.0.0.1", port, create_app(dataclasses.replace(settings, base_url=base), db=fresh_db), threaded=True)  # fmt: skip
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield base
    server.shutdown()
    server.server_close()


@pytest.fixture(params=[390, 1280])
def page(request, address) -> Iterator[Page]:
    """A page in Chromium with an authenticator of its own; what the console complains about fails the test."""
    complaints: list[str] = []
    with sync_playwright() as play:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        size = {"width": request.param, "height": 900}
        page = browser.new_context(viewport=size, base_url=address, reduced_motion="reduce").new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None)  # fmt: skip
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield page
        browser.close()
    assert complaints == []


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("Mail address").fill("ana@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.locator(".person-menu summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()


def is_sound(page: Page) -> bool:
    page.evaluate(AXE.read_text("utf-8"))
    asked = "rules => axe.run({runOnly: rules}).then(found => found.violations.map(one => one.id + ' ' + one.nodes[0].html))"
    assert page.evaluate(asked, RULES) == []
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if folder := os.environ.get("SCREENSHOTS"):
        name = re.sub(r"\W+", "-", page.locator("h1").inner_text().strip().lower())
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    return True


def test_a_treasurer_sets_up_a_passkey_and_an_app_and_signs_in_by_either(page):
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second step")
    assert is_sound(page)
    page.get_by_role("link", name="Set up a passkey").click()
    assert is_sound(page)
    page.get_by_label("What you call this device").fill("my telephone")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    assert is_sound(page)
    paper = page.locator(".recovery-codes code").all_inner_texts()
    page.get_by_role("link", name="I have them on paper").click()
    page.goto("/account/second-step")
    expect(page.get_by_role("row", name=re.compile("my telephone"))).to_be_visible()
    sign_out(page)

    sign_in(page)
    assert is_sound(page)
    page.get_by_role("button", name="Use my passkey").click()
    expect(page.locator(".person-menu summary")).to_have_text("Ana")
    page.goto("/payouts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Payouts")
    secret = set_up_app(page)
    sign_out(page)

    sign_in(page)
    page.get_by_label("Code").fill(paper[0])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.locator(".person-menu summary")).to_have_text("Ana")
    sign_out(page)

    sign_in(page)
    later = int(now().timestamp()) + 30  # the code of this half minute was used to set the app up
    page.get_by_label("Code").fill(codes.code_at(secret, later))
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.locator(".person-menu summary")).to_have_text("Ana")
    page.goto("/confirm")
    assert is_sound(page)
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url(lambda url: "/confirm" not in url)


def set_up_app(page: Page) -> bytes:
    """Set up an app beside the passkey; return its secret, as the page tells it to be typed."""
    page.goto("/account/second-step")
    page.get_by_role("link", name="Set up an app with codes").click()
    assert is_sound(page)
    page.get_by_text("The app is on this device").click()
    secret = codes.read_secret(page.locator("details code").inner_text())
    page.get_by_label("Code that the app shows now").fill(codes.code_at(secret, int(now().timestamp())))
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("row", name=re.compile("App with codes"))).to_be_visible()
    assert is_sound(page)
    return secret


def test_a_passkey_of_another_device_is_refused_and_the_page_says_so(page):
    sign_in(page)
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_label("What you call this device").fill("my telephone")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("link", name="I have them on paper").click()
    page.goto("/account/second-step")
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_label("What you call this device").fill("the same again")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.locator("[data-passkey-error]")).to_have_text("This device has a passkey for you already.")
