"""Rows of long lists: written once for all that they say, and anew for anything else."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from coop.clock import now
from coop.policy import service as policy
from coop.web.reading import forget_customs, stop_reading
from coop.web.rows import kept_rows


class Loaf:
    """A macro that counts how often it writes; its name is its own, so that no other test's rows are met."""

    def __init__(self, name: str) -> None:
        self.name, self.written = name, 0

    def __call__(self, *told: object) -> Markup:
        self.written += 1
        return Markup("<li>{} {}</li>").format(self.written, told)


@pytest.fixture
def loaf(request):
    return Loaf(request.node.name)


def shown(app, loaf, told, *alike, at="http://localhost/"):
    with app.test_request_context(base_url=at):
        return kept_rows(loaf, *alike)(*told)


def test_the_very_same_is_written_once(app, loaf):
    first = shown(app, loaf, ("rye", 3), 7, "open")
    assert first == Markup("<li>1 (&#39;rye&#39;, 3, 7, &#39;open&#39;)</li>")
    assert shown(app, loaf, ("rye", 3), 7, "open") == first
    assert loaf.written == 1


@pytest.mark.parametrize(
    ("told", "alike", "at"),
    [
        (("rye", 4), (7, "open"), "http://localhost/"),
        (("spelt", 3), (7, "open"), "http://localhost/"),
        (("rye", 3), (8, "open"), "http://localhost/"),
        (("rye", 3), (7, "closed"), "http://localhost/"),
        (("rye",), (3, 7, "open"), "http://localhost/"),
        (("rye", 3), (7, "open"), "http://localhost/under"),
    ],
)
def test_whatever_is_another_row_another_page_or_another_address_is_written_anew(app, loaf, told, alike, at):
    shown(app, loaf, ("rye", 3), 7, "open")
    shown(app, loaf, told, *alike, at=at)
    assert loaf.written == 2


def test_rows_are_written_anew_once_the_co_op_writes_money_otherwise(app, db, loaf):
    shown(app, loaf, ("rye", 3))
    with db.begin() as session:
        policy.change(session, "locale", "de_DE", by=0, at=now())
    with app.test_request_context():
        forget_customs()
        stop_reading()
    shown(app, loaf, ("rye", 3))
    assert loaf.written == 2


def test_macros_of_different_names_share_nothing(app, loaf):
    other = Loaf(loaf.name + " too")
    assert shown(app, loaf, ("rye", 3)) == shown(app, other, ("rye", 3))
    assert (loaf.written, other.written) == (1, 1)
