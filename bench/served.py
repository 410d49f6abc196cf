"""The co-op's pages, and beside them the empty one: a signed-in page of the base template with no query but the session's."""

from flask import Flask, render_template

from coop.app import create_app
from coop.web.guards import signed_in

EMPTY = "/bench/empty"


def application() -> Flask:
    """Return the application with the yardstick page."""
    app = create_app()

    @signed_in
    def empty() -> str:
        return render_template("base.html")

    app.add_url_rule(EMPTY, "bench_empty", empty)
    return app
