"""Rows of long lists that are looked at again and again: written once, then shown as they were."""

from collections.abc import Callable, Hashable
from typing import Final, Protocol

from flask import Flask, request
from markupsafe import Markup

from coop.core.recent import Recent
from coop.web.reading import customs

_WRITTEN: Final[Recent[tuple[Hashable, ...], Markup]] = Recent(2048)
"""Each under all that it says, some 5 kB: nothing shown is ever older than what was just read."""


class Macro(Protocol):
    """A template's macro, imported without context: it knows what it is given, and what is the same on every page."""

    name: str
    __call__: Callable[..., Markup]


def install(app: Flask) -> None:
    """Give templates `kept_row`."""
    app.jinja_env.globals["kept_row"] = kept_row


def kept_row(row: Macro, *told: Hashable) -> Markup:
    """Write a row by its macro, or show what it wrote before of the very same; sums look as the co-op writes them now."""
    key = (row.name, request.script_root, customs(), *told)
    return _WRITTEN.of(key, lambda: row(*told))
