"""Lists in pages: what the address asks for, and the links to the pages before and after."""

import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from flask import Flask, request
from werkzeug.datastructures import MultiDict

from coop.core.paging import Slice

LAST_PAGE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Pager:
    """What the macro `pager` shows."""

    first: int
    last: int
    total: int
    previous: str | None
    next: str | None


def install(app: Flask) -> None:
    """Give templates the filter that turns a part of a list into its links."""
    app.jinja_env.filters["turned"] = turned


def page_number() -> int:
    """Return the page asked for, the first if what stands there is no page."""
    asked = request.args.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 6 else 1
    return min(max(number, 1), LAST_PAGE)


def sought() -> str:
    """Return what is searched for, as one short line."""
    return unicodedata.normalize("NFC", " ".join(request.args.get("q", "").split()))[:120]


def turned(part: Slice) -> Pager:
    """Turn a part of a list into links that keep the search."""
    before = _href(part.number - 1) if part.number > 1 else None
    after = _href(part.number + 1) if 0 < part.last < part.total else None
    return Pager(part.first, part.last, part.total, before, after)


def _href(number: int) -> str:
    kept = MultiDict(request.args)
    kept["page"] = str(number)
    return request.path + "?" + urlencode(list(kept.items(multi=True)))
