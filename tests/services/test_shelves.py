"""In which order a pool's batches stand: kept from look to look, and another at once when anything changes that decides it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import event, text

from coop.orders.queries import pool_page
from coop.orders.service import place_order
from coop.pools import service as pools
from coop.wishes.service import Wish
from tests.builders import NOW, a_household, a_pool, a_product, a_season, an_artisan, an_offering, give_credit


@pytest.fixture
def table(db):
    """A planned pool with soap of the apiary, then jam and chutney of the orchard; and Ana, who has credit."""
    with db.begin() as session:
        pool = a_pool(session, a_season(session))
        orchard, apiary = an_artisan(session, "orchard lane"), an_artisan(session, "Apiary Hill")
        jam, soap = a_product(session, orchard, "Damson jam"), a_product(session, apiary, "soap")
        chutney = a_product(session, orchard, "chutney")
        offered = {name: an_offering(session, pool, one) for name, one in (("jam", jam), ("soap", soap), ("chutney", chutney))}  # fmt: skip
        ana = a_household(session)
        give_credit(session, ana, 90_000)
    return SimpleNamespace(pool=pool, orchard=orchard, apiary=apiary, product=jam, ana=ana, **offered)


def looked_at(db, table, sought="", number=1):
    """Return the batches of the page in its order, each with its heading."""
    with db() as session:
        page = pool_page(session, table.pool, table.ana, sought, number=number, at=NOW)
    shown = [(group.heading, offer.product) for group in page.groups for offer in group.offers]
    assert number > 1 or page.part.total == len(shown)
    return shown


def execute(db, statement, **named):
    with db.begin() as session:
        session.execute(text(statement), named)


AS_IT_IS = [("Apiary Hill", "soap"), ("orchard lane", "chutney"), ("orchard lane", "Damson jam")]
"""Makers and products by their names, capital letters or not."""


def test_makers_stand_by_name_and_their_products_by_name(db, table):
    assert looked_at(db, table) == AS_IT_IS
    assert looked_at(db, table, number=2) == []
    assert looked_at(db, table, "LANE") == AS_IT_IS[1:]
    assert looked_at(db, table, "jam") == AS_IT_IS[2:]


def test_two_lots_of_a_product_stand_as_they_were_offered(db, table):
    with db.begin() as session:
        an_offering(session, table.pool, table.product, planned=7)
    with db() as session:
        (_, orchard) = pool_page(session, table.pool, table.ana, "", number=1, at=NOW).groups
    assert [offer.planned for offer in orchard.offers] == [110, 110, 7]


def test_what_a_household_ordered_stands_first_for_it_alone(db, table):
    pools.open_pool(db, table.pool, by=0, at=NOW)
    with db.begin() as session:
        ben = a_household(session, "Ben")
    place_order(db, table.pool, [Wish(table.jam, 2, 2, 520, 0)], household_id=table.ana, by=0, at=NOW, key="k")
    assert looked_at(db, table) == [("In your order", "Damson jam"), *AS_IT_IS[:2]]
    assert looked_at(db, SimpleNamespace(pool=table.pool, ana=ben)) == AS_IT_IS


def renames_a_maker(db, table):
    execute(db, "UPDATE artisan SET name = 'Zeta hives' WHERE id = :id", id=table.apiary)
    return [*AS_IT_IS[1:], ("Zeta hives", "soap")]


def renames_a_product(db, table):
    execute(db, "UPDATE product SET name = 'Apple jam' WHERE id = :id", id=table.product)
    return [AS_IT_IS[0], ("orchard lane", "Apple jam"), AS_IT_IS[1]]


def gives_a_product_to_another_maker(db, table):
    execute(db, "UPDATE product SET artisan_id = :to WHERE id = :id", id=table.product, to=table.apiary)
    return [("Apiary Hill", "Damson jam"), *AS_IT_IS[:2]]


def offers_more(db, table):
    with db.begin() as session:
        an_offering(session, table.pool, a_product(session, table.apiary, "candles"))
    return [("Apiary Hill", "candles"), *AS_IT_IS]


def withdraws(db, table):
    pools.withdraw_offering(db, table.pool, table.soap, by=0)
    return AS_IT_IS[1:]


def offers_another_product_instead(db, table):
    with db.begin() as session:
        candles = a_product(session, table.apiary, "candles")
    execute(db, "UPDATE offering SET product_id = :candles WHERE id = :id", candles=candles, id=table.jam)
    return [("Apiary Hill", "candles"), *AS_IT_IS[:2]]


def moves_it_to_another_pool(db, table):
    with db.begin() as session:
        other = a_pool(session, a_season(session, "Winter"), "January")
    execute(db, "UPDATE offering SET pool_id = :other WHERE id = :id", other=other, id=table.jam)
    return AS_IT_IS[:2]


CHANGES = (
    renames_a_maker,
    renames_a_product,
    gives_a_product_to_another_maker,
    offers_more,
    withdraws,
    offers_another_product_instead,
    moves_it_to_another_pool,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_very_next_look_shows_what_changed(db, table, change):
    assert looked_at(db, table) == AS_IT_IS
    expected = change(db, table)
    assert looked_at(db, table) == expected


def test_what_is_undone_was_never_shown_to_others(fresh_db):
    """A version is seen only with the change that it stands for."""
    db = fresh_db
    with db.begin() as session:
        pool = a_pool(session, a_season(session))
        an_offering(session, pool, a_product(session, an_artisan(session, "Orchard"), "jam"))
        table = SimpleNamespace(pool=pool, ana=a_household(session))
    with db() as session:
        an_offering(session, pool, a_product(session, an_artisan(session, "Apiary"), "soap"))
        assert looked_at(db, table) == [("Orchard", "jam")]
        own = pool_page(session, pool, table.ana, "", number=1, at=NOW).groups
        assert [group.heading for group in own] == ["Apiary", "Orchard"]
        session.rollback()
    assert looked_at(db, table) == [("Orchard", "jam")]


def test_the_order_is_read_once_for_everybody(db, table):
    seen: list[str] = []

    def note(_connection, _cursor, statement: str, *_more) -> None:
        seen.append(statement)

    with db.begin() as session:
        ben = a_household(session, "Ben")
    looked_at(db, table)
    engine = db.kw["bind"].engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert looked_at(db, SimpleNamespace(pool=table.pool, ana=ben)) == AS_IT_IS
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert not [statement for statement in seen if "array_agg(f.id" in statement]
