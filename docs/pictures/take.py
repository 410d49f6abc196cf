"""Take the pictures of the documents from a running demo: python docs/pictures/take.py http://127.0.0.1:8000"""

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PASSWORD = "three jars of damson jam"  # noqa: S105 - the demo's, printed at its start
HERE = Path(__file__).parent
PICTURES = {
    "order": ("ada.reilly", "/pools/3", 1280, 900),
    "awards": ("ada.reilly", "/pools/1/awards", 1280, 900),
    "yield": ("maeve.doran", "/workshop", 390, 900),
    "allocation": ("niamh.gallagher", "/pools/2/allocation", 1280, 1000),
    "statement": ("maeve.doran", "/statements", 1280, 900),
    "impact": ("", "/impact", 1280, 1000),
}


def main(address: str) -> None:
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (who, path, width, height) in PICTURES.items():
            page = browser.new_context(viewport={"width": width, "height": height}).new_page()
            if who:
                sign_in(page, address, who)
            page.goto(address + path)
            follow(page, name)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=HERE / f"{name}.png")


def sign_in(page: Page, address: str, who: str) -> None:
    page.goto(address + "/sign-in")
    page.fill("input[name=email]", f"{who}@riverside.example")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(re.compile(rf"^(?!{re.escape(address)}/sign-in)"))


def follow(page: Page, name: str) -> None:
    """Go on to what the picture shows, where its address is not known beforehand."""
    ways = {"yield": (r"/workshop/batches/\d+", r"/batches/\d+/yield"), "statement": (r"/statements/\d+",)}
    for pattern in ways.get(name, ()):
        links = [link.get_attribute("href") or "" for link in page.query_selector_all("main a")]
        page.goto("/".join(page.url.split("/")[:3]) + next(link for link in links if re.fullmatch(pattern, link)))


if __name__ == "__main__":
    main(sys.argv[1])
