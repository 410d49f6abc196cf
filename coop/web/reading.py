"""What a view needs of its installation: settings, the database, read-only sessions, and the co-op's customs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, cast

from flask import current_app, g, has_request_context, request
from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import clock
from coop.config import Settings
from coop.core.money import NumberStyle, minor_exponent, number_style
from coop.db import Db
from coop.policy import service as policy

CUSTOMS_KEPT: Final = timedelta(seconds=5)
"""How long another process may still show a setting after it was changed."""

_READ_ONLY: Final = text("SET TRANSACTION READ ONLY")


@dataclass(frozen=True, slots=True)
class Customs:
    """How this co-op calls itself and writes money, numbers and time."""

    coop_name: str
    coop_line: str
    coop_town: str
    currency: str
    zone: str
    locale: str

    @property
    def exponent(self) -> int:
        """Decimals of the currency."""
        return minor_exponent(self.currency)

    @property
    def numbers(self) -> NumberStyle:
        """How amounts are typed here."""
        return number_style(self.locale)


@dataclass(slots=True)
class Installation:
    """What `create_app` was given, kept where views find it."""

    settings: Settings
    db: Db
    kept_customs: tuple[datetime, Customs] | None = field(default=None, repr=False)


def installation() -> Installation:
    """Return the installation that serves this request."""
    return cast("Installation", current_app.extensions["coop"])


def settings() -> Settings:
    """Return what this installation was told from outside."""
    return installation().settings


def db() -> Db:
    """Return the maker of sessions, for commands."""
    return installation().db


@contextmanager
def reading() -> Iterator[Session]:
    """Open a session that the database itself holds to reading.

    A request that only looks, a GET, reads with one session from its guard to its page: each further one would cost the
    database five round trips. One that writes opens each anew, so that none stands beside the command's own.
    """
    if not has_request_context() or request.method not in {"GET", "HEAD"}:
        with _read_only() as session:
            yield session
        return
    if "reads" not in g:
        g.reads = ExitStack()
        g.session = g.reads.enter_context(_read_only())
    try:
        yield g.session
    except BaseException:
        stop_reading()  # its transaction may be broken
        raise


def stop_reading(_: BaseException | None = None) -> None:
    """Close the session that this request reads with, if it has one."""
    if reads := g.pop("reads", None):
        reads.close()


@contextmanager
def _read_only() -> Iterator[Session]:
    with installation().db() as session:
        session.execute(_READ_ONLY)
        yield session
        session.commit()  # nothing was written; but the driver forgets at each rollback which statements it has prepared


def customs() -> Customs:
    """Return the co-op's customs, at most some seconds old: every page needs them, and they hardly ever change."""
    here: Customs | None = g.get("customs")  # a long list asks hundreds of times
    if here is None:
        here = g.customs = _customs()
    return here


def _customs() -> Customs:
    here, at = installation(), clock.now()
    if here.kept_customs is None or at - here.kept_customs[0] > CUSTOMS_KEPT:
        with reading() as session:
            agreed = policy.all_current(session, at=at)
        here.kept_customs = at, Customs(**{name: str(agreed[name]) for name in Customs.__slots__})
    return here.kept_customs[1]


def forget_customs() -> None:
    """Read the customs anew for the next page: called where one of them was just changed."""
    installation().kept_customs = None
    g.pop("customs", None)


DEFAULT_CUSTOMS: Final = Customs(**{name: str(policy.DEFAULTS[name]) for name in Customs.__slots__})
"""For pages that must come even if the database does not answer."""
