"""What touches money for good, or takes whole books and names out of the house, asks who it is after ten minutes."""

from __future__ import annotations

import pytest

ASKED = [
    ("treasurer", "GET", "/books/by-hand/new"),
    ("treasurer", "GET", "/books/by-hand/1/approval"),
    ("treasurer", "GET", "/books/entries/1/reverse"),
    ("treasurer", "POST", "/books/months/1/closing"),
    ("treasurer", "GET", "/books/months/1/reopening"),
    ("treasurer", "GET", "/books/months/decisions/1/approval"),
    ("treasurer", "GET", "/payouts/1/approval"),
    ("treasurer", "POST", "/payouts/1/file"),
    ("treasurer", "GET", "/payouts/1/file"),
    ("treasurer", "POST", "/books/household-payments/files"),
    ("treasurer", "GET", "/books/household-payments/files/1/approval"),
    ("treasurer", "GET", "/books/household-payments/files/1/download"),
    ("treasurer", "GET", "/statements/years/2026.csv"),
    ("treasurer", "GET", "/makers/1/bank-details"),
    ("treasurer", "POST", "/makers/bank-details/1/approval"),
    ("admin", "GET", "/makers/1/terms"),
    ("admin", "POST", "/makers/terms/1/approval"),
    ("accountant", "GET", "/books/ledger/beancount"),
    ("accountant", "GET", "/books/ledger/xlsx"),
    ("accountant", "GET", "/books/vat/entries.csv"),
    ("admin", "GET", "/seasons/1/fairness-by-name.pdf"),
    ("admin", "GET", "/people/1/roles"),
    ("admin", "GET", "/settings"),
    ("member", "GET", "/account/bank/change"),
    ("member", "GET", "/account/mail-address"),
]


@pytest.mark.parametrize(("role", "method", "path"), ASKED)
def test_after_ten_minutes_it_is_asked_who_it_is(client_as, sign_in_age, role, method, path):
    browser = client_as(role)
    sign_in_age(browser.person_id, minutes=11)
    if method == "GET":
        answer = browser.get(path)
        assert (answer.status_code, answer.location) == (303, f"/confirm?next={path}")
    else:
        answer = browser.press(path)
        assert (answer.status_code, "kept" in answer.text) == (422, True)


PAGES = [(role, path) for role, method, path in ASKED if method == "GET" and "/ledger/" not in path]


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_within_ten_minutes_it_is_not(client_as, sign_in_age, role, path):
    browser = client_as(role)
    sign_in_age(browser.person_id, minutes=9)
    assert browser.get(path).status_code in {200, 404, 409}
