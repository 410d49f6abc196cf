"""Payments by card, against a provider of our own in a process of its own: begun once, booked once, given and taken back."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from coop.app import create_app
from coop.cards import service as cards
from coop.clock import now
from coop.core.errors import RuleBroken
from coop.core.ledger import BANK_FEES, CARD_TRANSIT, HARDSHIP_FUND, MEMBER_CREDIT, OWED_BY_MEMBER
from coop.web.forms import new_key
from tests.card_provider import KEY
from tests.rounds import balances
from tests.web.conftest import Browser

SECRET = "whsec_of_ours"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The provider's address."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.card_provider"], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    with started:
        yield f"http://127.0.0.1:{started.stdout.readline().strip()}"
        started.terminate()


@pytest.fixture
def local_settings(local_settings, provider):
    return dataclasses.replace(local_settings, stripe_key=KEY, stripe_webhook_secret=SECRET, stripe_url=provider)


@pytest.fixture
def ana(client_as) -> Browser:
    return client_as("member")


def asked(provider: str) -> list[dict]:
    with urllib.request.urlopen(f"{provider}/asked") as answer:
        return json.loads(answer.read())["asked"]


def begin(browser, amount="25.00", purpose="credit") -> tuple[int, str]:
    """Begin a payment; return its number and the provider's name of its page."""
    sent = browser.fill("/pay/card", {"amount": amount, "purpose": purpose})
    assert sent.status_code == 303, sent.text
    page = browser.get(sent.location).text
    return int(sent.location.rpartition("/")[2]), page.partition("https://checkout.invalid/")[2].partition('"')[0]


def hear(app, kind: str, told: dict, *, event="evt_1", secret=SECRET, age=0, body: bytes | None = None):
    """Let the provider say something, signed by what its documents say."""
    body = body or json.dumps({"id": event, "type": kind, "data": {"object": told}}).encode()
    stamp = str(int(now().timestamp()) - age).encode()
    signature = hmac.new(secret.encode(), stamp + b"." + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={stamp.decode()},v1={'0' * 64},v1={signature}"}
    return app.test_client().post("/card-messages", data=body, headers=headers, content_type="application/json")


def paid(name: str, minor=2500, **more) -> dict:
    plain = {"id": name, "payment_status": "paid", "amount_total": minor, "currency": "eur", "payment_intent": "pi_1"}
    return plain | more


DONE = "checkout.session.completed"


def test_a_payment_is_begun_once_and_booked_once(app, ana, db, provider):
    number, name = begin(ana)
    told = asked(provider)[-1]
    assert (told["client_reference_id"], told["line_items[0][price_data][unit_amount]"]) == (str(number), "2500")
    assert "not paid yet" in ana.get(f"/pay/card/{number}").text
    assert balances(db, MEMBER_CREDIT) == {}
    answers = [hear(app, DONE, paid(name)) for _ in range(3)] + [hear(app, DONE, paid(name), event="evt_2")]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 202]
    assert (sum(balances(db, MEMBER_CREDIT).values()), abs(sum(balances(db, CARD_TRANSIT).values()))) == (2500, 2500)
    assert "not paid yet" not in ana.get(f"/pay/card/{number}").text


def test_a_form_sent_twice_asks_for_one_page(ana, db):
    sent = {"csrf_token": ana.token(), "key": new_key(), "amount": "10.00", "purpose": "gift"}
    assert len({ana.post("/pay/card", data=sent).location for _ in range(2)}) == 1
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM card_payment")) == 1


def test_a_gift_by_card_is_the_funds(app, ana, db):
    _, name = begin(ana, purpose="gift")
    hear(app, DONE, paid(name))
    assert balances(db, HARDSHIP_FUND) == {"": 2500}


@pytest.mark.parametrize(
    ("named", "status", "code"),
    [
        ({"secret": "whsec_of_others"}, 401, "bad_signature"),
        ({"age": 301}, 401, "bad_signature"),
        ({"age": -301}, 401, "bad_signature"),
        ({"body": b"{"}, 422, "bad_message"),
        (
            {"body": b'{"id": "evt_9", "type": "checkout.session.completed", "data": {"object": {}}}'},
            422,
            "bad_message",
        ),
    ],
)
def test_a_message_that_is_not_theirs_or_no_message_is_refused(app, ana, db, named, status, code):
    _, name = begin(ana)
    answer = hear(app, DONE, paid(name), **named)
    assert (answer.status_code, set(answer.json), answer.json["code"]) == (status, {"code", "sentence"}, code)
    assert balances(db, MEMBER_CREDIT) == {}
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM card_message")) == 0


def test_an_unsigned_message_is_refused(app):
    answer = app.test_client().post("/card-messages", data=b"{}")
    assert (answer.status_code, answer.json["code"]) == (401, "bad_signature")


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({"amount_total": 2499}, "refused: amount"),
        ({"currency": "usd"}, "refused: currency"),
        ({"payment_status": "unpaid"}, "ignored"),
        ({"id": "cs_unknown"}, "refused: unknown payment page"),
    ],
)
def test_what_does_not_fit_is_kept_and_not_booked(app, ana, db, told, outcome):
    _, name = begin(ana)
    answer = hear(app, DONE, paid(name) | told)
    assert (answer.status_code, answer.json["outcome"]) == (202, outcome)
    assert balances(db, MEMBER_CREDIT) == {}


def test_other_messages_are_stored_and_nothing_more(app, ana):
    assert hear(app, "customer.created", {}).status_code == 202


def refund(minor: int) -> dict:
    return {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": minor, "currency": "eur"}


def test_refunds_are_booked_by_what_is_new_of_them(app, ana, db):
    _, name = begin(ana)
    hear(app, DONE, paid(name))
    for n, minor in enumerate((1000, 1000, 1500)):
        hear(app, "charge.refunded", refund(minor), event=f"evt_r{n}")
    assert sum(balances(db, MEMBER_CREDIT).values()) == 1000
    assert abs(sum(balances(db, CARD_TRANSIT).values())) == 1000


def test_a_refund_that_comes_before_its_payment_waits_for_it(app, ana, db):
    _, name = begin(ana)
    assert hear(app, "charge.refunded", refund(500), event="evt_r").json["outcome"] == "parked"
    hear(app, DONE, paid(name))
    assert sum(balances(db, MEMBER_CREDIT).values()) == 2000


def test_a_chargeback_takes_credit_then_is_owed_and_the_fee_is_the_coops(app, ana, db):
    _, name = begin(ana)
    hear(app, DONE, paid(name))
    hear(app, "charge.refunded", refund(1000), event="evt_r")
    fees = {"balance_transactions": [{"fee": 1500}]}
    told = {"id": "dp_1", "payment_intent": "pi_1", "amount": 2500, "currency": "eur"} | fees
    for _ in range(2):
        hear(app, "charge.dispute.funds_withdrawn", told, event="evt_d")
    assert sum(balances(db, MEMBER_CREDIT).values()) == 0
    owed, fee = balances(db, OWED_BY_MEMBER), balances(db, BANK_FEES)
    assert (abs(sum(owed.values())), abs(sum(fee.values()))) == (1000, 1500)


def test_a_provider_that_does_not_answer_is_said_on_the_form_and_the_form_can_be_sent_again(ana):
    page = ana.fill("/pay/card", {"amount": "666.00", "purpose": "credit"})
    assert (page.status_code, "does not answer" in page.text, 'value="666.00"' in page.text) == (422, True, True)


@pytest.mark.parametrize("typed", ["0", "-1", "1e3", "1000000.01"])
def test_an_amount_that_is_none_begins_nothing(ana, db, typed):
    assert ana.fill("/pay/card", {"amount": typed, "purpose": "credit"}).status_code == 422
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM card_payment")) == 0


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({"minor": 0}, "bad_amount", "amount"),
        ({"minor": 100_000_001}, "bad_amount", "amount"),
        ({"purpose": "raffle"}, "bad_purpose", "purpose"),
    ],
)
def test_what_no_card_pays_for_is_refused_by_its_code(ana, db, asked, code, field):
    said = {"purpose": "credit", "minor": 2500, "by": ana.person_id, "at": now(), "key": "card"}
    with pytest.raises(RuleBroken) as refused:
        cards.begin(db, ana.household_id, **said | asked)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_anothers_payment_is_not_found_and_treasurers_do_not_pay(ana, client_as):
    number, _ = begin(ana)
    assert client_as("member").get(f"/pay/card/{number}").status_code == 404
    assert client_as("treasurer").get("/pay/card").status_code == 403


def test_without_a_provider_there_is_no_such_page(local_settings, db):
    plain = create_app(dataclasses.replace(local_settings, stripe_key="", stripe_webhook_secret=""), db=db)
    browser = plain.test_client()
    assert [browser.get(path).status_code for path in ("/pay/card", "/pay/card/1", "/card-messages")] == [404, 404, 404]
    assert browser.post("/card-messages", data=b"{}").status_code == 404
