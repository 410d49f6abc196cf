"""Two treasurers at two browsers, who press the same buttons at the same moment, pay once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from sqlalchemy import text

from coop.books import queries as books
from coop.core.ledger import OWED_TO_MAKER, PAYOUT_TRANSIT
from tests.rounds import PICKUP, balances, compute_payouts, fetch
from tests.services.test_payouts import Coop, state
from tests.web.conftest import forms_of
from tests.web.test_treasury_pages import _seal_again


@pytest.fixture
def db(fresh_db):
    """A database in which commits are real, so that two requests are two transactions."""
    return fresh_db


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


@pytest.fixture
def run_id(db, local_settings):
    """A run that pays Mia 67.50 for three mugs."""
    coop = Coop(db)
    _seal_again(db, coop, local_settings)
    fetch(db, coop.anas_mugs, 3)
    return compute_payouts(db, by=coop.jun)


@pytest.fixture
def both(client_as):
    """Let both treasurers load a page and then send its form at the same moment; return the two answers."""
    browsers = [client_as("treasurer"), client_as("treasurer")]

    def at_once(path, typed=None, *, action=None):
        start = threading.Barrier(2)

        def send(browser):
            forms = [form for form in forms_of(browser.get(path).text) if form.action in {"", action or path}]
            start.wait()
            return browser.post(action or path, data=forms[-1].fields | (typed or {}))

        with ThreadPoolExecutor(2) as two:
            return list(two.map(send, browsers))

    return at_once


def counted(db, what):
    with db() as session:
        return session.scalar(text(f"SELECT count(*) FROM {what}"))


def test_a_run_is_approved_handed_in_and_confirmed_once(both, db, run_id):
    here = f"/payouts/{run_id}"

    approved = both(f"{here}/approval")
    assert sorted(answer.status_code for answer in approved) == [303, 422], "one approves, the other is told it is done"
    assert counted(db, "audit_record WHERE act = 'approve_payouts'") == 1

    made = both(here, action=f"{here}/file")
    assert [answer.status_code for answer in made] == [303, 303]
    assert (counted(db, "bank_file"), counted(db, "entry WHERE kind = 'payout'")) == (1, 1)
    assert counted(db, "audit_record WHERE act = 'make_bank_file'") == 1
    assert balances(db, OWED_TO_MAKER) == {}
    assert list(balances(db, PAYOUT_TRANSIT).values()) == [6750]

    handed_in = both(here, action=f"{here}/submissions/hand")
    assert [answer.status_code for answer in handed_in] == [303, 303]
    assert (counted(db, "payout_submission"), state(db, run_id)) == (1, "submitting")

    answered = both(f"{here}/bank-answer", {"said": "accepted", "reason": "it is in the list of orders"})
    assert 303 in [answer.status_code for answer in answered]
    assert (counted(db, "payout_submission WHERE outcome IS NOT NULL"), state(db, run_id)) == (1, "submitted")

    with db() as session:
        payment = session.scalars(text("SELECT id FROM payment")).one()
    confirmed = both(f"{here}/payments/{payment}", {"said": "paid", "on": "2026-12-01"})
    assert 303 in [answer.status_code for answer in confirmed]
    assert (counted(db, "entry WHERE kind = 'payout_settled'"), state(db, run_id)) == (1, "settled")
    assert balances(db, PAYOUT_TRANSIT) == {}
    with db() as session:
        assert [rule.id for rule in books.results(session) if not rule.ok] == []
