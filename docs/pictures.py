"""Take the documents' pictures from a freshly started demo: python docs/pictures.py http://127.0.0.1:8000 (CHROMIUM names the browser)."""

import base64
import os
import re
import shutil
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from coop.demo.people import ADMINS, MEMBER, PASSWORD, address

FOLDER = Path(__file__).with_name("pictures")
PHONE, DESK = (390, 844), (1280, 860)
MOST_BYTES = 150_000
MAKER = "Maeve Doran"

PIXELS = """async png => {
  const image = new Image(); image.src = "data:image/png;base64," + png; await image.decode()
  const canvas = new OffscreenCanvas(image.width, image.height), drawn = canvas.getContext("2d")
  drawn.drawImage(image, 0, 0)
  const bytes = drawn.getImageData(0, 0, image.width, image.height).data
  let text = ""
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768))
  return [image.width, image.height, btoa(text)]
}"""


def order(page: Page) -> None:
    """Ask for some pieces, so that the sum stands beside them; it is not saved."""
    page.goto("/pools/3")
    for product, pieces in (
        ("Beeswax candles, a pair", "1"),
        ("Heather honey, 340 g", "2"),
        ("Hedgerow gin, 50 cl", "2"),
    ):
        page.get_by_role("spinbutton", name=f"{product}: how many you want").fill(pieces)
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")


def report(page: Page) -> None:
    """Type what came out; it is not reported."""
    page.goto("/batches/21/yield")
    page.get_by_label("Bottles that passed your check").fill("17")


def statement(page: Page) -> None:
    """Open the latest statement of the maker."""
    page.goto("/statements")
    page.locator("main table a").first.click()


def at(path: str) -> Callable[[Page], None]:
    """Only open a page."""

    def opened(page: Page) -> None:
        page.goto(path)

    return opened


PICTURES: tuple[tuple[str, str, tuple[int, int], Callable[[Page], None]], ...] = (
    ("order", MEMBER, DESK, order),
    ("awards", MEMBER, DESK, at("/pools/1/awards")),
    ("yield", MAKER, PHONE, report),
    ("sharing-out", ADMINS[0], DESK, at("/pools/2/allocation")),
    ("statement", MAKER, DESK, statement),
    ("impact", "", DESK, at("/impact")),
)


def main(base: str) -> None:
    """Take all six."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as play:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        blank = browser.new_page()
        for name, who, (width, height), show in PICTURES:
            page = _window(browser, base, who, width, height)
            show(page)
            page.wait_for_load_state("networkidle")
            taken = base64.b64encode(page.screenshot()).decode()
            picture = _with_palette(*blank.evaluate(PIXELS, taken))
            assert len(picture) < MOST_BYTES, f"{name} has {len(picture)} bytes"
            (FOLDER / f"{name}.png").write_bytes(picture)
            print(f"{name}.png", len(picture))
        browser.close()


def _window(browser: Browser, base: str, who: str, width: int, height: int) -> Page:
    size = {"width": width, "height": height}
    page = browser.new_context(viewport=size, base_url=base, reduced_motion="reduce", locale="en-IE").new_page()  # type: ignore[arg-type]
    if who:
        page.goto("/sign-in")
        page.get_by_label("Mail address").fill(address(who))
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
        if code := re.search(r"the code stands here instead of in an app: ([0-9]+)", page.inner_text("main")):
            page.get_by_label("Code").fill(code[1])
            page.get_by_role("main").get_by_role("button", name="Sign in").click()
            page.wait_for_load_state()
    return page


def _with_palette(width: int, height: int, pixels: str) -> bytes:
    """Write a PNG of the 256 commonest colours; every other pixel takes the nearest of them."""
    rgb = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(-1, 4)[:, :3].astype(np.int32)
    colours, place, often = np.unique(rgb @ (65536, 256, 1), return_inverse=True, return_counts=True)
    apart = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
    palette = apart[np.argsort(-often)[:256]]
    nearest = np.concatenate(
        [
            ((part[:, None] - palette) ** 2).sum(axis=2).argmin(axis=1)
            for part in np.array_split(apart, len(apart) // 4096 + 1)
        ]
    )
    rows = np.zeros((height, width + 1), np.uint8)  # each begins with its filter, 0 for none
    rows[:, 1:] = nearest[place].reshape(height, width)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
