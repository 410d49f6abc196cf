"""A maker sees the demand, reports a yield and corrects it; an admin plans seasons and keeps what was agreed with makers."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from coop.agreements.models import BankDetails
from coop.batches.models import Batch, YieldReport
from coop.catalog.models import Artisan, ContainerType, Product
from coop.clock import now
from coop.fees.models import ArtisanTerms, AskedTerms
from coop.orders.service import place_order
from coop.pools import service as pools
from coop.pools.models import Offering
from coop.seasons.models import Season, ShareSize
from coop.wishes.service import Wish
from tests.builders import a_batch, a_household, a_pool, a_product, a_season, an_artisan, an_offering


@pytest.fixture
def kiln(db):
    """Kiln Street with 36 cups planned, of which Ana wishes 40 and would take 44; and Orchard Lane beside it."""
    with db.begin() as session:
        maker = an_artisan(session, "Kiln Street Pottery")
        other = an_artisan(session, "Orchard Lane Preserves")
        season = a_season(session, starts=now().date() - timedelta(days=30), ends=now().date() + timedelta(days=60))
        pool = a_pool(session, season, closes_at=now() + timedelta(days=2))
        cup = a_product(session, maker, "Salt-glaze cup", unit=("cup", "cups"))
        offering = an_offering(session, pool, cup, planned=36, price_minor=100)
        batch = session.scalar(select(Batch.id))
        ana = a_household(session, "Ana", credit_minor=10_000)
    pools.open_pool(db, pool, by=0, at=now())
    place_order(db, pool, [Wish(offering, 40, 44, 100)], household_id=ana, by=1, at=now(), key="k" * 16)
    return {"maker": maker, "other": other, "batch": batch, "cup": cup, "pool": pool}


@pytest.fixture
def tomas(client_as, kiln):
    return client_as("artisan", artisan_id=kiln["maker"])


def reports(db):
    with db() as session:
        rows = session.execute(
            select(YieldReport.pieces, YieldReport.broken, YieldReport.reason).order_by(YieldReport.n)
        )
        return [tuple(row) for row in rows]


def test_a_maker_sees_what_members_want(tomas, kiln):
    assert tomas.get("/").location == "/workshop"
    board = tomas.get("/workshop").text
    assert "Salt-glaze cup" in board
    assert "short 4" in board
    page = tomas.get(f"/workshop/batches/{kiln['batch']}").text
    assert "members want 40" in page
    assert "up to 44" in page


def test_a_maker_reports_a_yield_and_corrects_it_with_a_reason(db, tomas, kiln):
    path = f"/batches/{kiln['batch']}/yield"
    assert "Cups that passed your check" in tomas.get(path).text
    sent = tomas.fill(path, {"pieces": "41", "broken": "2"})
    assert (sent.status_code, sent.location) == (303, f"/workshop/batches/{kiln['batch']}")
    assert "everyone will be served" in tomas.get(sent.location).text
    refused = tomas.fill(path, {"pieces": "38"})
    assert refused.status_code == 422
    assert "why the number changes" in refused.text
    assert 'value="38"' in refused.text
    tomas.fill(path, {"pieces": "38", "reason": "three cracked in the cold"})
    assert reports(db) == [(41, 2, None), (38, 0, "three cracked in the cold")]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"pieces": ""}, "whole number"),
        ({"pieces": "-1"}, "whole number"),
        ({"pieces": "3.5"}, "whole number"),
        ({"pieces": "1000001"}, "0 to 1000000"),
        ({"pieces": "3", "made_on": "2026-02-30"}, "day that exists"),
        ({"pieces": "3", "made_on": "9999-01-01"}, "01/01/2000 to 31/12/2099"),
        ({"pieces": "3", "made_on": "2099-01-01"}, "still to come"),
        ({"pieces": "3", "made_on": "2026-11-20", "best_before": "2026-11-19"}, "Best before comes after"),
    ],
)
def test_a_yield_that_cannot_be_is_refused_and_nothing_is_stored(db, tomas, kiln, typed, sentence):
    answer = tomas.fill(f"/batches/{kiln['batch']}/yield", typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert reports(db) == []


def test_a_batch_of_another_maker_is_as_unknown_as_none(client_as, kiln):
    mia = client_as("artisan", artisan_id=kiln["other"])
    for path in (
        f"/batches/{kiln['batch']}/yield",
        f"/workshop/batches/{kiln['batch']}",
        f"/batches/{kiln['batch']}/story",
    ):
        assert mia.get(path).status_code == 404, path
        assert mia.get(path.replace(str(kiln["batch"]), "999999")).status_code == 404, path
    assert mia.get(f"/makers/{kiln['maker']}/batches/new").status_code == 404
    assert mia.press(f"/batches/{kiln['batch']}/start").status_code == 404
    assert "Salt-glaze" not in mia.get("/workshop").text


def test_a_maker_plans_a_batch_says_it_is_in_work_and_tells_its_story(db, tomas, visitor, kiln):
    plan = f"/makers/{kiln['maker']}/batches/new"
    made = tomas.fill(plan, {"product": str(kiln["cup"]), "lot_number": "K-7", "planned": "24"})
    assert made.status_code == 303
    batch = int(made.location.rpartition("/")[2])
    assert tomas.press(f"/batches/{batch}/start").status_code == 303
    assert tomas.fill(f"/batches/{batch}/story", {"story": "Two nights of wood.\n\nThen patience."}).status_code == 303
    page = visitor.get(f"/batches/{batch}").text
    assert "in work" in page
    assert "Then patience." in page
    typed = {"product": str(kiln["cup"]), "lot_number": "K-8", "planned": "24", "pessimistic": "25"}
    refused = tomas.fill(plan, typed)
    assert refused.status_code == 422
    assert "If it goes badly there will be no more than the 24 you plan." in refused.text
    assert 'value="25"' in refused.text
    kept = tomas.fill(plan, typed | {"pessimistic": "18"})
    assert re.search(r"If it goes badly</dt>\s*<dd>\s*18", tomas.get(kept.location).text)
    again = tomas.fill(plan, {"product": str(kiln["cup"]), "lot_number": "K-7", "planned": "24"})
    assert again.status_code == 422
    assert "K-7" in again.text


def test_the_workshop_asks_few_queries(tomas, kiln, queries_of):
    for path in ("/workshop", f"/workshop/batches/{kiln['batch']}", f"/batches/{kiln['batch']}/yield"):
        tomas.get(path)
        assert queries_of(lambda path=path: tomas.get(path)) <= 12, path


def test_an_admin_plans_a_season_with_its_sizes(db, client_as):
    jun = client_as("admin")
    season = {"name": "Winter 2030", "starts": "2030-01-01", "ends": "2030-03-31", "guest_weight": "1"}
    planned = jun.fill("/seasons/new", season)
    assert planned.status_code == 303
    size = {"name": "half", "weight": "1", "price": "160.00", "cap": "12", "line": "For one or two."}
    assert jun.fill(planned.location, size).status_code == 303
    assert "€160.00" in jun.get(planned.location).text
    with db() as session:
        row = session.execute(select(ShareSize.weight, ShareSize.price_minor, ShareSize.cap)).one()
        assert tuple(row) == (1, 16_000, 12)
        assert len(session.scalars(select(Season.secret_hash)).one()) == 64


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"ends": "2029-12-31"}, "ends after it starts"),
        ({"ends": "2030-01-01"}, "ends after it starts"),
        ({"name": " "}, "fill in: Name of the season"),
        ({"name": "x" * 121}, "keep to 120"),
        ({"starts": "2001-01-01", "ends": "2001-03-31"}, "not ended yet"),
        ({"guest_weight": "0"}, "1 to 32767"),
    ],
)
def test_a_season_that_cannot_be_is_refused(db, client_as, typed, sentence):
    season = {"name": "Winter 2030", "starts": "2030-01-01", "ends": "2030-03-31", "guest_weight": "1"}
    answer = client_as("admin").fill("/seasons/new", season | typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    with db() as session:
        assert session.scalar(select(func.count()).select_from(Season)) == 0


def test_an_admin_takes_a_maker_in_and_lists_a_product(db, client_as):
    jun = client_as("admin")
    made = jun.fill(
        "/makers/new",
        {"name": "Heather & Comb", "craft": "honey", "town": "Moor End", "distance_km": "17", "fee": "12"},
    )
    assert made.status_code == 303
    treasurer = client_as("treasurer")
    assert treasurer.fill("/money/containers/new", {"name": "jar 0.5 l", "deposit": "0.50"}).status_code == 303
    with db() as session:
        jar = session.scalars(select(ContainerType.id)).one()
    product = {"name": "Heather honey", "unit_one": "jar", "unit_many": "jars", "family": "honey", "container": jar}
    assert jun.fill(made.location.replace("agreement", "products/new"), product).status_code == 303
    with db() as session:
        assert session.scalars(select(ArtisanTerms.fee_bp)).all() == [1200]
        assert session.scalars(select(Product.deposit_minor)).all() == [50]
    assert "Heather honey" in jun.get(made.location).text


@pytest.fixture
def asked_terms(db, client_as, kiln):
    """Ask for terms as one admin; return the browser, the answer, and the number of what waits."""

    def ask(**typed):
        jun, begins = client_as("admin"), (now() + timedelta(days=1)).date()
        sent = jun.fill(f"/makers/{kiln['maker']}/terms", {"effective_from": begins.isoformat()} | typed)
        assert sent.status_code == 303, sent.text
        with db() as session:
            return jun, sent, session.scalar(select(func.max(AskedTerms.id)))

    return ask


def test_terms_of_resale_ask_for_what_the_maker_gets_for_a_piece(db, client_as, kiln, asked_terms):
    jun, agreed = client_as("admin"), {"model": "resale", "fee": "0", "price_tax": "19"}
    begins = {"effective_from": (now() + timedelta(days=1)).date().isoformat()}
    path = f"/makers/{kiln['maker']}/terms"
    assert "Where the co-op itself sells there is no fee" in jun.fill(path, agreed | begins | {"fee": "10"}).text
    assert "so no tax in it" in jun.fill(path, agreed | begins | {"fee_tax": "19"}).text
    _, _, asked = asked_terms(**agreed)
    done = jun.press(f"/makers/terms/{asked}/approval")
    assert done.status_code == 303
    assert "the co-op buys and sells on" in jun.get(done.location).text
    with db.begin() as session:
        session.execute(text("UPDATE artisan_terms SET effective_from = now() WHERE model = 'resale'"))
        pool = a_pool(session, a_season(session, "Winter 2026"), "Winter pool", closes_at=now() + timedelta(days=9))
        product = session.scalar(select(Batch.product_id).where(Batch.id == kiln["batch"]))
        batch = a_batch(session, product)
    path = f"/admin/pools/{pool}/batches/{batch}"
    offered = {"price": "23.80", "rule": "", "surplus": "next_pool"}
    refused = jun.fill(path, offered)
    assert (refused.status_code, "give what the maker gets for a piece" in refused.text) == (422, True)
    assert jun.fill(path, offered | {"cost": "12"}).status_code == 303
    with db() as session:
        assert session.scalars(select(Offering.cost_minor).where(Offering.batch_id == batch)).all() == [1200]


def test_an_admin_asks_for_terms_and_another_lets_them_count(db, client_as, kiln, asked_terms):
    jun, sent, asked = asked_terms(model="agent", fee="15", fee_tax="19", price_tax="7")
    told = re.sub(r"\s+", " ", jun.get(sent.location).text)
    assert "co-op fee 15%, with 19% tax inside; tax inside the price 7%" in told
    assert "so a second person lets them count: another admin" in told
    assert "Let these terms count" not in told
    own = jun.press(f"/makers/terms/{asked}/approval")
    assert (own.status_code, "not the one who asked" in own.text) == (403, True)
    assert client_as("treasurer").press(f"/makers/terms/{asked}/approval").status_code == 403
    with db() as session:
        assert session.scalars(select(ArtisanTerms.fee_bp).where(ArtisanTerms.artisan_id == kiln["maker"])).all() == [1000]  # fmt: skip
    ada = client_as("admin")
    page = ada.get(sent.location).text
    assert ("Let these terms count" in page, "waits for a second person" in page) == (True, True)
    let = ada.press(f"/makers/terms/{asked}/approval")
    assert (let.status_code, let.location) == (303, sent.location)
    page = ada.get(let.location).text
    assert ("the maker is told by mail" in page, "waits for a second person" in page) == (True, False)
    assert ada.press(f"/makers/terms/{asked}/withdrawal").status_code == 422
    with db() as session:
        own = select(ArtisanTerms.fee_bp).where(ArtisanTerms.artisan_id == kiln["maker"]).order_by(ArtisanTerms.id)
        assert session.scalars(own).all() == [1000, 1500]


def test_who_asked_for_terms_takes_them_back(client_as, asked_terms):
    jun, sent, asked = asked_terms(fee="15")
    back = jun.press(f"/makers/terms/{asked}/withdrawal")
    assert (back.status_code, back.location) == (303, sent.location)
    page = jun.get(back.location).text
    assert ("Taken back" in page, "waits for a second person" in page) == (True, False)
    late = client_as("admin").press(f"/makers/terms/{asked}/approval")
    assert (late.status_code, "decided already" in late.text) == (422, True)


def test_an_admin_of_the_workshop_is_not_asked_to_let_its_terms_count(client_as, kiln, asked_terms):
    _, sent, asked = asked_terms(fee="0")
    tomas = client_as("admin", "artisan", artisan_id=kiln["maker"])
    page = tomas.get(sent.location).text
    assert ("You belong to this workshop" in page, "Let these terms count" in page) == (True, False)
    answer = tomas.press(f"/makers/terms/{asked}/approval")
    assert (answer.status_code, "does not belong to this workshop" in answer.text) == (403, True)


def test_terms_that_cannot_be_are_refused_as_typed(db, client_as, kiln, asked_terms):
    asked_terms(fee="15")
    jun, path = client_as("admin"), f"/makers/{kiln['maker']}/terms"
    tomorrow, yesterday = ((now() + timedelta(days=days)).date().isoformat() for days in (1, -1))
    for typed, sentence in (
        ({"fee": "12", "effective_from": tomorrow}, "wait for a second person already"),
        ({"fee": "12", "effective_from": yesterday}, "begin on a day to come"),
        ({"fee": "12", "fee_tax": "51", "effective_from": tomorrow}, "50"),
        ({"fee": "51", "effective_from": tomorrow}, "50"),
        ({"fee": "12", "effective_from": "tomorrow"}, "day"),
    ):
        refused = jun.fill(path, typed)
        assert (refused.status_code, sentence in refused.text) == (422, True), typed
        assert f'value="{typed["fee"]}"' in refused.text
    with db() as session:
        assert session.scalar(select(func.count()).select_from(AskedTerms)) == 1


def test_terms_whose_day_came_while_they_waited_say_what_to_do(db, client_as, asked_terms):
    _, _, asked = asked_terms(fee="15")
    with db.begin() as session:
        session.execute(text("UPDATE asked_terms SET effective_from = now() - interval '1 hour'"))
    late = client_as("admin").press(f"/makers/terms/{asked}/approval")
    assert (late.status_code, "Take them back, and ask for them anew" in late.text) == (422, True)


@pytest.mark.parametrize("fee", ["51", "-1", "1.555", ""])
def test_a_fee_outside_its_bounds_is_refused_in_the_form(db, client_as, fee):
    assert client_as("admin").fill("/makers/new", {"name": "Heather & Comb", "fee": fee}).status_code == 422
    with db() as session:
        assert session.scalars(select(Artisan.id)).all() == []


@pytest.mark.parametrize(("container", "each"), [("999999", "1"), ("-1", "1"), ("x", "1"), ("0", "0"), ("0", "1.5")])
def test_a_container_that_is_not_offered_is_refused(db, client_as, kiln, container, each):
    product = {"name": "Bowl", "unit_one": "bowl", "unit_many": "bowls", "container": container}
    sent = client_as("admin").fill(f"/makers/{kiln['maker']}/products/new", product | {"containers_each": each})
    assert sent.status_code == 422


def test_bank_details_are_kept_sealed_and_shown_by_their_ending(db, client_as, kiln):
    path = f"/makers/{kiln['maker']}/bank-details"
    treasurer = client_as("treasurer")
    refused = treasurer.fill(path, {"holder": "Kiln Street", "iban": "GB29 NWBK 6016 1331 9268 18"})
    assert refused.status_code == 422
    assert "check digits" in refused.text
    kept = treasurer.fill(path, {"holder": "Kiln Street", "iban": "GB29 NWBK 6016 1331 9268 19"})
    assert kept.status_code == 303
    page = treasurer.get(kept.location).text
    assert "rests for 14 days before anything is paid to it" in page
    assert "a second person lets it count" in page
    with db() as session:
        details = session.scalars(select(BankDetails.id)).one()
    own = treasurer.press(f"/makers/bank-details/{details}/approval")
    assert (own.status_code, "not the one who asked" in own.text) == (403, True)
    other = client_as("admin")
    assert "Let this account count" in other.get(f"/makers/{kiln['maker']}/agreement").text
    let = other.press(f"/makers/bank-details/{details}/approval")
    assert (let.status_code, let.location) == (303, f"/makers/{kiln['maker']}/agreement")
    assert "waits for a second person" not in other.get(let.location).text
    assert other.press(f"/makers/bank-details/{details}/withdrawal").status_code == 422
    assert "6819" in page
    assert "9268" not in page
    with db() as session:
        assert session.scalars(select(BankDetails.iban_ending)).all() == ["6819"]


def test_bank_details_ask_for_the_password_again_after_a_while(db, client_as, kiln):
    treasurer = client_as("treasurer")
    with db.begin() as session:
        session.execute(text("UPDATE sign_in SET confirmed_at = confirmed_at - interval '11 minutes'"))
    answer = treasurer.get(f"/makers/{kiln['maker']}/bank-details")
    assert answer.status_code == 303
    assert answer.location.startswith("/confirm")


def test_pages_of_the_office_are_not_for_members(client_as, kiln):
    ana = client_as("member")
    for path in ("/seasons", "/seasons/new", "/makers/new", f"/makers/{kiln['maker']}/agreement", "/workshop"):
        assert ana.get(path).status_code == 403, path
