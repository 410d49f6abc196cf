"""Put the application together: the only module that knows everything."""

import os
from importlib import import_module
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Flask
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from coop import bell
from coop.access import queries as access
from coop.access import service as access_service
from coop.clock import now
from coop.config import Settings
from coop.db import Db, connect
from coop.proving import views as proving
from coop.web import filters, frame, guards, headers, limits, links, paging, problems, rows, visits
from coop.web.guards import anyone
from coop.web.reading import Installation, reading, stop_reading

AREAS: Final = (
    "access",
    "addresses",
    "proving",
    "people",
    "ledger",
    "paying",
    "monthly",
    "fees",
    "agreements",
    "seasons",
    "places",
    "terms",
    "pools",
    "orders",
    "choices",
    "ordering",
    "proofs",
    "awards",
    "reasons",
    "packing",
    "pickups",
    "returnables",
    "mending",
    "hardship",
    "comparing",
    "fairness",
    "sharing",
    "corrections",
    "overrides",
    "runs",
    "office",
    "facts",
    "households",
    "takebacks",
    "statements",
    "telling",
    "yearly",
    "bank",
    "bounces",
    "settling",
    "preparing",
    "treasury",
    "dealings",
    "documents",
    "prepaid",
    "makers",
    "workshop",
    "desk",
    "equity",
    "payees",
    "remitting",
    "books",
    "journal",
    "vat",
    "equation",
    "counted",
    "vouchers",
    "dividends",
    "closing",
    "impact",
    "health",
    "home",
)
"""Areas with pages, each a `views` module with a blueprint `bp`."""

ROOM: Final = 1024 * 1024
"""Bytes that a request may have, unless its view takes files (`headers.takes_files`)."""


def create_app(settings: Settings | None = None, *, db: Db | None = None) -> Flask:
    """Return the application for these settings, or for those of the environment."""
    settings = settings or Settings.from_environment(os.environ)
    settings.check()
    app = problems.Coop("coop", template_folder=Path(__file__).parent.parent / "templates", static_folder=None)
    app.config.update(_config(settings))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    db = db or bell.wire(connect(settings.database_url, assume_role=settings.assume_role), settings.redis_url)
    app.extensions["coop"] = Installation(settings, db)
    headers.install(app)
    csrf = CSRFProtect(app)
    visits.install(app, _find_visit(db))
    app.before_request(guards.enforce)
    app.teardown_request(stop_reading)
    limits.install(app, settings.redis_url)
    filters.install(app)
    links.install(app)
    rows.install(app)
    paging.install(app)
    problems.install(app)
    for area in AREAS:
        app.register_blueprint(import_module(f"coop.{area}.views").bp)
    if settings.takes_cards:
        app.register_blueprint(import_module("coop.cards.views").bp)
        csrf.exempt("coop.cards.views.message")  # it carries the provider's signature instead
    app.extensions["ask_afresh"] = proving.ask_afresh
    app.jinja_env.globals["takes_cards"] = settings.takes_cards
    app.add_url_rule("/health", "health", _health)
    frame.install(app, settings.base_url)
    if settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_hops, x_proto=settings.proxy_hops)  # type: ignore[method-assign]
    return app


def _config(settings: Settings) -> dict[str, object]:
    secure = urlsplit(settings.base_url).scheme == "https"
    return {
        "SECRET_KEY": settings.secret_keys[0],
        "SECRET_KEY_FALLBACKS": list(settings.secret_keys[1:]),
        "TRUSTED_HOSTS": list(settings.trusted_hosts) or None,
        "PREFERRED_URL_SCHEME": "https" if secure else "http",
        "SESSION_COOKIE_NAME": "__Host-coop" if secure else "coop",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": access.ABSOLUTE,
        "MAX_CONTENT_LENGTH": ROOM,
        "MAX_FORM_MEMORY_SIZE": ROOM,
        "MAX_FORM_PARTS": 2000,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session it belongs to
        "WTF_CSRF_SSL_STRICT": False,  # `headers` asks the browser where a form comes from
        "WTF_I18N_ENABLED": False,
    }


def _find_visit(db: Db) -> visits.Find:
    def find(token: str) -> visits.Visit | None:
        at = now()
        with reading() as session:
            found = access.visit_of(session, token, at=at)
        if found is None:
            return None
        if at - found.seen_at >= access_service.SEEN_KEPT:
            stop_reading()
            access_service.note_seen(db, found.sign_in_id, at=at)
        return visits.Visit(token, found.sign_in_id, found.confirmed_at, found.viewer, found.promised)

    return find


@anyone
def _health() -> tuple[str, int, dict[str, str]]:
    with reading() as session:
        session.execute(text("SELECT 1"))
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}
