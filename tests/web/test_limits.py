"""How often one may try, with Valkey and without, and that strangers lock nobody out."""

from __future__ import annotations

import dataclasses

import pytest

from coop.app import create_app
from tests.web.conftest import PASSWORD, Browser


def tries(
    browser, email: str, times: int, password: str = "not the password at all", address: str = "192.0.2.1"
) -> list[int]:
    """Try a password several times from one address; return the statuses."""
    fields = {"csrf_token": browser.token(), "key": "k" * 16, "email": email, "password": password}
    place = {"environ_base": {"REMOTE_ADDR": address}}
    return [browser.post("/sign-in", data=fields, **place).status_code for _ in range(times)]


@pytest.fixture(params=["valkey", "no valkey"])
def app(request, local_settings, db):
    """The application with a Valkey, and with an address where none answers."""
    silent = dataclasses.replace(local_settings, redis_url="redis://:secret@127.0.0.1:1/0")
    made = create_app(local_settings if request.param == "valkey" else silent, db=db)
    made.test_client_class = Browser
    return made


def test_ten_wrong_tries_at_an_account_are_enough_for_a_quarter_of_an_hour(app, someone):
    ana = someone("member")
    assert tries(app.test_client(), ana.email, 12) == [422] * 10 + [429] * 2


def test_an_account_nobody_has_is_limited_alike(app):
    assert tries(app.test_client(), "nobody@example.org", 12) == [422] * 10 + [429] * 2


def test_spelling_the_address_otherwise_gives_no_further_tries(app, someone):
    ana, browser = someone("member"), app.test_client()
    assert tries(browser, ana.email, 10) == [422] * 10
    assert tries(browser, f"  {ana.email.upper()} ", 1) == [429]


def test_strangers_tries_do_not_lock_the_owner_out_of_her_own_device(app, someone):
    ana, hers = someone("member"), app.test_client()
    assert tries(hers, ana.email, 1, PASSWORD) == [303]
    hers.press("/sign-out")
    assert tries(app.test_client(), ana.email, 11, address="203.0.113.5")[-1] == 429
    assert tries(hers, ana.email, 1, PASSWORD, address="203.0.113.5") == [303]


def test_a_stolen_device_has_ten_tries_too(app, someone):
    ana, hers = someone("member"), app.test_client()
    tries(hers, ana.email, 1, PASSWORD)
    hers.press("/sign-out")
    assert tries(hers, ana.email, 11) == [422] * 10 + [429]


def test_a_made_up_device_counts_as_a_stranger(app, someone):
    ana, browser = someone("member"), app.test_client()
    browser.set_cookie("known", "WyJkZXZpY2UiLFsiYWJjIl1d.made-up")
    assert tries(browser, ana.email, 11)[-1] == 429


def test_one_network_tries_thirty_times_over_all_accounts(app):
    browser = app.test_client()
    seen = [tries(browser, f"person{number}@example.org", 1, address="198.51.100.7")[0] for number in range(31)]
    assert seen == [422] * 30 + [429]
    assert tries(browser, "other@example.org", 1, address="198.51.100.8") == [422]


def test_a_line_of_ipv6_is_one_network(app):
    browser = app.test_client()
    seen = [tries(browser, f"p{n}@example.org", 1, address=f"2001:db8:1:2::{n:x}")[0] for n in range(31)]
    assert seen[-1] == 429
    assert tries(browser, "other@example.org", 1, address="2001:db8:1:3::1") == [422]


def test_signing_in_rightly_counts_for_nothing(app, someone):
    ana = someone("member")
    assert tries(app.test_client(), ana.email, 12, PASSWORD)[-1] != 429
    for _ in range(12):
        browser = app.test_client()
        assert tries(browser, ana.email, 1, PASSWORD) == [303]


def test_three_mails_to_one_address_are_enough(app):
    browser = app.test_client()
    asked = [browser.fill("/password/forgotten", {"email": "ana@example.org"}).status_code for _ in range(4)]
    assert asked == [303, 303, 303, 429]
    assert browser.fill("/password/forgotten", {"email": "tomas@example.org"}).status_code == 303


def test_being_asked_to_wait_is_a_page_with_a_way_on(app, someone):
    ana, browser = someone("member"), app.test_client()
    tries(browser, ana.email, 10)
    page = browser.fill(
        "/sign-in", {"email": ana.email, "password": PASSWORD}, environ_base={"REMOTE_ADDR": "192.0.2.1"}
    )
    assert page.status_code == 429
    assert "/password/forgotten" in page.text


def test_when_valkey_goes_while_we_run_the_limits_stay(services, local_settings, db, someone, monkeypatch):
    from redis.connection import Connection

    from coop.web.limits import limiter

    app = create_app(local_settings, db=db)
    app.test_client_class = Browser
    ana, browser = someone("member"), app.test_client()
    assert tries(browser, ana.email, 3) == [422] * 3
    limiter.storage.storage.connection_pool.disconnect()

    def gone(self):
        raise ConnectionRefusedError

    monkeypatch.setattr(Connection, "_connect", gone)
    assert tries(browser, ana.email, 12)[-1] == 429
