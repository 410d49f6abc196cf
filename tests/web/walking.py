"""Walk all addresses of the application, with numbers filled in that belong to nobody unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from flask import Flask
from werkzeug.routing import Rule

NOBODYS = 999_999


class Address(NamedTuple):
    endpoint: str
    method: str
    path: str


def addresses(app: Flask, named: Mapping[str, object] | None = None) -> list[Address]:
    """Return each address with each method that a view of ours answers to."""
    with app.test_request_context():  # closed before anything is asked: requests inside it would share its context
        return list(_each(app, named or {}))


def _each(app: Flask, named: Mapping[str, object]) -> Iterator[Address]:
    for rule in app.url_map.iter_rules():
        values = {name: named.get(name, _plain(rule, name)) for name in rule.arguments - (rule.defaults or {}).keys()}
        path = rule.build(values, append_unknown=False)
        assert path is not None, rule
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            yield Address(rule.endpoint, method, path[1])


def _plain(rule: Rule, name: str) -> object:
    return NOBODYS if "Id" in type(rule._converters[name]).__name__ else "unknown"
