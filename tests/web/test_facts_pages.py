"""An admin says what the co-op is called, how it counts, where its money is and where pieces are fetched."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from coop.clock import now
from coop.policy import service as policy
from tests.builders import a_household

IBAN = "GB29 NWBK 6016 1331 9268 19"
COMPACT = "GB29NWBK60161331926819"
OTHER = "DE89370400440532013000"
FACTS = {
    "coop_name": "Tide & Timber",
    "coop_line": "Made by the sea",
    "coop_town": "Whitby",
    "currency": "gbp",
    "zone": "Europe/Dublin",
    "locale": "en-GB",
    "payout_minimum_minor": "12.50",
    "coop_iban": IBAN,
}
KEPT = FACTS | {"currency": "GBP", "locale": "en_GB", "payout_minimum_minor": 1250, "coop_iban": COMPACT}


def agreed(db) -> dict[str, object]:
    with db() as session:
        held = policy.all_current(session, at=now())
    return {name: held[name] for name in FACTS}


def acts(db, act: str) -> list[dict[str, object]]:
    with db() as session:
        return list(session.scalars(text("SELECT detail FROM audit_record WHERE act = :act ORDER BY id"), {"act": act}))


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("<main")[2]))


def test_an_admin_sets_every_fact_and_the_next_page_shows_them(client_as, db):
    admin = client_as("admin")
    done = admin.fill("/settings", FACTS)
    assert (done.status_code, done.location) == (303, "/settings")
    assert agreed(db) == KEPT
    page = admin.get("/settings").text
    assert "Tide &amp; Timber" in page
    assert 'value="12.50"' in page
    assert "the one ending in 6819" in words(page)
    assert COMPACT not in page.replace(" ", "")


def test_only_what_changed_is_written_each_under_its_name_and_the_account_by_its_ending(client_as, db):
    admin = client_as("admin")
    admin.fill("/settings", FACTS)
    assert {one["name"]: one["value"] for one in acts(db, "settle_policy")} == KEPT | {"coop_iban": "ends in 6819"}
    admin.fill("/settings", {"payout_minimum_minor": "20"})  # the account is left empty, so it is kept
    assert acts(db, "settle_policy")[len(KEPT) :] == [{"name": "payout_minimum_minor", "value": 2000}]
    assert agreed(db) == KEPT | {"payout_minimum_minor": 2000}
    admin.fill("/settings", {"coop_iban": OTHER})
    assert agreed(db)["coop_iban"] == OTHER
    told = acts(db, "settle_policy")
    assert told[-1] == {"name": "coop_iban", "value": "ends in 3000"}
    assert not any(number in str(told) for number in (COMPACT, OTHER))
    admin.fill("/settings")
    assert acts(db, "settle_policy") == told


REFUSED = [
    ("currency", "EURO", "keep to 3"),
    ("currency", "QQQ", "is no currency we know"),
    ("zone", "Europe/Whitby", "is no time zone we know"),
    ("zone", "../../etc/passwd", "is no time zone we know"),
    ("locale", "xx_YY", "is no language and place we know"),
    ("locale", "€", "is no language and place we know"),
    ("payout_minimum_minor", "-1", ""),
    ("payout_minimum_minor", "1.234", ""),
    ("coop_iban", "GB29 NWBK 6016 1331 9268 18", "The check digits of this IBAN do not fit."),
    ("coop_iban", "GB29", ""),
    ("coop_name", " ", "Please fill in: Name of the co-op."),
    ("coop_town", "\u202eybtihW", "cannot be shown"),
]


@pytest.mark.parametrize(("field", "typed", "sentence"), REFUSED)
def test_a_fact_that_cannot_be_is_refused_beside_its_field_and_nothing_is_kept(client_as, db, field, typed, sentence):
    before = agreed(db)
    refused = client_as("admin").fill("/settings", FACTS | {field: typed})
    assert refused.status_code == 422
    assert f'id="{field}-error"' in refused.text
    assert sentence in refused.text
    assert 'value="Made by the sea"' in refused.text  # what was typed beside it stays
    assert agreed(db) == before
    assert acts(db, "settle_policy") == []


def test_the_currency_stays_once_anything_is_in_the_books_and_all_else_may_change(client_as, db):
    admin = client_as("admin")
    with db.begin() as session:
        a_household(session, credit_minor=100)
    refused = admin.fill("/settings", FACTS)
    assert refused.status_code == 422
    assert "The books are kept in EUR and have entries, so the currency stays." in refused.text
    assert 'value="gbp"' in refused.text
    assert agreed(db)["currency"] == "EUR"
    assert admin.fill("/settings", FACTS | {"currency": "EUR"}).status_code == 303
    assert agreed(db) == KEPT | {"currency": "EUR"}


def test_the_smallest_payout_is_read_in_the_currency_it_is_sent_with(client_as, db):
    assert (
        client_as("admin").fill("/settings", FACTS | {"currency": "JPY", "payout_minimum_minor": "1500"}).status_code
        == 303
    )
    assert agreed(db)["payout_minimum_minor"] == 1500  # yen have no decimals


def test_a_settings_form_sent_twice_acts_once(client_as, db):
    admin = client_as("admin")
    from tests.web.conftest import forms_of

    sent = forms_of(admin.get("/settings").text)[-1].fields | FACTS
    assert [admin.post("/settings", data=sent).status_code for _ in range(2)] == [303, 303]
    assert len(acts(db, "settle_policy")) == len(FACTS)


def test_settings_ask_for_the_password_again_and_are_for_admins(client_as, sign_in_age):
    admin = client_as("admin")
    sign_in_age(admin.person_id, minutes=11)
    assert admin.get("/settings").location == "/confirm?next=/settings"
    assert 'href="/settings"' in admin.get("/admin").text
    treasurer = client_as("treasurer")
    assert treasurer.get("/settings").status_code == 403
    assert 'href="/settings"' not in treasurer.get("/books").text
