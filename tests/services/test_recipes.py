"""Recipes of season shares: what they order by themselves, for whom, once, and what is told; and the most an order may cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop import jobs
from coop.core.claims import TOGETHER_RULE
from coop.core.errors import NotFound, RuleBroken
from coop.core.recipes import OnOffer
from coop.orders.models import HouseholdOrder, OrderLine
from coop.orders.service import Bound, place_order
from coop.places import service as places
from coop.pools import service as pools
from coop.recipes import service as recipes
from coop.seasons import service as seasons
from coop.seasons.models import RecipeLine
from coop.wishes.service import Wish
from tests.builders import NOW, a_household, a_pool, a_product, a_season, a_size, an_artisan, an_offering, give_credit
from tests.rounds import work_off

GIN, JAM, POT = 3400, 520, 2400
OPENED = NOW - timedelta(hours=1)


class Town:
    """Ana and Ben hold a full share, Cleo a small one, Dov none; the recipe of the full share is 1 gin or 2 jams, and 1 pot."""

    def __init__(self, db):
        self.db, self.n = db, 0
        with db.begin() as session:
            people = ("Ana", "Ben", "Cleo", "Dov")
            self.ana, self.ben, self.cleo, self.dov = (
                a_household(session, name, credit_minor=20_000) for name in people
            )
            self.season = a_season(session)
            self.full = a_size(session, self.season, "full", price_minor=0)
            self.small = a_size(session, self.season, "small", weight=1, price_minor=0)
            maker = an_artisan(session)
            self.gin, self.jam, self.honey, self.pot = (
                a_product(session, maker, name) for name in ("Gin", "Jam", "Honey", "Pot")
            )
            self.pool = a_pool(session, self.season, "November")
        for household, size in ((self.ana, self.full), (self.ben, self.full), (self.cleo, self.small)):
            places.take_share(db, size, household_id=household, by=1, at=NOW - timedelta(days=3), key=self.key())
        first = self.add(self.gin, 1)
        self.add(self.jam, 2, instead_of=first)
        self.add(self.pot, 1)

    def key(self):
        self.n += 1
        return f"key-{self.n}"

    def add(self, product, pieces, *, size=None, instead_of=None):
        """Put a line into the recipe; returns its part."""
        line = seasons.add_to_recipe(
            self.db, size or self.full, product_id=product, pieces=pieces, part=instead_of, by=1, key=self.key()
        )
        with self.db() as session:
            return session.get_one(RecipeLine, line).part

    def offer(self, product, price, **more):
        with self.db.begin() as session:
            return an_offering(session, self.pool, product, price_minor=price, **more)

    def open(self):
        pools.open_pool(self.db, self.pool, by=0, at=OPENED)

    def work(self, at=NOW):
        work_off(self.db, jobs.APPLY_RECIPES, self.pool, lambda db, lease: recipes.carry_out(db, replace(lease, at=at)))

    def lines(self, household):
        with self.db() as session:
            rows = session.execute(
                select(OrderLine.offering_id, OrderLine.wish, OrderLine.up_to, OrderLine.choice, OrderLine.rank)
                .join(HouseholdOrder)
                .where(HouseholdOrder.household_id == household, OrderLine.up_to > 0)
            )
            return {row.offering_id: tuple(row[1:]) for row in rows}

    def outcomes(self):
        with self.db() as session:
            rows = session.execute(select(HouseholdOrder.household_id, HouseholdOrder.recipe))
            return dict(rows.all())

    def letters(self):
        with self.db() as session:
            rows = session.execute(
                text("SELECT template, values ->> 'name' AS name FROM notice WHERE template LIKE 'recipe%' ORDER BY id")
            )
            return [tuple(row) for row in rows]

    def held(self, household):
        with self.db() as session:
            sums = "SELECT -coalesce(sum(p.amount), 0) FROM account a JOIN posting p ON p.account_id = a.id WHERE a.code = 2020 AND a.party = :party"
            return int(session.scalar(text(sums), {"party": f"household:{household}"}))


@pytest.fixture
def town(db):
    return Town(db)


def refusal(call):
    with pytest.raises(RuleBroken) as refused:
        call()
    return refused.value.code


def test_a_recipe_orders_for_those_who_held_its_share_and_credit_is_held(town):
    gin, pot = town.offer(town.gin, GIN), town.offer(town.pot, POT)
    town.offer(town.jam, JAM)
    town.open()
    town.work()
    asked = {gin: (1, 1, None, None), pot: (1, 1, None, None)}
    assert [town.lines(one) for one in (town.ana, town.ben, town.cleo, town.dov)] == [asked, asked, {}, {}]
    assert town.held(town.ana) == GIN + POT
    assert town.outcomes() == {town.ana: "written", town.ben: "written"}
    assert town.letters() == [("recipe_ordered", "Ana"), ("recipe_ordered", "Ben")]


def test_a_pool_without_gin_has_the_jams_asked_for_and_one_with_nothing_of_a_recipe_no_order(town):
    jam = town.offer(town.jam, JAM)
    town.open()
    town.work()
    assert town.lines(town.ana) == {jam: (2, 2, None, None)}
    assert town.letters() == [("recipe_ordered", "Ana"), ("recipe_ordered", "Ben")]


def test_nothing_of_a_recipe_on_offer_is_no_order_and_no_letter(town):
    town.offer(town.honey, 900)
    town.open()
    town.work()
    assert town.outcomes() == {}
    assert town.letters() == []


def test_alternatives_of_equal_number_are_a_ranked_choice_that_holds_its_dearest_outcome(town):
    part = town.add(town.jam, 2, size=town.small)
    town.add(town.honey, 2, size=town.small, instead_of=part)
    jam, honey = (
        town.offer(product, price, rule=TOGETHER_RULE) for product, price in ((town.jam, JAM), (town.honey, 900))
    )
    town.open()
    town.work()
    assert town.lines(town.cleo) == {jam: (2, 2, 1, 1), honey: (2, 2, 1, 2)}
    assert town.held(town.cleo) == 2 * 900


def test_two_shares_of_a_household_ask_for_both_recipes(town):
    town.add(town.pot, 2, size=town.small)
    places.take_share(town.db, town.small, household_id=town.ana, by=1, at=NOW - timedelta(days=2), key="both")
    pot = town.offer(town.pot, 100)
    town.open()
    town.work()
    assert town.lines(town.ana) == {pot: (3, 3, None, None)}


def test_repeated_or_interrupted_work_orders_and_tells_once(town):
    gin = town.offer(town.gin, GIN)
    town.open()
    offered = [OnOffer(gin, town.gin, None, False)]
    with town.db.begin() as session:  # a worker that died after the first household
        recipes.apply_recipe(session, town.pool, town.ana, offered, at=NOW)
    town.work()
    with town.db.begin() as session:
        recipes.apply_recipe(session, town.pool, town.ana, offered, at=NOW)
    assert [town.held(one) for one in (town.ana, town.ben)] == [GIN, GIN]
    assert town.letters() == [("recipe_ordered", "Ana"), ("recipe_ordered", "Ben")]


def test_who_has_ordered_already_or_took_everything_back_is_left_alone(town):
    gin = town.offer(town.gin, GIN)
    town.open()
    for key, pieces in (("one", 2), ("two", 0)):
        place_order(
            town.db, town.pool, [Wish(gin, pieces, pieces, GIN)], household_id=town.ana, by=1, at=OPENED, key=key
        )
    town.work()
    assert town.lines(town.ana) == {}
    assert town.outcomes() == {town.ana: None, town.ben: "written"}


def test_what_a_recipe_ordered_may_be_changed_and_taken_back(town):
    gin, jam = town.offer(town.gin, GIN), town.offer(town.jam, JAM)
    town.open()
    town.work()
    place_order(town.db, town.pool, [Wish(jam, 2, 3, JAM)], household_id=town.ana, by=1, at=NOW, key="mine")
    assert town.lines(town.ana) == {jam: (2, 3, None, None)}
    assert gin in town.lines(town.ben)


def test_without_the_credit_nothing_is_ordered_and_the_household_is_told(town):
    gin = town.offer(town.gin, 20_001)
    town.open()
    town.work()
    assert (town.lines(town.ana), town.held(town.ana)) == ({}, 0)
    assert town.outcomes()[town.ana] == "no_credit"
    assert town.letters() == [("recipe_not_ordered", "Ana"), ("recipe_not_ordered", "Ben")]
    with town.db.begin() as session:
        give_credit(session, town.ana, 1)
    place_order(town.db, town.pool, [Wish(gin, 1, 1, 20_001)], household_id=town.ana, by=1, at=NOW, key="after")
    assert town.lines(town.ana) == {gin: (1, 1, None, None)}


def test_a_share_given_up_before_or_taken_after_the_opening_orders_nothing(town):
    town.offer(town.gin, GIN)
    with town.db() as session:
        share = session.scalar(text("SELECT id FROM season_share WHERE household_id = :ana"), {"ana": town.ana})
    places.give_up_share(town.db, share, by=1, at=NOW - timedelta(days=1))
    town.open()
    places.take_share(town.db, town.full, household_id=town.dov, by=1, at=NOW, key="late")
    town.work()
    assert town.outcomes() == {town.ben: "written"}


def test_after_the_cut_off_a_worker_that_comes_late_orders_nothing(town):
    town.offer(town.gin, GIN)
    town.open()
    town.work(at=NOW + timedelta(days=3))
    assert town.outcomes() == {}


def test_a_season_without_recipes_asks_for_no_work(db):
    with db.begin() as session:
        pool = a_pool(session, a_season(session), "Plain")
        an_offering(session, pool)
    pools.open_pool(db, pool, by=0, at=OPENED)
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox WHERE job = 'recipes.apply'")) == 0


def test_a_recipe_refuses_what_makes_none(town):
    assert refusal(lambda: town.add(town.gin, 1, instead_of=1)) == "same_line_twice"
    assert refusal(lambda: town.add(town.gin, 1, instead_of=77)) == "no_such_part"
    with pytest.raises(NotFound):
        town.add(999_999, 1)
    with pytest.raises(NotFound):
        town.add(town.gin, 1, size=999_999)
    while town.add(town.gin, 1) < 23:
        pass
    assert refusal(lambda: town.add(town.gin, 1)) == "too_many_lines"


def test_a_line_taken_out_is_gone_and_taking_it_out_again_changes_nothing(town):
    with town.db() as session:
        gin = session.scalar(select(RecipeLine.id).where(RecipeLine.product_id == town.gin))
    for _ in range(2):
        seasons.take_out_of_recipe(town.db, town.full, gin, by=1)
    town.offer(town.gin, GIN)
    jam = town.offer(town.jam, JAM)
    town.open()
    town.work()
    assert town.lines(town.ana) == {jam: (2, 2, None, None)}


def order(town, wishes, most=None, key=None):
    lines = [Wish(offering, pieces, up_to, price) for offering, (pieces, up_to, price) in wishes.items()]
    return place_order(town.db, town.pool, lines, household_id=town.dov, by=1, at=NOW, key=key or town.key(), keep_others=True, most=most)  # fmt: skip


def test_an_order_never_costs_more_than_its_household_lets_it(town):
    jam, pot = town.offer(town.jam, JAM), town.offer(town.pot, POT)
    town.open()
    order(town, {jam: (2, 3, JAM)}, Bound(3 * JAM + POT))
    assert refusal(lambda: order(town, {pot: (1, 2, POT)})) == "over_most"
    assert (town.lines(town.dov), town.held(town.dov)) == ({jam: (2, 3, None, None)}, 3 * JAM)
    order(town, {pot: (1, 1, POT)})
    assert refusal(lambda: order(town, {}, Bound(POT))) == "over_most"
    order(town, {pot: (1, 2, POT)}, Bound(None))
    assert town.held(town.dov) == 3 * JAM + 2 * POT


def test_the_bound_counts_the_dearest_outcome_of_a_choice_once(town):
    jam, honey = (
        town.offer(product, price, rule=TOGETHER_RULE) for product, price in ((town.jam, JAM), (town.honey, 900))
    )
    town.open()
    choice = [Wish(jam, 2, 2, JAM, choice=1, rank=1), Wish(honey, 2, 2, 900, choice=1, rank=2)]
    named = {"household_id": town.dov, "by": 1, "at": NOW}
    with pytest.raises(RuleBroken, match=r"let it cost 17\.99 at most"):
        place_order(town.db, town.pool, choice, **named, key="a", most=Bound(1799))
    place_order(town.db, town.pool, choice, **named, key="b", most=Bound(1800))
    assert town.held(town.dov) == 1800
