"""Addresses in templates: a list of fifty rows asks for a hundred, so each is put together once and kept."""

from functools import lru_cache
from typing import Any

from flask import Flask, request, url_for


def install(app: Flask) -> None:
    """Give templates a `url_for` that remembers."""
    made = lru_cache(maxsize=8192)(_made)

    def remembered(endpoint: str, **values: Any) -> str:
        if endpoint.startswith(".") or any(name.startswith("_") for name in values):
            return url_for(endpoint, **values)  # depends on the request
        return made(request.script_root, endpoint, *values.items())

    app.jinja_env.globals["url_for"] = remembered


def _made(_root: str, endpoint: str, *values: tuple[str, Any]) -> str:
    return url_for(endpoint, **dict(values))
