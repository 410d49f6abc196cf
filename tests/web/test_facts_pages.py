"""An admin says what the co-op is called, how it counts, where its money is and where pieces are fetched."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from coop.clock import now
from coop.core.errors import RuleBroken
from coop.facts import service as facts
from coop.pickups import service as pickups
from coop.policy import service as policy
from tests import rounds
from tests.builders import a_household, a_pickup_point, a_pool, a_product, a_season, an_artisan, an_offering

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


@pytest.mark.parametrize(
    ("field", "said", "code"),
    [
        ("currency", "QQQ", "unknown_currency"),
        ("zone", "Europe/Whitby", "bad_timezone"),
        ("locale", "xx_YY", "bad_locale"),
    ],
)
def test_what_a_co_op_cannot_say_of_itself_has_a_code(db, field, said, code):
    plain = {
        "coop_name": "Riverside",
        "coop_line": "",
        "coop_town": "",
        "currency": "EUR",
        "zone": "UTC",
        "locale": "en_IE",
    }
    wanted = facts.Facts(**plain | {field: said}, payout_minimum_minor=1000)
    with pytest.raises(RuleBroken) as refused:
        facts.settle_facts(db, wanted, by=0, at=now(), key="facts")
    assert (refused.value.code, refused.value.field) == (code, field)


def test_there_are_no_policies_but_those_that_something_reads(db):
    with db.begin() as session, pytest.raises(RuleBroken) as refused:
        policy.settle(session, "colour_of_the_door", "blue", by=0)
    assert refused.value.code == "unknown_policy"


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
    assert 'href="/settings"' in admin.get("/admin/members").text, "it stands in the second row of its section"
    treasurer = client_as("treasurer")
    assert treasurer.get("/settings").status_code == 403
    assert 'href="/settings"' not in treasurer.get("/books").text


POINT = {"name": "Mill Yard", "place": "Mill Lane 3, Whitby", "hours": "Wednesdays 16:00 to 19:00"}


def points(db) -> dict[str, int]:
    with db() as session:
        return dict(session.execute(text("SELECT name, id FROM pickup_point WHERE ended_at IS NULL")).all())


def test_an_admin_adds_a_pickup_point_and_members_may_choose_it(client_as, db):
    admin, member = client_as("admin"), client_as("member")
    assert "No pickup point yet" in admin.get("/pickup-points").text
    assert admin.fill("/pickup-points", POINT).status_code == 303
    assert "Mill Yard Mill Lane 3, Whitby Wednesdays 16:00 to 19:00 0" in words(admin.get("/pickup-points").text)
    assert member.fill("/pickup-point", {"point": points(db)["Mill Yard"]}).status_code == 303
    assert "Wednesdays 16:00 to 19:00 1" in words(admin.get("/pickup-points").text)
    assert acts(db, "open_pickup_point") == [{"name": "Mill Yard"}]


@pytest.mark.parametrize("typed", ["Mill Yard", "mill yard "])
def test_the_name_of_a_point_is_given_once_also_after_it_ended(client_as, db, typed):
    admin = client_as("admin")
    admin.fill("/pickup-points", POINT)
    again = admin.fill("/pickup-points", POINT | {"name": typed, "hours": "Fridays"})
    assert again.status_code == 422
    assert "There is a pickup point Mill Yard already; give another name." in again.text
    assert 'value="Fridays"' in again.text
    admin.press(f"/pickup-points/{points(db)['Mill Yard']}/end")
    assert "Mill Yard already, which has ended" in admin.fill("/pickup-points", POINT | {"name": typed}).text
    assert admin.fill("/pickup-points", POINT | {"name": "Mill Yard 2"}).status_code == 303
    assert list(points(db)) == ["Mill Yard 2"]


def test_a_point_lacking_its_place_is_refused(client_as, db):
    refused = client_as("admin").fill("/pickup-points", POINT | {"place": ""})
    assert (refused.status_code, points(db)) == (422, {})
    assert "Please fill in: Where it is." in refused.text


def test_households_of_a_point_that_ends_are_asked_to_choose_again_and_others_are_not(client_as, db):
    admin, ana, ben = client_as("admin"), client_as("member"), client_as("member")
    admin.fill("/pickup-points", POINT)
    admin.fill("/pickup-points", POINT | {"name": "Harbour"})
    mill, harbour = points(db)["Mill Yard"], points(db)["Harbour"]
    ana.fill("/pickup-point", {"point": mill})
    ben.fill("/pickup-point", {"point": mill})
    ben.fill("/pickup-point", {"point": harbour})
    assert "Mill Yard" in ana.get("/").text
    admin.press(f"/pickup-points/{mill}/end")
    assert "Households asked to choose another point: 1." in admin.get("/pickup-points").text
    assert "No pickup point is chosen for you now." in ana.get("/").text
    assert "Harbour" in ben.get("/").text
    assert ana.fill("/pickup-point", {"point": mill}).status_code == 422
    with db() as session:
        told = session.scalars(text("SELECT person_id FROM notice WHERE template = 'pickup_point_ended'")).all()
    assert told == [ana.person_id]
    twice = admin.press(f"/pickup-points/{mill}/end")
    assert (twice.status_code, "Mill Yard is no pickup point any more." in twice.text) == (422, True)
    assert admin.press("/pickup-points/999999/end").status_code == 404


def test_what_waits_at_a_point_that_ended_is_packed_with_those_who_have_chosen_none(client_as, db):
    with db.begin() as session:
        household = a_household(session, "Ana & Tomas", credit_minor=20_000)
        pool = a_pool(session, a_season(session), "Advent pool")
        jam = an_offering(session, pool, a_product(session, an_artisan(session)), price_minor=637)
        point = a_pickup_point(session)
    pickups.choose_point(db, household, point, by=0)
    rounds.publish(db, pool, {household: {jam: 2}}, {jam: 9})
    packer = client_as("packer")
    assert "Mill Yard" in packer.get(f"/pickups/{pool}").text
    client_as("admin").press(f"/pickup-points/{point}/end")
    page = packer.get(f"/pickups/{pool}", query_string={"point": 0}).text
    assert ("Ana &amp; Tomas" in page, "Mill Yard" in page) == (True, False)


def test_the_form_of_the_bank_file_is_an_admins_to_choose(client_as, db):
    niamh = client_as("admin")
    refused = niamh.fill("/settings/bank-file", {"bank_file": "nacha", "ach_routing": "021000021"})
    assert (refused.status_code, "ACH moves US dollars" in refused.text, 'value="021000021"' in refused.text) == (422, True, True)  # fmt: skip
    assert niamh.fill("/settings/bank-file", {"bank_file": "cheque"}).status_code == 422
    kept = niamh.fill("/settings/bank-file", {"bank_file": "list"})
    assert (kept.status_code, kept.location) == (303, "/settings/bank-file")
    with db() as session:
        assert policy.current(session, "bank_file", at=now()) == "list"
    assert client_as("treasurer").get("/settings/bank-file").status_code == 403


def test_where_the_bank_takes_ach_files_makers_are_paid_by_routing_number(client_as, db):
    with db.begin() as session:
        policy.settle(session, "currency", "USD", by=0)
        policy.settle(session, "bank_file", "nacha", by=0)
        mia = an_artisan(session, "Mia's pottery")
    petra, path = client_as("treasurer"), f"/makers/{mia}/bank-details"
    told = {"holder": "Mia S.", "routing": "021000022", "account": "123456789", "kind": "savings"}
    refused = petra.fill(path, told)
    assert (refused.status_code, "The last digit of this routing number" in refused.text, 'value="021000022"' in refused.text) == (422, True, True)  # fmt: skip
    assert petra.fill(path, told | {"routing": "021000021", "account": "12"}).status_code == 422
    assert petra.fill(path, told | {"routing": "021000021"}).status_code == 303
    assert "6789" in petra.get(f"/makers/{mia}/agreement").text
    assert "123456789" not in petra.get(f"/makers/{mia}/agreement").text
