"""The frame of every page: its links, by what the viewer may open, and its files, under addresses that never change."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple
from wsgiref.headers import Headers

from flask import Flask, g, request, url_for
from whitenoise import WhiteNoise

from coop.core.roles import Viewer
from coop.web.guards import guard_of, viewer_if_any
from coop.web.headers import ONE_YEAR, fixed_headers
from coop.web.reading import DEFAULT_CUSTOMS, Customs, customs

STATIC: Final = Path(__file__).parent.parent / "static"


class Entry(NamedTuple):
    """A link to a view without arguments, shown to whomever the view's guard lets in."""

    endpoint: str
    label: str


@dataclass(frozen=True, slots=True)
class Link:
    href: str
    label: str
    current: bool = False


NAV: Final[tuple[Entry, ...]] = (
    Entry("desk.desk", "Today"),
    Entry("orders.pools", "Order"),
    Entry("seasons.season", "Season share"),
    Entry("ledger.balance", "Balance"),
    Entry("workshop.board", "Workshop"),
    Entry("makers.everybody", "Makers"),
    Entry("makers.batches", "Batches"),
    Entry("impact.snapshot", "Impact"),
    Entry("households.everybody", "Members"),
    Entry("office.pools", "Pools"),
    Entry("statements.mine", "Statements"),
    Entry("pickups.everything", "Pickups"),
    Entry("treasury.runs", "Payouts"),
    Entry("bank.statements", "Bank"),
    Entry("seasons.everything", "Seasons"),
    Entry("people.everybody", "People"),
    Entry("books.trial_balance", "Books"),
    Entry("facts.settings", "Settings"),
)
PERSON: Final[tuple[Entry, ...]] = (
    Entry("access.sign_ins", "Where you are signed in"),
    Entry("access.change_password", "Change password"),
)
FOOTER: Final[tuple[Entry, ...]] = (
    Entry("makers.everybody", "Makers"),
    Entry("impact.snapshot", "Impact"),
    Entry("home.sharing", "How sharing works"),
)


def install(app: Flask, base_url: str) -> None:
    """Give every template its frame, and serve the files it asks for."""
    digest = _digest(STATIC)
    app.jinja_env.globals["static_url"] = lambda path: f"/static/{digest}/{path}"
    app.context_processor(frame)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=STATIC,
        prefix=f"static/{digest}/",
        max_age=ONE_YEAR,
        immutable_file_test=lambda _path, _url: True,
        allow_all_origins=False,
        add_headers_function=_add_headers(base_url),
    )


def _add_headers(base_url: str) -> Callable[[Headers, str, str], None]:
    def add(headers: Headers, _path: str, _url: str) -> None:
        for name, value in fixed_headers(base_url).items():
            headers[name] = value

    return add


def frame() -> dict[str, Any]:
    """Return what `base.html` needs. After a fault nothing is asked of the database."""
    if "faulted" in g:
        return _frame(DEFAULT_CUSTOMS, None)
    return _frame(customs(), viewer_if_any())


def _frame(here: Customs, viewer: Viewer | None) -> dict[str, Any]:
    return {
        "coop_name": here.coop_name,
        "coop_line": here.coop_line,
        "coop_town": here.coop_town,
        "currency": here.currency,
        "currency_digits": here.exponent,
        "viewer": viewer,
        "nav": _links(NAV, viewer),
        "person_links": _links(PERSON, viewer),
        "footer_links": _links(FOOTER, viewer),
        "sign_in_url": url_for("access.sign_in"),
        "sign_out_url": url_for("access.sign_out"),
    }


def _links(entries: tuple[Entry, ...], viewer: Viewer | None) -> list[Link]:
    shown: list[Link] = []
    for entry in entries:
        guard = guard_of(entry.endpoint)
        assert guard is not None, f"{entry.endpoint} has no guard"
        if guard.lets_in(viewer):
            href = url_for(entry.endpoint)
            here = request.endpoint == entry.endpoint or (href != "/" and request.path.startswith(href + "/"))
            shown.append(Link(href, entry.label, here))
    closest = max((link.href for link in shown if link.current), key=len, default="")
    return [link if link.href == closest else replace(link, current=False) for link in shown]


def _digest(folder: Path) -> str:
    """Digest the whole folder: its files refer to one another, so they change their address together."""
    sum_of_all = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            sum_of_all.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return sum_of_all.hexdigest()[:12]
