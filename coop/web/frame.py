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
from coop.web.guards import Guard, guard_of, promised_if_any, viewer_if_any
from coop.web.headers import ONE_YEAR, fixed_headers
from coop.web.reading import DEFAULT_CUSTOMS, Customs, customs

STATIC: Final = Path(__file__).parent.parent / "static"


class Entry(NamedTuple):
    """A link to a view without arguments, shown to whomever the view's guard lets in.

    It is marked on its own page and on those it leads to: `covers` names their endpoints, or whole areas.
    """

    endpoint: str
    label: str
    covers: tuple[str, ...] = ()

    def leads_to(self, endpoint: str) -> bool:
        """Whether a page stands under this entry."""
        return endpoint in {self.endpoint, *self.covers} or endpoint.partition(".")[0] in self.covers


class Section(NamedTuple):
    """A link of the first row, to the first of its entries; on their pages they stand in a second row if they are several.

    Whom the first entry does not let in never sees the section.
    """

    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the frame; `current` is what aria-current says: "page", "true" on the pages it leads to, or nothing."""

    href: str
    label: str
    current: str = ""


_STATEMENTS: Final = Entry("statements.mine", "Statements", ("statements", "telling", "yearly"))

NAV: Final[tuple[Section, ...]] = (
    Section("Today", (Entry("desk.desk", "Today"),)),
    Section(
        "Order",
        (Entry("orders.pools", "Order", ("orders", "ordering", "choices", "awards", "reasons", "pickups.point")),),
    ),
    Section("Season share", (Entry("seasons.season", "Season share", ("fairness", "places")),)),
    Section(
        "Balance",
        (
            Entry("ledger.balance", "Balance", ("ledger",)),
            Entry("returnables.mine", "Jars and bottles"),
            Entry("paying.pay", "Pay in", ("monthly", "cards")),
            Entry("documents.mine", "Documents", ("documents.document",)),
            Entry("dividends.mine", "Dividend"),
            Entry("payees.account", "Where you are paid", ("payees",)),
        ),
    ),
    Section("Workshop", (Entry("workshop.board", "Workshop", ("workshop",)), _STATEMENTS)),
    Section(
        "Makers",
        (
            Entry("makers.everybody", "Makers", ("makers.maker", "agreements", "fees")),
            Entry("makers.batches", "Batches", ("makers.batch",)),
        ),
    ),
    Section(
        "Pools",
        (
            Entry(
                "office.pools", "Pools", ("office", "pools", "sharing", "comparing", "runs", "overrides", "corrections")
            ),
            Entry(
                "seasons.everything",
                "Seasons",
                ("seasons.plan", "seasons.sizes", "seasons.recipe", "terms.rule", "fairness"),
            ),
        ),
    ),
    Section("Pickups", (Entry("packing.everything", "Pickups", ("packing", "returnables.tick", "returnables.back")),)),
    Section(
        "Money",
        (
            Entry("treasury.runs", "Payouts", ("treasury", "preparing")),
            _STATEMENTS,
            Entry("bank.statements", "Bank", ("bank", "settling", "bounces")),
            Entry("dealings.households", "Accounts", ("dealings.household", "dealings.act", "mending", "prepaid")),
            Entry("documents.everything", "Documents", ("documents",)),
            Entry("hardship.fund", "Hardship fund", ("hardship",)),
            Entry("dealings.suppliers", "Bills", ("dealings",)),
            Entry("returnables.everybody", "Jars and bottles", ("returnables",)),
        ),
    ),
    Section(
        "Books",
        (
            Entry("books.trial_balance", "Trial balance", ("books", "journal.months", "journal.month")),
            Entry("equation.equation", "Where the money is", ("equation",)),
            Entry("journal.everything", "Journal", ("journal",)),
            Entry("vat.report", "VAT", ("vat",)),
            Entry("vouchers.vouchers", "By hand", ("vouchers",)),
            Entry("counted.counts", "Counted", ("counted",)),
            Entry("closing.months", "Months", ("closing",)),
            Entry("dividends.dividends", "Dividends", ("dividends",)),
            Entry("equity.stakes", "Stakes", ("equity", "remitting")),
            Entry("health.house", "Health", ("health",)),
        ),
    ),
    Section(
        "Co-op",
        (
            Entry("households.everybody", "Members", ("households", "takebacks")),
            Entry("people.everybody", "People and roles", ("people",)),
            Entry("facts.settings", "Settings", ("facts.bank_file",)),
            Entry("facts.points", "Pickup points"),
        ),
    ),
    Section("Impact", (Entry("impact.snapshot", "Impact", ("impact",)),)),
)
PERSON: Final[tuple[Entry, ...]] = (
    Entry("access.sign_ins", "Where you are signed in"),
    Entry("access.change_password", "Change password"),
    Entry("addresses.change", "Change mail address"),
    Entry("proving.overview", "Second step"),
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
        return _frame(DEFAULT_CUSTOMS, None, None)
    return _frame(customs(), viewer_if_any(), promised_if_any())


def _frame(here: Customs, viewer: Viewer | None, promised: Viewer | None) -> dict[str, Any]:
    nav, beneath = _nav(promised)
    return {
        "coop_name": here.coop_name,
        "page_language": page_language(here.locale),
        "coop_line": here.coop_line,
        "coop_town": here.coop_town,
        "currency": here.currency,
        "currency_digits": here.exponent,
        "viewer": viewer,
        "nav": nav,
        "beneath": beneath,
        "person_links": _links(PERSON, viewer),
        "footer_links": _links(FOOTER, viewer),
        "sign_in_url": url_for("access.sign_in"),
        "sign_out_url": url_for("access.sign_out"),
    }


def page_language(locale: str) -> str:
    """Return what a page says of its language: its words are English, as they are written in the co-op's country."""
    return locale.replace("_", "-") if locale.partition("_")[0] == "en" else "en"


def _nav(viewer: Viewer | None) -> tuple[list[Link], list[Link]]:
    """Return the first row of links, and the second: the entries of the section one is in, if they are several."""
    here = request.endpoint or ""
    first: list[Link] = []
    second: list[Link] = []
    marked = ""
    for section in NAV:
        if not _guard(section.entries[0]).lets_in(viewer):
            continue
        shown = [entry for entry in section.entries if _guard(entry).lets_in(viewer)]
        under = next((entry for entry in shown if entry.leads_to(here)), None) if not marked else None
        if under is not None:
            marked = "page" if here == under.endpoint else "true"
            second = [_link(entry, marked if entry is under else "") for entry in shown if len(shown) > 1]
        current = "" if under is None else "true" if second else marked
        first.append(replace(_link(section.entries[0], current), label=section.label))
    return first, second


def _links(entries: tuple[Entry, ...], viewer: Viewer | None) -> list[Link]:
    return [_link(entry) for entry in entries if _guard(entry).lets_in(viewer)]


def _link(entry: Entry, current: str = "") -> Link:
    return Link(url_for(entry.endpoint), entry.label, current)


def _guard(entry: Entry) -> Guard:
    guard = guard_of(entry.endpoint)
    assert guard is not None, f"{entry.endpoint} has no guard"
    return guard


def _digest(folder: Path) -> str:
    """Digest the whole folder: its files refer to one another, so they change their address together."""
    sum_of_all = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            sum_of_all.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return sum_of_all.hexdigest()[:12]
