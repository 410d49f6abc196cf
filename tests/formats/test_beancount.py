"""A real accounting tool accepts the ledger and finds each account where our books say, to the cent."""

import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from coop.core.ledger import CHART, Entry, Freed, HoldChange, credit_paid_in, held_for_order, released_from_hold
from coop.core.payout import (
    IMPORTED_TERMS,
    HandedOver,
    Model,
    earned_in_total,
    handed_over,
    payout_sent,
    payout_settled,
    settle,
)
from coop.formats.beancount import account_name, write_beancount

ANA, MIA, PAYMENT = "household:1", "artisan:4", "payment:1"
DAYS = [date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 6), date(2026, 12, 9), date(2027, 1, 2), date(2027, 1, 4)]


def entries():
    part = earned_in_total(3, 2500, 100, IMPORTED_TERMS)
    booked = (
        credit_paid_in({ANA: 10000}),
        held_for_order(ANA, [HoldChange(11, 10400 - 500)]),
        released_from_hold([Freed(ANA, 11, 9900 - 7800)]),
        handed_over([HandedOver(ANA, 11, Model.AGENT, part, [(MIA, part.net)])]),
        payout_sent(MIA, PAYMENT, settle(part.net)),
        payout_settled(PAYMENT, part.net),
    )
    for day, postings in zip(DAYS, booked, strict=True):
        yield Entry(f"key:{day}", "kind", day, postings, 'Ana\'s "mugs" \\ and\nmore')


def ledger(exponent, off=0):
    rows = [
        (e.key, e.kind, e.business_date, e.memo, p.account_code, p.party, p.amount)
        for e in entries()
        for p in e.postings
    ]
    ends = Counter()
    for *_, code, party, amount in rows:
        ends[code, party] += amount
    balances = [(code, party, amount + off) for (code, party), amount in ends.items() if amount]
    text = "".join(write_beancount(rows, balances, title='The "Co-op"', currency="GBP", exponent=exponent))
    return text, dict(ends)


def bean_check(path, text):
    path.write_text(text, encoding="utf-8")
    return subprocess.run(
        [Path(sys.executable).with_name("bean-check"), path], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("exponent", [0, 2, 3])
def test_bean_check_accepts_the_ledger_and_every_balance(tmp_path, exponent):
    text, ends = ledger(exponent)
    checked = bean_check(tmp_path / "coop.beancount", text)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert text.count(" balance ") == len(ends)
    assert text.count(" * ") == len(DAYS)


def test_bean_check_finds_a_single_cent(tmp_path):
    text, ends = ledger(2, off=1)
    checked = bean_check(tmp_path / "coop.beancount", text)
    assert checked.returncode == 1
    assert checked.stderr.count("Balance failed") == sum(1 for amount in ends.values() if amount)


def test_an_empty_ledger_is_accepted_too(tmp_path):
    text = "".join(write_beancount([], [], title="New", currency="EUR", exponent=2))
    assert bean_check(tmp_path / "coop.beancount", text).returncode == 0


def test_accounts_are_named_by_kind_and_party():
    assert account_name(2000, ANA) == "Liabilities:Member-Credit:Household-1"
    assert account_name(4000, "") == "Income:Fee-Income"
    assert len({account_name(code, "") for code in CHART}) == len(CHART)
