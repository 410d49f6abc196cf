"""The co-op's pages, and beside them the empty one: a signed-in page of the base template with no query but the session's."""

from flask import Flask, render_template

from coop.core.recent import Recent
from coop.serving import application as served
from coop.web.guards import signed_in

EMPTY = "/bench/empty"


def application() -> Flask:
    """Return the application with the yardstick page."""
    app = served()

    @signed_in
    def empty() -> str:
        return render_template("base.html")

    app.add_url_rule(EMPTY, "bench_empty", empty)
    return app


def forgetful() -> Flask:
    """Return it as it is for the first look at each page: nothing that was worked out is kept for the next one."""
    Recent._keep = lambda _self, _new: None  # type: ignore[assignment] # noqa: SLF001
    return application()
