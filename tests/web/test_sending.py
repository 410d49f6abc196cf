"""What may be sent: forms of ours, whole, once, and nothing by looking."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from coop.core.errors import RuleBroken
from coop.web.fields import AmountField, TextLine
from coop.web.forms import CoopForm, heeding
from coop.web.guards import anyone
from tests.web.walking import addresses

pytestmark = pytest.mark.own_app  # pages are added to it

EVERYBODY = ("member", "artisan", "packer", "treasurer", "admin")


def test_nothing_is_taken_without_the_forms_own_token(app, client_as):
    everybody = client_as(*EVERYBODY)
    for address in addresses(app):
        if address.method == "GET":
            continue
        for sent in ({}, {"csrf_token": ""}, {"csrf_token": "made-up"}):
            assert everybody.open(address.path, method=address.method, data=sent).status_code == 400, address
        assert everybody.open(address.path, method=address.method, json={"x": 1}).status_code == 400, address
    assert everybody.get("/account/sign-ins").status_code == 200


def test_a_token_of_another_browser_does_not_count(client_as):
    ana, mallory = client_as("member"), client_as("member")
    assert ana.post("/sign-out", data={"csrf_token": mallory.token()}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_that_comes_from_elsewhere_is_refused_even_with_the_token(client_as, headers):
    ana = client_as("member")
    assert ana.post("/sign-out", data={"csrf_token": ana.token()}, headers=headers).status_code == 400
    assert (
        ana.post("/sign-out", data={"csrf_token": ana.token()}, headers={"Origin": "http://localhost"}).status_code
        == 303
    )


def test_looking_changes_nothing(app, client_as, db):
    browsers = [app.test_client(), client_as(*EVERYBODY)]
    before = everything_written(db)
    for browser in browsers:
        for address in addresses(app, {"person_id": browsers[1].person_id}):
            if address.method == "GET":
                browser.get(address.path)
                browser.head(address.path)
    assert everything_written(db) == before


def everything_written(db) -> dict[str, str]:
    """Return a digest of all rows of each table."""
    with db() as session:
        tables = session.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        )
        digest = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{}\" t"
        return {table: session.scalar(text(digest.format(table))) for table in tables.all()}


class PayForm(CoopForm):
    amount = AmountField("Amount")
    note = TextLine("Note", optional=True)


@pytest.fixture
def till(app):
    """A page with a form about money, and what it took."""
    taken = []

    def pay():
        form = PayForm()
        if form.accepted():
            with heeding(form):
                if form.amount.data > 1_000_000:
                    raise RuleBroken("insufficient_credit", "That is more than you have.", field="amount")
                if form.note.data == "again":
                    raise RuleBroken("key_reused", "This form was already sent with other values.")
                taken.append((form.amount.data, form.note.data))
                return "taken", 201
        from flask import render_template_string

        return render_template_string(PAGE, form=form), form.status

    app.add_url_rule("/paid-in", "pay", anyone(pay), methods=["GET", "POST"])
    return taken


PAGE = """{% extends "base.html" %}{% from "_macros/forms.html" import field, post_form, error_summary %}{% block title %}Pay{% endblock %}
{% block content %}{% call post_form(form=form) %}{{ error_summary(form) }}{{ field(form.amount) }}{{ field(form.note) }}{% endcall %}{% endblock %}"""


def test_a_form_is_taken_in_minor_units(visitor, till):
    assert visitor.fill("/paid-in", {"amount": "1,234.5", "note": "  for\u00a0jam "}).status_code == 201
    assert till == [(123_450, "for\u00a0jam")]


@pytest.mark.parametrize("extra", ["member_id", "state", "unit_cents", "household_id", "role", "key2"])
def test_a_field_the_form_does_not_have_is_refused(visitor, till, extra):
    assert visitor.fill("/paid-in", {"amount": "1", extra: "1"}).status_code == 400
    assert till == []


def test_a_field_sent_twice_is_refused(visitor, till):
    assert visitor.fill("/paid-in", {"amount": ["1", "999"]}).status_code == 400
    assert till == []


def test_a_file_the_form_does_not_have_is_refused(visitor, till):
    import io

    assert visitor.fill("/paid-in", {"amount": "1", "photo": (io.BytesIO(b"x"), "x.png")}).status_code == 400
    assert till == []


def test_what_was_typed_is_kept_and_the_sentence_stands_beside_it(visitor, till):
    answer = visitor.fill("/paid-in", {"amount": "1.2345", "note": "<b>&\"'"})
    assert answer.status_code == 422
    assert 'value="1.2345"' in answer.text
    assert "&lt;b&gt;&amp;&#34;&#39;" in answer.text
    assert "finer than the currency" in answer.text
    assert 'href="#amount"' in answer.text


def test_a_broken_rule_is_shown_at_its_field(visitor, till):
    answer = visitor.fill("/paid-in", {"amount": "10,000.01"})
    assert answer.status_code == 422
    assert 'id="amount-error">That is more than you have.' in answer.text


def test_a_spent_key_is_a_conflict_and_the_page_brings_a_new_one(visitor, till):
    answer = visitor.fill("/paid-in", {"amount": "1", "note": "again", "key": "k" * 22})
    assert answer.status_code == 409
    assert "k" * 22 not in answer.text


@pytest.mark.parametrize("key", ["", "short", "k" * 65, "k" * 15 + "\u00e9", "<script>alert(1)</script>"])
def test_a_key_of_no_forms_making_is_refused_and_replaced(visitor, till, key):
    answer = visitor.fill("/paid-in", {"amount": "1", "key": key})
    assert answer.status_code == 422
    assert till == []
    if key:
        assert f'value="{key}"' not in answer.text


def test_the_character_nul_is_refused_wherever_it_stands(visitor, till, client_as):
    assert visitor.fill("/paid-in", {"amount": "1", "note": "a\x00b"}).status_code == 400
    assert client_as("admin").get("/people?q=a%00b").status_code == 400
    assert visitor.get("/join/a%00b").status_code == 400


@pytest.mark.parametrize("number", ["0", "-1", "9223372036854775808", "99999999999999999999", "1e3", "\u0663", "1_000"])
def test_an_address_with_a_number_that_is_no_row_of_ours_is_not_found(client_as, number):
    assert client_as("admin").get(f"/people/{number}").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "page=99999999999999", "page=1e3", "page=\u0663", "q=%25%27%22%3B--", "q=_"],
)
def test_a_list_bears_any_question(client_as, query):
    assert client_as("admin").get(f"/people?{query}").status_code == 200


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(visitor, till):
    assert visitor.fill("/paid-in", {"amount": "1", "note": "x" * 1_100_000}).status_code == 413
    assert visitor.fill("/paid-in", {"amount": "1", "note": "x" * 70_000}).status_code == 422
    assert till == []
