"""Each view declares by one guard who may open it; a view without one is refused to everybody.

A guard only marks the view. Before each request `enforce` reads the mark, so that nothing can run ahead of the check.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from flask import current_app, make_response, redirect, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from coop import clock
from coop.core import roles
from coop.core.errors import NotFound
from coop.core.roles import Viewer
from coop.web.limits import count_refusal
from coop.web.reading import reading
from coop.web.visits import visit

log = logging.getLogger(__name__)
View = TypeVar("View", bound=Callable[..., Any])

FRESH: Final = timedelta(minutes=10)
"""How long a proof that it is the person, second factor or password, counts for acts that ask for a fresh one."""


RowRule = Callable[..., bool]
"""Given the session, the viewer and the view's own arguments by name: is the row that the address names theirs?"""


@dataclass(frozen=True)
class Guard:
    """One policy: whom it lets in, for which rows, and whether the password must be fresh. Used as the view's decorator.

    `base` is the name of the policy about people that one about rows was made from.
    """

    name: str
    lets_in: Callable[[Viewer | None], bool]
    row: RowRule | None = None
    fresh: bool = False
    base: str = ""

    def __call__(self, view: View) -> View:
        assert not hasattr(view, "guard"), f"{view.__name__} has a guard already"
        view.guard = self  # type: ignore[attr-defined]
        return view


def guard_of(endpoint: str | None) -> Guard | None:
    """Return the guard that a view declares."""
    return getattr(current_app.view_functions.get(endpoint or ""), "guard", None)


anyone = Guard("anyone", lambda _: True)
signed_in = Guard("signed_in", roles.is_signed_in)
member = Guard("member", roles.may_order)
artisan = Guard("artisan", lambda viewer: viewer is not None and roles.ARTISAN in viewer.roles)
packer = Guard("packer", roles.may_hand_over)
mender = Guard("mender", roles.may_mend)
treasurer = Guard("treasurer", roles.may_handle_money)
bookkeeper = Guard("bookkeeper", roles.may_read_books)
statement_reader = Guard("statement_reader", roles.may_see_statements)
witness = Guard("witness", roles.may_witness)
assembly = Guard("assembly", roles.may_attend_assembly)
admin = Guard("admin", roles.may_run_season)
health = Guard("health", roles.may_see_health)


def rows_of(guard: Guard, name: str, row: RowRule) -> Guard:
    """Narrow a guard to rows that are the viewer's by a query; another's row is as unknown as one that never was.

    `artisan_of_batch = rows_of(artisan, "artisan_of_batch", queries.speaks_for_batch)` with
    `def speaks_for_batch(session, viewer, *, batch_id: int) -> bool`.
    """
    return replace(guard, name=name, row=row, base=guard.base or guard.name)


def fresh(guard: Guard) -> Guard:
    """Ask for the password again unless it was given within ten minutes: `@fresh(admin)`, on the GET of a form too."""
    return replace(guard, fresh=True)


def viewer() -> Viewer:
    """Return who is signed in; for views whose guard let only such people in."""
    here = viewer_if_any()
    assert here is not None, "this view is open to visitors"
    return here


def viewer_if_any() -> Viewer | None:
    """Return who is signed in, or None for a visitor."""
    here = visit()
    return here.viewer if here else None


def promised_if_any() -> Viewer | None:
    """Return who is signed in with the rights that wait for a second factor too, for what leads there; or None."""
    here = visit()
    return here.promised if here else None


def enforce() -> Response | None:
    """Let the request pass, ask who it is, or refuse: before every request."""
    if request.endpoint is None:
        return None  # no such page: routing says so itself
    guard = guard_of(request.endpoint)
    if guard is None:
        log.error("unguarded endpoint=%s", request.endpoint)
        raise Forbidden
    here = viewer_if_any()
    if not guard.lets_in(here):
        if here is not None and guard.lets_in(promised_if_any()):
            return redirect(url_for("proving.overview", next=_here_or_before()), code=303)
        return _refuse(guard, here)
    if guard.row is not None:
        assert here is not None, "a rule about rows needs somebody who is signed in"
        with reading() as session:
            if not guard.row(session, here, **(request.view_args or {})):
                _note(guard, 404, here)
                raise NotFound
    if guard.fresh and not is_fresh():
        return _ask_afresh()
    return None


def _ask_afresh() -> Response:
    """Ask who it is: on a page of its own, or in answer to a form that was sent too late, which is carried along."""
    if request.method in {"GET", "HEAD"} or request.files:
        return redirect(url_for("proving.confirm", next=_here_or_before()), code=303)
    return make_response(current_app.extensions["ask_afresh"](_here_or_before()))


def is_fresh() -> bool:
    """Whether this person gave the password within the last ten minutes."""
    here = visit()
    return here is not None and clock.now() - here.confirmed_at <= FRESH


def safe_next(target: str | None, default: str = "/") -> str:
    """Return the address to go on to if it stays on this site, else the default.

    It must be a plain path, however often it is unquoted: no scheme, no host, no backslash, no control character.
    """
    if not target or len(target) > 2000 or " " in target:
        return default
    seen = target
    for _ in range(3):
        parts = urlsplit(seen) if seen.startswith("/") and not seen.startswith("//") else None
        odd = any(mark == "\\" or ord(mark) < 32 or ord(mark) == 127 for mark in seen)
        if parts is None or parts.scheme or parts.netloc or odd or parts.path.startswith("//"):
            return default
        seen = unquote(seen)
    return target


def _refuse(guard: Guard, here: Viewer | None) -> Response:
    _note(guard, 403 if here else 303, here)
    if here is None:
        return redirect(url_for("access.sign_in", next=_here_or_before()), code=303)
    raise Forbidden


def _note(guard: Guard, status: int, here: Viewer | None) -> None:
    person = here.person_id if here else 0
    log.warning("refused status=%s guard=%s endpoint=%s person=%s", status, guard.name, request.endpoint, person)
    if here is not None:
        count_refusal()


def _here_or_before() -> str:
    """Where to come back to: this page, or the page with the form that was just sent."""
    if request.method in {"GET", "HEAD"}:
        return safe_next(request.full_path.rstrip("?"))
    before = urlsplit(request.referrer or "")
    return safe_next(before.path) if before.netloc == request.host else "/"
