"""The sentence to the member: true, and its numbers add up. The expected numbers were worked out on paper."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core import explain_pictures as pictures
from coop.core.claims import MICRO, RULES, STANDING_RULE, WEBSTER_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.explain import sentence
from coop.core.explain_facts import AwardFacts, facts_of
from coop.core.explain_numbers import Wording
from coop.core.explain_ways import Tie, Way, with_the_turns_around
from coop.core.fairness import four_decimals, jain, lowest_fill
from coop.core.sharing import share_out_batch
from coop.core.tickets import ticket, tie_key

JAR = Wording("jar", "jars")
SEED = bytes(32)


def facts(**changes):
    values = {"rule": STANDING_RULE, "units": 40, "demand": 61, "weight": 2, "wish": 3, "award": 1}
    return AwardFacts(**{**values, **changes})


def way(rule, units, claims, *, awards=None, terms=None, more=None, owed=None, times=()):
    """A batch of claims {name: (weight, wish)}, shared out by the engine or with the awards given."""
    names = sorted(claims)
    batch = BatchInput(
        "b",
        units,
        names,
        [claims[name][0] for name in names],
        [claims[name][1] for name in names],
        [(more or {}).get(name, 0) for name in names],
        rule,
        times=times,
    )
    terms = terms or Terms("rounding" if rule == STANDING_RULE else None)
    if awards is None:
        outcome = share_out_batch(batch, Standing(dict(owed or {})), terms, SEED)
    else:
        outcome = Outcome([awards[name] for name in names])
    return Way(batch, outcome, terms, SEED)


def told(found, name, since=""):
    return sentence(facts_of(found, found.batch.ids.index(name), since), JAR)


# cea/standing


def test_who_was_owed_reads_how_it_was_made_good():
    owed = facts(owed_before=620_000, owed_after=20_000, since="3 May")
    assert sentence(owed, JAR) == (
        "You were owed 0.62 from 3 May and entitled to 0.40 today: 1.02 together, "
        "so you received 1 jar and are owed 0.02."
    )


def test_who_is_new_reads_of_today_alone():
    new = facts(award=0, owed_before=0, owed_after=400_000)
    assert sentence(new, JAR) == "You were entitled to 0.40 today, so you received none this time and are owed 0.40."


def test_who_was_ahead_reads_what_it_cost():
    ahead = facts(award=2, owed_before=-600_000, owed_after=0, since="3 May")
    assert sentence(ahead, JAR) == (
        "You were 0.60 ahead from 3 May and entitled to 2.60 today: 2.00 together, so you received 2 jars and are even."
    )


@given(st.integers(-3 * MICRO, 3 * MICRO), st.integers(0, 4 * MICRO), st.integers(0, 4))
def test_the_numbers_of_a_sentence_add_up(before, entitlement, award):
    after = before + entitlement - award * MICRO
    words = sentence(facts(wish=5, award=award, owed_before=before, owed_after=after, since="3 May"), JAR)
    numbers = [Fraction(word) for word in words.rstrip(".").replace(",", "").replace(":", "").split() if "." in word]
    opening = numbers[0] * (-1 if "ahead from" in words else 1) if "from 3 May" in words else Fraction(0)
    today = numbers[1] if "from 3 May" in words else numbers[0]
    closing = 0 if words.endswith("even.") else numbers[-1] * (-1 if words.endswith("ahead.") else 1)
    assert opening + today - award == closing
    assert abs(today - Fraction(entitlement, MICRO)) <= Fraction(1, 100)


def test_equals_at_the_first_batch_read_that_their_ticket_settled_it():
    found = way(STANDING_RULE, 1, {"ana": (1, 1), "ben": (1, 1), "cleo": (1, 2)})
    key = tie_key(SEED, "b")
    order = sorted(found.batch.ids, key=lambda name: ticket(key, name))
    for place, name in enumerate(order, start=1):
        drawn = f"{ticket(key, name):016x}"[:4]
        entitled = "entitled to 0.33 today, so you "
        got = "received 1 jar" if place == 1 else "received none this time"
        got += ", all you asked for," if place == 1 and name != "cleo" else ""
        stands = "are 0.67 ahead" if place == 1 else "are owed 0.33"
        draw = f"you and 2 others stood level for the last jar; your ticket {drawn}… was {('1st', '2nd', '3rd')[place - 1]} of 3"
        assert told(found, name) == f"You were {entitled}{got} and {stands}: {draw}."


def test_who_was_owed_more_stood_alone_and_drew_nothing():
    found = way(STANDING_RULE, 1, {"ana": (1, 1), "ben": (1, 1)}, owed={"ana": 200_000, "ben": -200_000})
    assert found.ties == {}
    assert told(found, "ana", "lot 3") == (
        "You were owed 0.20 from lot 3 and entitled to 0.50 today: 0.70 together, "
        "so you received 1 jar, all you asked for, and are 0.30 ahead."
    )
    assert told(found, "ben", "lot 3") == (
        "You were 0.20 ahead from lot 3 and entitled to 0.50 today: 0.30 together, "
        "so you received none this time and are owed 0.30."
    )


# cea along a signpost


def test_webster_tells_what_the_share_points_stood_for():
    # 4 jars over 3 points: 4/3 each. Signposts of Ana 1/4, 3/4, 5/4, of Tomas 1/2, 3/2: the four cheapest are Ana's three and one of his.
    found = way(WEBSTER_RULE, 4, {"ana": (2, 3), "tomas": (1, 3)})
    assert told(found, "ana") == (
        "4 jars for 6 wished: every share point stood for 1.333 jars; your 2 share points stood for 2.67, so you received 3 jars."
    )
    assert told(found, "tomas") == (
        "4 jars for 6 wished: every share point stood for 1.33 jars; you have one, so you received 1 jar."
    )


def test_webster_tells_that_a_small_wish_is_met():
    # Dora's wish of 1 lies under 8 points; the three others share 2 of 3 pieces left: 2/3 a point.
    found = way(WEBSTER_RULE, 3, {"ana": (1, 1), "ben": (1, 1), "cleo": (1, 1), "dora": (8, 1)})
    assert told(found, "dora") == (
        "3 jars for 4 wished: every share point stood for 0.67 jars; your 8 share points covered your wish, so you received 1 jar."
    )


def test_webster_tells_a_tie_with_its_ticket():
    tied = facts(rule=WEBSTER_RULE, level=Fraction(43, 100), part=Fraction(86, 100), tie=Tie(5, 12, 3, 0x07F3 << 48))
    assert sentence(tied, JAR) == (
        "40 jars for 61 wished: every share point stood for 0.43 jars; your 2 share points stood for 0.86, so you received 1 jar: "
        "you and 11 others stood level for the last 5 jars; your ticket 07f3… was 3rd of 12."
    )


def test_those_who_stood_level_are_found_with_the_places_of_their_tickets():
    found = way(WEBSTER_RULE, 3, {"ana": (1, 1), "ben": (1, 1), "cleo": (1, 1), "dora": (8, 1)})
    key = tie_key(SEED, "b")
    order = sorted(["ana", "ben", "cleo"], key=lambda name: ticket(key, name))
    expected = {
        found.batch.ids.index(name): Tie(2, 3, place, ticket(key, name)) for place, name in enumerate(order, start=1)
    }
    assert found.ties == expected
    assert [found.awards[found.batch.ids.index(name)] for name in order] == [1, 1, 0]


def test_a_standing_kept_beside_another_rule_is_told_after_the_award():
    found = way(WEBSTER_RULE, 4, {"ana": (2, 3), "tomas": (1, 3)}, terms=Terms("rounding"))
    assert told(found, "ana").endswith("so you received 3 jars; you are 0.33 ahead.")
    assert told(found, "tomas").endswith("so you received 1 jar; you are owed 0.33.")


# the other paths


def test_proportional_tells_the_part_of_every_wish():
    # 40 for 61: 65.57 %; of 3 that is 1.967, of 4 2.623.
    found = way("proportional/largest_remainder@1", 40, {"ana": (1, 3), "ben": (2, 4), "cleo": (1, 54)}, awards={"ana": 2, "ben": 3, "cleo": 35})  # fmt: skip
    assert told(found, "ana") == (
        "40 jars for 61 wished: everyone received 65.6 % of what they asked for, yours rounded from 1.97 to 2."
    )


def test_equal_losses_tell_what_one_share_point_is_short_of():
    # 6 for 9 with weights 1 and 2: losses U and U/2 make 3, so U = 2.
    found = way("cel/largest_remainder@1", 6, {"ana": (1, 4), "ben": (2, 5)}, awards={"ana": 2, "ben": 4})
    assert (
        told(found, "ana") == "6 jars for 9 wished: everyone is short by 2.00 jars for one share point, so yours is 2."
    )
    assert told(found, "ben") == (
        "6 jars for 9 wished: everyone is short by 2.00 jars for one share point, you with 2 by 1.00, so yours is 4."
    )


def test_talmud_tells_on_which_side_of_half_the_batch_lies():
    # Half of 9 is 4.5. With 4: halves 2 and 2.5 filled level: 2 and 2. With 6: 3 short, of halves 2 and 2.5, 1.5 each.
    low = way("talmud/largest_remainder@1", 4, {"ana": (1, 4), "ben": (1, 5)}, awards={"ana": 2, "ben": 2})
    assert told(low, "ana") == (
        "4 jars for 9 wished: no more than half of all wishes is covered, so nobody passes half of the own wish (yours 2.00) "
        "and shares are equal below that; yours is 2."
    )
    first = min(("ana", "ben"), key=lambda name: ticket(tie_key(SEED, "b"), name))
    awards = {"ana": 3, "ben": 3} if first == "ana" else {"ana": 2, "ben": 4}
    high = way("talmud/largest_remainder@1", 6, {"ana": (1, 4), "ben": (1, 5)}, awards=awards)
    assert told(high, "ana").startswith(
        "6 jars for 9 wished: more than half of all wishes are covered, so everybody has half of the own wish (yours 2.00) "
        f"and the losses above that are equal; yours is rounded from 2.50 to {awards['ana']}: "
        "you and 1 other stood level for the last jar;"
    )


# orders and lots


def test_who_came_first_reads_where_the_pieces_ran_out():
    # Ben asked first, then Cleo, then Ana: 5 jars for 3, 3 and 2.
    found = way("priority@1", 5, {"ana": (1, 2), "ben": (1, 3), "cleo": (1, 3)}, times=[30, 10, 20])
    assert (
        told(found, "ben")
        == "5 jars for 8 wished: you ordered 1st of 3; the jars ran out at 2nd, so you received 3 jars."
    )
    assert (
        told(found, "cleo")
        == "5 jars for 8 wished: you ordered 2nd of 3; the jars ran out with you, so you received 2 jars."
    )
    assert (
        told(found, "ana")
        == "5 jars for 8 wished: you ordered 3rd of 3; the jars ran out at 2nd, so you received none this time."
    )


def test_who_drew_reads_the_place():
    found = way("lottery@1", 1, {"ana": (2, 1), "ben": (1, 1)})
    first = found.batch.ids[found.order[0]]
    last = found.batch.ids[found.order[1]]
    assert (
        told(found, first)
        == "1 jar for 2 wished: you drew place 1 of 2; the jars ran out with you, so you received 1 jar."
    )
    assert (
        told(found, last)
        == "1 jar for 2 wished: you drew place 2 of 2; the jars ran out at place 1, so you received none this time."
    )


def test_who_takes_packs_reads_that_the_next_did_not_fit():
    found = way("lots@1", 4, {"ana": (1, 6), "ben": (1, 6)}, awards={"ana": 0, "ben": 0})
    found = Way(replace(found.batch, packs=[6, 6]), found.outcome, found.terms, SEED)
    assert told(found, "ana") == (
        "4 jars for 12 wished: you received none this time; your next pack of 6 did not fit in the 4 left."
    )


@given(st.data())
def test_every_rule_has_its_sentence_and_its_drawings(data):
    names = [f"m{n}" for n in range(data.draw(st.integers(1, 5)))]
    claims = {name: (data.draw(st.integers(1, 4)), data.draw(st.integers(0, 5))) for name in names}
    more = {name: data.draw(st.integers(0, 2)) for name in names}
    times = [data.draw(st.integers(0, 3)) for _ in names]
    rule = data.draw(st.sampled_from(RULES))
    memory = data.draw(st.sampled_from(["rounding", "season"] + ([None] if rule != STANDING_RULE else [])))
    found = way(rule, data.draw(st.integers(0, 20)), claims, more=more, times=times, terms=Terms(memory))
    for place, name in enumerate(found.batch.ids):
        words = told(found, name)
        assert words[0].isupper() or words[0].isdigit()
        assert words.endswith(".")
        if not found.is_short or not found.batch.requests[place]:
            continue
        if found.divides:
            drawn = pictures.water(found, place)
            assert abs(sum(column.width for column in drawn.columns) - 100) < 0.1
            assert sum(column.is_own for column in drawn.columns) == 1
            assert all(column.floor <= column.filled <= column.wish <= 100 for column in drawn.columns)
        shown = (
            pictures.turns(found, place) if found.has_turns else pictures.served(found, place) if found.order else []
        )
        assert all(0 <= turn.width <= 100 for turn in shown)
        assert [turn.nth for turn in shown] == sorted(turn.nth for turn in shown)
        assert not shown or any(turn.is_own for turn in shown)
        if memory:
            parts = [sums[place] for sums in (found.outcome.opening, found.outcome.entitlements, found.outcome.closing)]
            strips = pictures.account(parts[0], parts[1], found.awards[place], parts[2])
            assert all(-0.01 <= strip.x <= 100 and strip.x + strip.width <= 100.02 for strip in strips)


# where no rule decides


@pytest.mark.parametrize("rule", [STANDING_RULE, WEBSTER_RULE, "proportional/largest_remainder@1"])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"units": 61, "award": 3},
            "There was exactly enough for all wishes, so you received all 3 jars you asked for.",
        ),
        ({"units": 62, "award": 3}, "There was enough for all wishes, so you received all 3 jars you asked for."),
        ({"units": 62, "wish": 1}, "There was enough for all wishes, so you received the jar you asked for."),
        ({"units": 0, "award": 0}, "Nothing came of this batch, so nobody received any."),
        (
            {"units": 0, "award": 0, "owed_before": 200_000, "owed_after": 200_000},
            "Nothing came of this batch, so nobody received any; you are still owed 0.20.",
        ),
        ({"wish": 0, "award": 0}, "You asked for none of this batch."),
        (
            {"wish": 0, "award": 0, "more": 2},
            "You would have taken what is left over once all wishes are met, and nothing was left for you.",
        ),
        (
            {"units": 70, "award": 3, "more": 2, "extra": 2},
            "All wishes were met (70 jars for 61 wished) and 9 left over went round: you received the 3 you wished for and 2 more.",
        ),
        (
            {"units": 62, "award": 3, "more": 2, "extra": 1},
            "All wishes were met (62 jars for 61 wished) and 1 left over went round: you received the 3 you wished for and 1 more of the 2 you would have taken on top.",
        ),
        (
            {"units": 62, "award": 3, "more": 2},
            "All wishes were met (62 jars for 61 wished) and 1 left over went round: you received the 3 you wished for and none of the rest fell to you.",
        ),
        (
            {"units": 1, "demand": 3, "is_alone": True},
            "You were the only one to ask for this batch, so all that came of it, 1 jar, is yours.",
        ),
    ],
)
def test_where_no_rule_decides_the_sentence_says_so_under_every_rule(rule, changes, words):
    assert sentence(facts(rule=rule, **changes), JAR) == words


def test_whom_only_a_drawn_millionth_divides_stood_level_by_their_tickets():
    # A third of a piece each, and the millionth left over goes to the lowest ticket, whose claim began a millionth behind:
    # so all three stand at 0.333333, and the lowest ticket brings the piece.
    key = tie_key(SEED, "b")
    order = sorted(["ana", "ben", "cleo"], key=lambda name: ticket(key, name))
    claims = dict.fromkeys(order, (1, 1))
    found = way(STANDING_RULE, 1, claims, owed={order[0]: -1, "dora": 1})
    places = {name: found.batch.ids.index(name) for name in order}
    assert [found.awards[places[name]] for name in order] == [1, 0, 0]
    assert found.ties == {places[name]: Tie(1, 3, nth, ticket(key, name)) for nth, name in enumerate(order, start=1)}
    assert "stood level for the last jar" in told(found, order[1])


def test_a_millionth_that_tickets_do_not_explain_is_no_tie():
    key = tie_key(SEED, "b")
    order = sorted(["ana", "ben", "cleo"], key=lambda name: ticket(key, name))
    found = way(STANDING_RULE, 1, dict.fromkeys(order, (1, 1)), owed={order[2]: 2, order[0]: -2})
    assert found.awards[found.batch.ids.index(order[2])] == 1
    assert found.ties == {}


# turns


def test_the_turns_around_the_cut_off_show_the_own_one():
    # Targets 3/2, 3/2, 1: the turns are Ana 3/2, Ben 3/2, Cleo 1, Ana 1/2, Ben 1/2, then what is below nothing.
    found = way(STANDING_RULE, 4, {"ana": (3, 9), "ben": (3, 9), "cleo": (2, 9)})
    ana, ben, cleo = range(3)
    shown = with_the_turns_around(found, cleo)
    assert shown[:3] == [*sorted([(ana, 1), (ben, 1)], key=lambda turn: found.tickets[turn[0]]), (cleo, 1)]
    assert found.turn_of(cleo) == 3
    assert {shown[3], shown[4]} == {(ana, 2), (ben, 2)}
    assert found.awards[shown[3][0]] == 2
    assert found.ties[ana].level == 2


@given(st.data())
def test_the_turns_are_the_order_in_which_the_rule_hands_out(data):
    names = [f"m{n}" for n in range(data.draw(st.integers(2, 6)))]
    claims = {name: (data.draw(st.integers(1, 4)), data.draw(st.integers(0, 5))) for name in names}
    demand = sum(wish for _, wish in claims.values())
    units = data.draw(st.integers(0, demand))
    rule = data.draw(st.sampled_from([rule for rule in RULES if "/" in rule and "wheel" not in rule]))
    found = way(rule, units, claims, owed={name: data.draw(st.integers(-MICRO, MICRO)) for name in names})
    if not found.is_short:
        return
    pieces = [(place, n) for place, wish in enumerate(found.batch.requests) for n in range(1, wish + 1)]
    pieces.sort(key=lambda piece: found.rank(*piece))
    assert {(p, n) for p, award in enumerate(found.awards) for n in range(1, award + 1)} == set(pieces[:units])
    for place, wish in enumerate(found.batch.requests):
        if wish:
            own = (place, max(1, found.awards[place]))
            assert pieces[found.turn_of(place) - 1] == own
            shown = with_the_turns_around(found, place, near=3)
            assert own in shown
            assert [turn for turn in shown if turn != own or turn in pieces[max(0, units - 3) : units + 3]] == pieces[
                max(0, units - 3) : units + 3
            ]


# figures


def test_fairness_figures_are_exact():
    assert lowest_fill([(3, 3), (1, 3), (0, 0)]) == Fraction(1, 3)
    assert lowest_fill([]) == 1
    assert jain({"ana": (1, 1), "ben": (5, 5)}) == 1
    assert jain({"ana": (1, 1), "ben": (0, 5), "cleo": (0, 0)}) == Fraction(1, 2)
    assert jain({"ana": (1, 2), "ben": (2, 3)}) == Fraction(49, 50)
    assert jain({"ana": (0, 2)}) == 1


@pytest.mark.parametrize(
    ("ratio", "told"),
    [(Fraction(1), "1.0000"), (Fraction(2, 3), "0.6667"), (Fraction(1, 20_000), "0.0001"), (Fraction(0), "0.0000")],
)
def test_ratios_have_four_decimals(ratio, told):
    assert four_decimals(ratio) == told
