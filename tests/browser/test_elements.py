"""The custom elements improve HTML that works without them, under the policy the pages are served with."""

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE = """{% extends "base.html" %}
{% from "_macros/forms.html" import stepper %}
{% from "_macros/marks.html" import live_status, progress %}
{% from "_macros/money.html" import save_bar %}
{% block title %}Order{% endblock %}
{% block content %}
<live-sum data-currency="EUR" data-digits="2"><form method="post">
{{ stepper("gin", 2, "Gin", 3) }}{{ stepper("gin-up-to", 2, "Gin, up to", 3, unit_minor=3400, follows="gin") }}
{{ stepper("jam", 1, "Jam", 6, unit_minor=570) }}{{ save_bar("Save order", "At most", 7370) }}
</form></live-sum>
{% call live_status("/status", "/") %}{{ progress(6, 9, "Batches shared out") }}{% endcall %}
{% endblock %}"""


def rendered() -> str:
    env = Environment(loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined)
    env.filters.update(money=lambda minor: f"€{minor / 100:.2f}", pieces=str, when=str)
    env.globals.update(
        csrf_token=lambda: "token",
        static_url=lambda path: f"/static/{path}",
        get_flashed_messages=lambda **_: [],
    )
    return env.from_string(PAGE).render(
        coop_name="Riverside",
        nav=(),
        page_language="en-IE",
        beneath=(),
        viewer=None,
        footer_links=(),
        person_links=(),
        sign_in_url="/in",
        sign_out_url="/out",
    )


class Workshop(BaseHTTPRequestHandler):
    """Serves the one page, the static files, and a run that is done at the second question."""

    asked: list[str]

    def do_GET(self) -> None:
        if self.path == "/":
            self.answer(rendered().encode(), "text/html")
        elif self.path == "/status":
            self.asked.append(self.path)
            fragment = "<p>8 of 9</p>" if len(self.asked) == 1 else "<p data-done>All 9 are shared out.</p>"
            self.answer(fragment.encode(), "text/html")
        else:
            path = ROOT / "coop" / self.path.removeprefix("/")
            self.answer(path.read_bytes(), TYPES[path.suffix])

    def answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    handler = type("Served", (Workshop,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page in a fresh browser; anything the console complains of fails the test."""
    complaints: list[str] = []
    with browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="light") as context:
        opened = context.new_page()
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto(address)
        yield opened
    assert complaints == []


def test_a_stepper_counts_within_the_bounds_of_its_input(page: Page) -> None:
    more, fewer = (
        page.get_by_role("button", name="One more: Gin", exact=True),
        page.get_by_role("button", name="One fewer: Gin", exact=True),
    )
    more.click()
    expect(page.locator("#gin")).to_have_value("3")
    expect(more).to_be_disabled()
    for _ in range(3):
        fewer.click()
    expect(page.locator("#gin")).to_have_value("0")
    expect(fewer).to_be_disabled()


def test_the_sum_takes_the_larger_of_wish_and_up_to(page: Page) -> None:
    page.locator("#gin").fill("3")  # 3 x 34.00 + 1 x 5.70, although "up to" still says 2
    expect(page.locator("output")).to_have_text("€107.70")
    page.locator("#gin").fill("0")
    page.locator("#gin-up-to").fill("0")
    page.locator("#jam").fill("2")
    expect(page.locator("output")).to_have_text("€11.40")


def test_a_run_is_asked_after_until_it_is_done_and_then_the_link_goes(page: Page) -> None:
    again = page.get_by_role("link", name="Check again")
    expect(again).to_be_visible()
    expect(page.locator("live-status")).to_have_text("All 9 are shared out.", timeout=10_000)
    expect(again).to_have_count(0)


def test_the_chosen_theme_is_remembered(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_label("Theme").select_option("dark")
    assert page.evaluate(ground) != light
    page.reload()
    expect(page.get_by_label("Theme")).to_have_value("dark")
    assert page.evaluate(ground) != light


def test_without_javascript_the_form_has_plain_inputs_and_the_run_a_link(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator("#gin")).to_be_editable()
        expect(page.get_by_role("button", name="One more: Gin", exact=True)).to_be_hidden()
        expect(page.get_by_label("Theme")).to_be_hidden()
        expect(page.get_by_role("link", name="Check again")).to_be_visible()


def test_axe_finds_nothing_on_the_frame_of_the_pages(page: Page) -> None:
    page.evaluate((ROOT / "tests" / "browser" / "axe.min.js").read_text())
    assert page.evaluate("axe.run().then(found => found.violations.map(one => one.id))") == []
