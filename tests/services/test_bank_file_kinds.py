"""The bank file has the form that the co-op's bank takes, and pays accounts of that kind alone."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import text

from coop.agreements import service as agreements
from coop.core.us_account import UsAccount
from coop.facts import service as facts
from coop.facts.service import BankFileFacts
from coop.formats.iban import demo_iban
from coop.policy import service as policy
from tests.builders import FIELD_KEY
from tests.rounds import PICKUP, compute_payouts, fetch
from tests.services.test_payouts import Coop, approve, make_file, refusal, state

ACH = BankFileFacts("nacha", "021000021", "Big River Bank", "1123456789")


@pytest.fixture
def coop(db):
    made = Coop(db)
    fetch(db, made.anas_mugs, 3)
    return made


def settle(db, told, key="k" * 16):
    return facts.settle_bank_file(db, told, by=1, at=PICKUP, key=key)


def in_dollars(db):
    with db.begin() as session:
        policy.settle(session, "currency", "USD", by=0, effective_from=PICKUP)


def pay_mia_at(db, coop, **account):
    with db.begin() as session:
        session.execute(text("DELETE FROM bank_details WHERE artisan_id = :mia"), {"mia": coop.mia})
        agreements.set_bank_details(session, coop.mia, holder="Mia S.", by=0, at=PICKUP, field_key=FIELD_KEY, **account)


def made(db, coop):
    run = compute_payouts(db, by=coop.jun)
    approve(db, run, coop.petra)
    make_file(db, run)
    with db() as session:
        name, content = session.execute(text("SELECT message_id || '.' || extension, bytes FROM bank_file")).one()
    return name, bytes(content)


def test_a_list_names_account_and_amount(db, coop):
    settle(db, BankFileFacts("list"))
    pay_mia_at(db, coop, iban=demo_iban("GB", 2))
    name, content = made(db, coop)
    ((end_to_end, *row),) = csv.reader(io.StringIO(content.decode("utf-8-sig")[content.decode("utf-8-sig").index("\n") + 1 :]))  # fmt: skip
    assert name.endswith(".csv")
    assert end_to_end.startswith("SB")
    assert row == ["Mia S.", demo_iban("GB", 2), "67.50", "EUR", "Statement 2026-1"]


def test_an_ach_file_pays_accounts_in_the_united_states(db):
    with db.begin() as session:
        policy.settle(session, "currency", "USD", by=0)
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    settle(db, ACH)
    pay_mia_at(db, coop, us=UsAccount("011401533", "123456789"))
    with db() as session:
        ending, sealed = session.execute(text("SELECT iban_ending, iban_sealed FROM bank_details WHERE scheme = 'us'")).one()  # fmt: skip
    assert (ending, b"123456789" in sealed) == ("6789", False)
    name, content = made(db, coop)
    entry = content.decode("ascii").split("\r\n")[2]
    assert name.endswith(".ach")
    assert (entry[:12], entry[12:29].rstrip(), entry[29:39], entry[54:76].rstrip()) == (
        "622011401533",
        "123456789",
        "0000006750",
        "MIA S.",
    )


def test_an_account_of_another_kind_is_not_paid(db, coop):
    pay_mia_at(db, coop, us=UsAccount("011401533", "123456789"))
    run = compute_payouts(db, by=coop.jun)
    approve(db, run, coop.petra)
    assert refusal(make_file, db, run) == "account_elsewhere"
    assert state(db, run) == "approved"


def test_what_an_ach_file_needs_is_asked_for(db):
    assert refusal(settle, db, ACH) == "wrong_currency"
    in_dollars(db)
    for wrong, code in (
        ({"ach_routing": "021000022"}, "routing_checksum"),
        ({"ach_routing": ""}, "routing_length"),
        ({"ach_bank_name": ""}, "required"),
        ({"ach_company_id": "12-3456789"}, "bad_company_id"),
    ):
        told = {"bank_file": "nacha", "ach_routing": "021000021", "ach_bank_name": "B", "ach_company_id": "1123456789"}
        assert refusal(settle, db, BankFileFacts(**(told | wrong))) == code
    with db() as session:
        assert policy.current(session, "bank_file", at=PICKUP) == "sepa"
    assert settle(db, ACH) == 4
    assert settle(db, ACH) == 4  # the same form again
    assert settle(db, ACH, key="l" * 16) == 0
