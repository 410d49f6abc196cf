"""Members take shares, order and read their balance; visitors read about makers and batches."""

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select, text

from coop.batches import service as batches
from coop.clock import now
from coop.ordering.queries import prospects_of
from coop.orders.models import HouseholdOrder, OrderLine
from coop.orders.queries import pool_page
from coop.orders.service import place_order
from coop.places import service as places
from coop.pools import service as pools
from coop.seasons.models import SeasonShare, ShareWait
from coop.wishes.service import Wish
from tests.builders import a_household, a_pool, a_product, a_season, a_size, an_artisan, an_offering, give_credit


def open_pool(db, pool):
    pools.open_pool(db, pool, by=0, at=now())


@pytest.fixture
def town(db):
    """A season that runs today with one full share left to take, and an open pool of jam at 5.20 and gin at 34.00."""
    today = now().date()
    with db.begin() as session:
        season = a_season(session, starts=today - timedelta(days=30), ends=today + timedelta(days=60))
        size = a_size(session, season, cap=1)
        orchard = an_artisan(session, "Orchard Lane Preserves", craft="jams & pickles", distance_km=9)
        marsh = an_artisan(session, "Marsh & Alder Distillery", craft="small-batch gin", distance_km=4)
        pool = a_pool(session, season, "November", closes_at=now() + timedelta(days=2))
        jam = an_offering(session, pool, a_product(session, orchard), deposit_minor=50, cap=6)
        gin = an_offering(
            session, pool, a_product(session, marsh, "Hedgerow gin, 50 cl", min_age=18), planned=80, price_minor=3400
        )
    open_pool(db, pool)
    return {"season": season, "size": size, "pool": pool, "jam": jam, "gin": gin, "orchard": orchard}


@pytest.fixture
def ana(db, client_as, town):
    """Ana, a member with 100.00 of credit."""
    browser = client_as("member")
    with db.begin() as session:
        give_credit(session, browser.household_id, 10_000, on=now().date())
    return browser


def lines(db, household):
    with db() as session:
        rows = session.execute(
            select(OrderLine.offering_id, OrderLine.wish, OrderLine.up_to)
            .join(HouseholdOrder)
            .where(HouseholdOrder.household_id == household)
        )
        return {offering: (wish, up_to) for offering, wish, up_to in rows}


def order(browser, town, **typed):
    path = f"/pools/{town['pool']}"
    return browser.fill(path, {name.replace("__", "-"): value for name, value in typed.items()}, action=path)


def test_a_member_orders_with_wish_and_up_to_and_edits_until_the_cut_off(db, ana, town):
    jam = town["jam"]
    saved = order(ana, town, **{f"wish__{jam}": "3", f"up_to__{jam}": "5"})
    assert (saved.status_code, saved.location) == (303, f"/pools/{town['pool']}")
    assert lines(db, ana.household_id) == {jam: (3, 5)}
    page = ana.get(saved.location).text
    assert "In your order" in page
    assert "€28.50" in page  # at most 5 x (5.20 + 0.50)
    order(ana, town, **{f"wish__{jam}": "1", f"up_to__{jam}": ""})
    assert lines(db, ana.household_id) == {jam: (1, 1)}


def test_a_form_without_up_to_means_no_more_than_the_wish(db, ana, town):
    order(ana, town, **{f"wish__{town['jam']}": "2", f"up_to__{town['jam']}": ""})
    assert lines(db, ana.household_id) == {town["jam"]: (2, 2)}


def test_lines_that_the_page_did_not_show_are_kept(db, ana, town):
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    path = f"/pools/{town['pool']}?q=gin"
    sent = ana.fill(path, {f"wish-{town['gin']}": "1"}, action=path)
    assert sent.location == path
    assert lines(db, ana.household_id) == {town["jam"]: (2, 2), town["gin"]: (1, 1)}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("-1", "whole number"),
        ("1.5", "whole number"),
        ("1_000", "whole number"),
        ("\N{FULLWIDTH DIGIT ONE}2", "whole number"),
        ("1e3", "whole number"),
        ("9223372036854775808", "whole number"),
        ("7", "at most 6"),
        ("", "whole number"),
    ],
)
def test_what_is_no_number_of_pieces_is_refused_beside_its_field_and_kept_as_typed(db, ana, town, typed, sentence):
    answer = order(ana, town, **{f"wish__{town['jam']}": typed})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{typed}"' in answer.text
    assert lines(db, ana.household_id) == {}


def test_an_order_beyond_the_credit_is_refused_whole(db, ana, town):
    answer = order(ana, town, **{f"wish__{town['gin']}": "3"})
    assert answer.status_code == 422
    assert "2.00" in answer.text  # 3 x 34.00 is 2.00 more than 100.00
    assert lines(db, ana.household_id) == {}


def test_a_price_that_changed_since_it_was_shown_is_refused(db, ana, town):
    answer = order(ana, town, **{f"wish__{town['jam']}": "1", f"unit__{town['jam']}": "519"})
    assert answer.status_code == 422
    assert "price has changed since this page was shown: it was 5.19 " in answer.text
    assert ", and is 5.20 " in answer.text
    assert f'name="unit-{town["jam"]}" value="520"' in answer.text  # sent again, the order is taken
    assert lines(db, ana.household_id) == {}


def test_an_order_after_the_cut_off_is_refused(db, ana, town):
    path = f"/pools/{town['pool']}"
    page = ana.get(path)
    with db.begin() as session:
        session.execute(text("UPDATE pool SET closes_at = now() - interval '1 second'"))
    from tests.web.conftest import forms_of

    sent = next(form for form in forms_of(page.text) if form.action == path).fields | {f"wish-{town['jam']}": "1"}
    answer = ana.post(path, data=sent)
    assert answer.status_code == 422
    assert "closed" in answer.text
    assert lines(db, ana.household_id) == {}


def test_another_field_or_a_field_twice_is_refused(ana, town):
    assert order(ana, town, household_id="1").status_code == 400
    assert order(ana, town, **{f"wish__{town['jam']}": ["1", "2"]}).status_code == 400


def test_a_batch_of_another_pool_cannot_be_slipped_in(db, ana, town):
    with db.begin() as session:
        other = an_offering(session, a_pool(session, town["season"]))
    stranger = {f"wish__{other}": "1", f"up_to__{other}": "", f"unit__{other}": "520", f"deposit__{other}": "0"}
    assert order(ana, town, **stranger).status_code == 404
    assert lines(db, ana.household_id) == {}


def test_a_season_share_is_taken_once_and_the_next_household_waits(db, client_as, town):
    ana, ben = client_as("member"), client_as("member")
    take = f"/season/sizes/{town['size']}/shares"
    assert take in ana.get("/season").text
    assert ana.fill("/season", action=take).location == "/season"
    assert "Still to pay" in ana.get("/season").text
    page = ben.get("/season").text
    assert take not in page
    waits = f"/season/sizes/{town['size']}/waits"
    assert ben.fill("/season", action=waits).status_code == 303
    assert "place 1 on the waiting list" in ben.get("/season").text
    assert ben.press(take).status_code == 422
    with db() as session:
        assert session.scalars(select(SeasonShare.household_id)).all() == [ana.household_id]
        assert session.scalars(select(ShareWait.household_id)).all() == [ben.household_id]


def test_a_share_of_another_household_is_as_unknown_as_none(db, client_as, town):
    ana, ben = client_as("member"), client_as("member")
    share = places.take_share(db, town["size"], household_id=ana.household_id, by=1, at=now(), key="k")
    assert ben.press(f"/season/shares/{share}/end").status_code == 404
    assert ben.press("/season/shares/999999/end").status_code == 404
    assert ana.press(f"/season/shares/{share}/end").status_code == 303


def test_the_balance_shows_every_entry_with_the_credit_after_it(ana, town):
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    page = ana.get("/balance").text
    assert "Paid in" in page
    assert "Held for an order" in page
    assert "€88.60" in page  # 100.00 - 2 x 5.70


def test_the_first_page_says_what_a_member_can_do_now(ana, town):
    page = ana.get("/").text
    assert "Order in this pool" in page
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    page = ana.get("/").text
    assert "at most €11.40" in page
    for amount in ("88.60", "11.40"):  # of 100.00 of credit, the order holds 2 x (5.20 + 0.50)
        assert f'<a href="/balance">€{amount}</a>' in page
    assert "Change your order" in page
    assert "November" in ana.get("/orders").text
    assert "November" in ana.get("/pools").text


@pytest.mark.parametrize("path", ["/", "/makers", "/batches", "/season", "/how-sharing-works", "/makers/{orchard}"])
def test_visitors_read_about_the_co_op_and_its_makers(visitor, town, path):
    answer = visitor.get(path.format(**town))
    assert answer.status_code == 200


def test_the_public_pages_stand_before_anything_is_planned(visitor):
    for path in ("/", "/makers", "/batches", "/season", "/how-sharing-works"):
        assert visitor.get(path).status_code == 200, path


def test_a_batch_tells_its_story_and_a_search_finds_it(db, visitor, town):
    with db.begin() as session:
        batch = session.scalar(text("SELECT batch_id FROM offering WHERE id = :id"), {"id": town["jam"]})
        session.execute(
            text("UPDATE batch SET story = :s WHERE id = :id"), {"s": "Picked <i>wet</i>.\n\nBoiled open.", "id": batch}
        )
    page = visitor.get(f"/batches/{batch}").text
    assert "Picked &lt;i&gt;wet&lt;/i&gt;." in page
    assert "Boiled open." in page
    assert "Damson jam" in visitor.get("/batches?q=damson").text
    assert "No batch has that" in visitor.get("/batches?q=100%25").text
    assert visitor.get("/batches/999999").status_code == 404


def test_visitors_are_asked_to_sign_in_before_they_order(visitor, town):
    for path in (f"/pools/{town['pool']}", "/balance", "/orders", "/pools"):
        assert visitor.get(path).location.startswith("/sign-in"), path


def test_reading_pages_changes_nothing_and_costs_few_queries(db, ana, town, queries_of):
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    with db() as session:
        before = session.scalar(select(func.count()).select_from(text("audit_record")))
    for path in ("/", f"/pools/{town['pool']}", "/pools", "/orders", "/balance", "/season", "/makers", "/batches"):
        ana.get(path)
        assert queries_of(lambda path=path: ana.get(path)) <= 12, path
    with db() as session:
        assert session.scalar(select(func.count()).select_from(text("audit_record"))) == before


def others_wish(db, town, *wishes):
    """Let other households wish for jam, so many pieces each."""
    for n, pieces in enumerate(wishes):
        with db.begin() as session:
            household = a_household(session, f"Neighbour {n} of {len(wishes)}")
            give_credit(session, household, 90_000, on=now().date())
        wish = Wish(town["jam"], pieces, pieces, 520, 50)
        place_order(db, town["pool"], [wish], household_id=household, by=0, at=now(), key=f"o-{n}-{len(wishes)}")


def plan_jam(db, town, planned, pessimistic=None):
    with db.begin() as session:
        session.execute(
            text(
                "UPDATE batch SET planned = :planned, pessimistic = :badly WHERE id = (SELECT batch_id FROM offering WHERE id = :jam)"
            ),
            {"planned": planned, "badly": pessimistic, "jam": town["jam"]},
        )


def forecasts(browser, town):
    return re.findall(r"<b>Forecast:</b> ([^<]*)</p>", unescape(browser.get(f"/pools/{town['pool']}").text))


def test_a_saved_wish_says_what_it_would_come_to_as_things_stand(db, ana, town):
    order(ana, town, **{f"wish__{town['jam']}": "2", f"wish__{town['gin']}": "1"})
    others_wish(db, town, 4, 4, 4)
    # 14 wished. 110 planned, 88 if it goes badly: everybody is served. Of the gin nobody else ordered anything.
    assert forecasts(ana, town) == ["you'll get all 2"]
    # 8 planned, 6 if it goes badly (four fifths, rounded down), all of one weight: 2 each, or 1.5 each.
    plan_jam(db, town, 8)
    assert forecasts(ana, town) == ["likely 1, maybe 2"]
    # The maker says 4 if it goes badly: 1 each, which no draw decides.
    plan_jam(db, town, 8, pessimistic=4)
    assert forecasts(ana, town) == ["likely 1, maybe 2"]
    # 3 for four that stand level: a draw decides about the last of them, whatever is made.
    plan_jam(db, town, 3, pessimistic=3)
    assert forecasts(ana, town) == ["likely none, maybe 1"]
    page = ana.get(f"/pools/{town['pool']}").text
    assert "It is no promise." in page


def test_a_reported_yield_takes_the_place_of_the_plan(db, ana, town):
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    others_wish(db, town, 4, 4, 4)
    with db() as session:
        batch = session.scalar(text("SELECT batch_id FROM offering WHERE id = :id"), {"id": town["jam"]})
    batches.report_yield(db, batch, pieces=4, by=0, at=now(), key="jam")
    assert forecasts(ana, town) == ["likely 1"]


def test_nothing_is_forecast_where_it_would_tell_what_somebody_wished_for(db, ana, client_as, town):
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    plan_jam(db, town, 3)
    others_wish(db, town, 4, 4)
    assert forecasts(ana, town) == []
    others_wish(db, town, 4)
    assert len(forecasts(ana, town)) == 1
    assert forecasts(client_as("member"), town) == []  # who wished for nothing is told nothing


def test_nothing_is_forecast_once_orders_are_closed(db, ana, town):
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    others_wish(db, town, 4, 4, 4)
    pools.close_pool(db, town["pool"], by=0, at=now(), reason="for the test")
    assert forecasts(ana, town) == []


def test_a_wish_withdrawn_while_its_page_is_read_is_forecast_no_more(db, ana, town):
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    others_wish(db, town, 4, 4, 4)
    with db() as session:
        read = pool_page(session, town["pool"], ana.household_id, "", number=1, at=now())
        assert list(prospects_of(session, read, ana.household_id)) == [town["jam"]]
    order(ana, town, **{f"wish__{town['jam']}": "0"})
    with db() as session:
        assert prospects_of(session, read, ana.household_id) == {}


def test_forecasts_keep_the_page_within_its_queries(db, ana, town, queries_of):
    order(ana, town, **{f"wish__{town['jam']}": "2", f"wish__{town['gin']}": "1"})
    others_wish(db, town, 4, 4, 4)
    assert queries_of(lambda: forecasts(ana, town)) <= 12


def test_a_forecast_follows_what_others_ask_for(db, ana, town):
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    others_wish(db, town, 4, 4, 4)
    plan_jam(db, town, 8, pessimistic=8)
    # 8 for four alike are 2 each; with two more who wish for 4 they are 1.33 each, so 1 is sure and a draw decides about another
    assert forecasts(ana, town) == ["you'll get all 2"]
    others_wish(db, town, 4, 4)
    assert forecasts(ana, town) == ["likely 1, maybe 2"]


def test_a_forecast_follows_where_households_stand_and_what_they_weigh(db, ana, town):
    """3 pieces for four who wish for more than that: what is owed to Ana, and what she weighs, decides whether she gets 0, 1 or 2."""
    order(ana, town, **{f"wish__{town['jam']}": "2"})
    others_wish(db, town, 4, 4, 4)
    plan_jam(db, town, 3, pessimistic=3)
    told = []

    def after(statement=None):
        if statement:
            with db.begin() as session:
                session.execute(text(statement), {"ana": ana.household_id} | town)
        told.extend(forecasts(ana, town))

    after()  # 0.75 each, and a draw
    after("INSERT INTO standing (season_id, family, household_id, owed_micro) VALUES (:season, 'all', :ana, 500000)")
    after("UPDATE standing SET owed_micro = 1500000 WHERE household_id = :ana")
    after("UPDATE season SET rule = 'cea/webster@1', memory = 'none' WHERE id = :season")
    after("UPDATE season SET rule = 'cea/standing@1', memory = 'rounding' WHERE id = :season")
    after("UPDATE product SET family = 'jams' WHERE id = (SELECT product_id FROM offering WHERE id = :jam)")
    after("DELETE FROM standing")
    after(
        "INSERT INTO season_share (size_id, household_id, taken_at, taken_by)"
        " SELECT :size, :ana, opened_at - interval '1 hour', 0 FROM pool WHERE id = :pool"
    )
    after("UPDATE share_size SET weight = 4 WHERE id = :size")  # 12 of 7 parts are 1.71, the others have 0.43 each
    after("UPDATE season SET guest_weight = 4 WHERE id = :season")
    after("UPDATE season SET guest_weight = 1 WHERE id = :season")
    after("UPDATE pool SET opened_at = opened_at - interval '2 hours' WHERE id = :pool")
    after("UPDATE season_share SET taken_at = taken_at - interval '2 hours'")
    after("UPDATE season_share SET ended_at = taken_at + interval '1 minute'")
    draw, one, two = "likely none, maybe 1", "likely 1", "you'll get all 2"
    owed = [draw, one, two, draw, two, draw, draw]
    assert told == [*owed, one, two, draw, two, draw, two, draw]


def test_the_order_page_shows_at_once_what_changed_of_a_batch(db, ana, town):
    path = f"/pools/{town['pool']}"
    assert "Quince jelly" not in ana.get(path).text
    with db.begin() as session:
        renamed = (
            "UPDATE product SET name = 'Quince jelly' WHERE id = (SELECT product_id FROM offering WHERE id = :jam)"
        )
        session.execute(text(renamed), {"jam": town["jam"]})
    assert "Quince jelly" in ana.get(path).text
    refused = order(ana, town, **{f"wish__{town['jam']}": "a dozen"})
    assert (refused.status_code, "a dozen" in refused.text) == (422, True)
    assert "a dozen" not in ana.get(path).text


def test_home_says_what_share_one_holds_or_waits_for(db, ana, town):
    assert "full share" not in ana.get("/").text.lower().split("where you stand")[1]
    with db.begin() as session:
        name = session.scalar(text("SELECT name FROM share_size WHERE id = :id"), {"id": town["size"]})
        for household in (a_household(session, "Before Ana"), ana.household_id, a_household(session, "After Ana")):
            session.add(ShareWait(size_id=town["size"], household_id=household, since=now()))
            session.flush()
    stands = unescape(ana.get("/").text).split("Where you stand")[1]
    assert (f"{name.capitalize()} share" in stands, "waiting, place 2" in stands) == (True, True)
    with db.begin() as session:
        session.execute(text("UPDATE share_wait SET ended_at = now(), outcome = 'left'"))
        session.add(SeasonShare(size_id=town["size"], household_id=ana.household_id, taken_at=now(), taken_by=0))
    stands = unescape(ana.get("/").text).split("Where you stand")[1]
    assert (f"{name.capitalize()} share" in stands, "paid" in stands, "waiting" in stands) == (True, True, False)
