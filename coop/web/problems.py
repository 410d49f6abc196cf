"""The pages people see when something cannot be done: what happened, what is safe, and the way on."""

import logging
import secrets
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from coop.core.errors import NotFound, RuleBroken
from coop.web.forms import STATUS_OF, BadForm

log = logging.getLogger(__name__)


class WayOut(NamedTuple):
    href: str
    label: str


FIRST_PAGE: Final = WayOut("/", "To the first page")
NEW_LINK: Final = WayOut("/password/forgotten", "Mail me a new link")
WAYS_OUT: Final = {"link_over": (NEW_LINK, FIRST_PAGE)}
"""Where to go on from a broken rule that no form could show."""


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """What `errors/problem.html` shows."""

    title: str
    sentence: str
    advice: tuple[str, ...] = ()
    ways_out: tuple[WayOut, ...] = (FIRST_PAGE,)
    reference: str | None = field(default=None)


PAGES: Final = {
    400: ProblemPage(
        "We could not read that",
        "What your browser sent is not what this page sends. Nothing was changed.",
        ("Go back, load the page again, and send it once more.",),
    ),
    403: ProblemPage(
        "That is not yours to do",
        "Your role in the co-op does not include this. Nothing was changed.",
        ("If it should, ask a co-op admin.",),
    ),
    404: ProblemPage(
        "There is nothing here",
        "The address is not one of ours, or the page is not yours to see.",
        ("Check the address if you typed it.",),
    ),
    405: ProblemPage(
        "That is not how this page works",
        "It can be looked at or sent, but not in the way your browser tried. Nothing was changed.",
    ),
    413: ProblemPage(
        "That is too large",
        "What you sent is larger than this page takes. Nothing was changed.",
        ("Send a smaller file, or less text.",),
    ),
    429: ProblemPage(
        "Too many tries",
        "There were many tries in a short time, so we ask you to wait a quarter of an hour.",
        (
            "On a device where you signed in before, you can still sign in.",
            "If you do not know your password any more, let us mail you a link.",
        ),
        (NEW_LINK, FIRST_PAGE),
    ),
    500: ProblemPage(
        "Something went wrong on our side",
        "What you asked for was not done, and nothing was half done.",
        ("Try it again in a moment.",),
    ),
}
OUT_OF_DATE: Final = ProblemPage(
    "This page was open for too long",
    "You were signed out meanwhile, or signed in anew in another window. Nothing was changed.",
    ("Go back, load the page again, and send it once more.",),
)


class Coop(Flask):
    """Flask that writes the number of a fault beside its trace."""

    def log_exception(self, exc_info: Any) -> None:
        """Log a fault once, under the reference its page shows."""
        log.error("fault reference=%s %s %s", reference(), request.method, request.path, exc_info=exc_info)


def install(app: Flask) -> None:
    """Answer every failure with a page."""
    app.register_error_handler(RuleBroken, show_broken_rule)
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(InternalServerError, show_fault)


def reference() -> str:
    """Return the number by which this request's fault is found in the log."""
    if "reference" not in g:
        g.reference = secrets.token_hex(4)
    return str(g.reference)


def show_broken_rule(broken: RuleBroken) -> Response:
    """Show a rule that was broken where no form could say so."""
    if isinstance(broken, NotFound):
        return _page(PAGES[404], 404)
    status = 400 if isinstance(broken, BadForm) else STATUS_OF.get(broken.code, 422)
    title = PAGES[status].title if status in PAGES else "That cannot be done"
    return _page(ProblemPage(title, broken.sentence, ways_out=WAYS_OUT.get(broken.code, (FIRST_PAGE,))), status)


def show_http_error(error: HTTPException) -> Response:
    """Show one of HTTP's own errors in the co-op's words, with the headers it asks for."""
    status = error.code or 500
    if isinstance(error, SecurityError):
        return make_response("This address is not ours.\n", 400, {"Content-Type": "text/plain; charset=utf-8"})
    if error.response is not None:
        return make_response(error.response)
    page = OUT_OF_DATE if isinstance(error, CSRFError) else PAGES.get(status, PAGES[400 if status < 500 else 500])
    response = _page(page, status)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def show_fault(_: InternalServerError) -> Response:
    """Show that we failed, with a number to quote and nothing else."""
    g.faulted = True
    known = PAGES[500]
    return _page(ProblemPage(known.title, known.sentence, known.advice, known.ways_out, reference()), 500)


def _page(page: ProblemPage, status: int) -> Response:
    return make_response(render_template("errors/problem.html", page=page), status)
