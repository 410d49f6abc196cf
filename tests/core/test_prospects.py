"""What a wish would come to as things stand: held against what the exact reference then gives, draw after draw."""

import random
from dataclasses import replace
from hashlib import sha256

import pytest

from coop.core.claims import MICRO, OFFERED_RULES, STANDING_RULE, BatchInput, Standing, Terms
from coop.core.prospects import Prospect, Wished, pessimistic_yield, prospects
from coop.core.standing import share_out_by_reference
from coop.core.tickets import share_ticket, ticket, tie_key


def a_forecast(chance, rule, most=6):
    """Make up wishes for a batch, what it may yield, and whose wish is looked at."""
    many = chance.randint(1, most)
    wishes = [chance.randint(1, 4) for _ in range(many)]
    planned = chance.randint(0, sum(wishes) + 3)
    batch = BatchInput(
        id=f"lot {chance.randint(1, 99)}",
        units=planned,
        ids=[f"household-{place}" for place in range(many)],
        weights=[chance.randint(1, 3) for _ in range(many)],
        requests=wishes,
        tolerances=[chance.randint(0, 2) for _ in range(many)] if chance.random() < 0.4 else (),
        rule=rule,
        times=[chance.randint(0, 3) for _ in range(many)] if rule == "priority@1" else (),
    )
    return Wished(batch, chance.randrange(many), planned, chance.randint(0, planned))


def terms_and_standing(chance, batch):
    """A season with a memory, or none where the rule can do without; balances are whole thousandths of a piece."""
    kinds = [Terms("rounding"), Terms("season")] + ([Terms(None)] if batch.rule != STANDING_RULE else [])
    owed = {claim: 1000 * chance.randint(-900, 900) for claim in batch.ids if chance.random() < 0.6}
    entitled = {claim: MICRO * chance.randint(0, 5) for claim in batch.ids}
    terms = chance.choice(kinds)
    return terms, Standing(owed, entitled) if terms.memory else Standing()


def seeds(many):
    return [sha256(str(n).encode()).digest() for n in range(many)]


def place_in_draw(batch, seed, place):
    """Say how many claims of the batch have a better ticket under this seed."""
    key = tie_key(seed, batch.id)
    if batch.rule == "lottery@1":
        best = [
            min(share_ticket(key, claim, point) for point in range(weight))
            for claim, weight in zip(batch.ids, batch.weights, strict=True)
        ]
    else:
        best = [ticket(key, claim) for claim in batch.ids]
    return sum(other < best[place] for other in best)


def awarded(one, units, standing, terms, seed):
    return share_out_by_reference(replace(one.batch, units=units), standing, terms, seed).awards[one.place]


@pytest.mark.parametrize("rule", OFFERED_RULES)
def test_without_further_orders_the_planned_yield_gives_the_upper_value_and_the_pessimistic_one_the_lower(rule, full):
    chance = random.Random(rule)
    first_draws = last_draws = 0
    for _ in range(2_000 if full else 20):
        one = a_forecast(chance, rule)
        terms, standing = terms_and_standing(chance, one.batch)
        told = prospects([one], standing, terms)[0]
        last = len(one.batch.ids) - 1
        for seed in seeds(8):
            drawn = place_in_draw(one.batch, seed, one.place)
            as_planned = awarded(one, one.planned, standing, terms, seed)
            badly = awarded(one, one.pessimistic, standing, terms, seed)
            assert as_planned <= told.if_planned
            assert badly >= told.if_badly
            if drawn == 0:
                first_draws += 1
                assert as_planned == told.if_planned
            if drawn == last:
                last_draws += 1
                assert badly == told.if_badly
    assert min(first_draws, last_draws) > 10


@pytest.mark.parametrize("rule", OFFERED_RULES)
def test_where_no_draw_decides_the_planned_yield_gives_exactly_the_upper_value(rule):
    chance = random.Random(f"{rule} alike")
    decided = 0
    for _ in range(40):
        one = a_forecast(chance, rule)
        terms, standing = terms_and_standing(chance, one.batch)
        told = prospects([replace(one, pessimistic=one.planned)], standing, terms)[0]
        if told.if_badly == told.if_planned:
            decided += 1
            given = {awarded(one, one.planned, standing, terms, seed) for seed in seeds(4)}
            assert given == {told.if_planned}
    assert decided > 8


def test_several_batches_are_forecast_each_by_itself():
    chance = random.Random("several")
    for _ in range(40):
        many = []
        for n in range(3):
            one = a_forecast(chance, STANDING_RULE)
            many.append(replace(one, batch=replace(one.batch, ids=[f"{n} {claim}" for claim in one.batch.ids])))
        owed = {claim: 1000 * chance.randint(-900, 900) for one in many for claim in one.batch.ids}
        together = prospects(many, Standing(owed), Terms())
        assert together == [prospects([one], Standing(owed), Terms())[0] for one in many]


def test_a_batch_of_hundreds_is_forecast_as_small_ones_are():
    # 300 households of the same weight wish for 1 each: 240 pieces planned, 192 if it goes badly. All stand level,
    # so the draw alone decides: the first ticket of all brings a piece, the last one none.
    names = [f"household-{place:03}" for place in range(300)]
    batch = BatchInput("lot 7", 240, names, [2] * 300, [1] * 300)
    assert prospects([Wished(batch, 17, 240, 192)], Standing(), Terms()) == [Prospect(1, 0, 1)]
    # Who is owed half a piece comes before all others, whatever is drawn.
    owed = {names[17]: MICRO // 2, names[18]: -MICRO // 2}
    assert prospects([Wished(batch, 17, 240, 192)], Standing(owed), Terms()) == [Prospect(1, 1, 1)]


def test_nothing_is_asked_of_a_draw_that_is_not_made():
    # Four wish for 1 each, and 2 will be made: anybody may be lucky, nobody is told so.
    batch = BatchInput("lot 1", 2, list("abcd"), [1] * 4, [1] * 4, rule="lottery@1")
    told = prospects([Wished(batch, 0, 2, 2)], Standing(), Terms(None))
    assert told == [Prospect(1, 0, 1)]


def test_without_the_makers_own_word_four_fifths_of_the_plan_are_expected_rounded_down():
    assert [pessimistic_yield(planned, None) for planned in (110, 9, 1, 0)] == [88, 7, 0, 0]
    assert pessimistic_yield(110, 60) == 60


@pytest.mark.parametrize(
    ("prospect", "words"),
    [
        (Prospect(3, 3, 3), "you'll get all 3"),
        (Prospect(1, 1, 1), "you'll get it"),
        (Prospect(3, 3, 5), "you'll get all 3, maybe 5 in all"),
        (Prospect(2, 1, 2), "likely 1, maybe 2"),
        (Prospect(2, 0, 1), "likely none, maybe 1"),
        (Prospect(3, 2, 2), "likely 2"),
        (Prospect(3, 0, 0), "likely none"),
        (Prospect(1_200, 1_100, 1_200), "likely 1,100, maybe 1,200"),
    ],
)
def test_a_prospect_is_said_in_a_few_words(prospect, words):
    assert prospect.words == words
