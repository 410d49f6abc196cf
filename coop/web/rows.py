"""Rows of long lists that are looked at again and again: written once, then shown as they were."""

from collections.abc import Callable, Hashable
from typing import Final, Protocol

from flask import Flask, request
from markupsafe import Markup

from coop.core.recent import Recent
from coop.web.reading import customs

_WRITTEN: Final[dict[str, Recent[tuple[Hashable, ...], Markup]]] = {}
"""By macro, so that one page's rows do not drive out another's. Each under all that it says, 1 to 5 kB: nothing shown is ever older than what was just read."""

_MOST: Final = 2048

_ALIKE: Final[Recent[tuple[Hashable, ...], object]] = Recent(512)
"""A mark for what all rows of a page have in common, so that it is compared once a page: the same as long as it is kept, and never used for anything else."""


class Macro(Protocol):
    """A template's macro, imported without context: it knows what it is given, and what is the same on every page."""

    name: str
    __call__: Callable[..., Markup]


def install(app: Flask) -> None:
    """Give templates `kept_rows`."""
    app.jinja_env.globals["kept_rows"] = kept_rows


def kept_rows(row: Macro, *alike: Hashable) -> Callable[..., Markup]:
    """Return what writes a row by its macro, or shows what that wrote before of the very same; sums look as the co-op writes them now.

    The macro is given what a row says, and then what is alike in all rows of the page.
    """
    kept = _WRITTEN.setdefault(row.name, Recent(_MOST))
    mark = _ALIKE.of((row.name, request.script_root, customs(), *alike), object)

    def written(*told: Hashable) -> Markup:
        return kept.of((mark, *told), lambda: row(*told, *alike))

    return written
