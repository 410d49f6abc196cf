"""The sentence to the member: true, and its numbers add up."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.claims import MICRO, WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.explain import AwardFacts, Tie, Wording, fair_parts, standing_sentence, ties, webster_sentence
from coop.core.fairness import four_decimals, jain, lowest_fill
from coop.core.sharing import share_out_batch

JAR = Wording("jar", "jars")


def facts(**changes):
    values = {"units": 40, "demand": 61, "weight": 2, "wish": 3, "award": 1, "entitlement": 400_000}
    return AwardFacts(**{**values, **changes})


def test_who_was_owed_reads_how_it_was_made_good():
    owed = facts(owed_before=620_000, owed_after=20_000, since="3 May")
    assert standing_sentence(owed, JAR) == (
        "You were owed 0.62 from 3 May and entitled to 0.40 today: 1.02 together, "
        "so you received 1 jar and are owed 0.02."
    )


def test_who_is_new_reads_of_today_alone():
    new = facts(award=0, owed_after=400_000)
    assert standing_sentence(new, JAR) == (
        "You were entitled to 0.40 today, so you received none this time and are owed 0.40."
    )


def test_who_was_ahead_reads_what_it_cost():
    ahead = facts(award=2, entitlement=2_600_000, owed_before=-600_000, owed_after=0, since="3 May")
    assert standing_sentence(ahead, JAR) == (
        "You were 0.60 ahead from 3 May and entitled to 2.60 today: 2.00 together, so you received 2 jars and are even."
    )


@given(st.integers(-3 * MICRO, 3 * MICRO), st.integers(0, 4 * MICRO), st.integers(0, 4))
def test_the_numbers_of_a_sentence_add_up(before, entitlement, award):
    after = before + entitlement - award * MICRO
    told = standing_sentence(
        facts(wish=5, award=award, entitlement=entitlement, owed_before=before, owed_after=after, since="3 May"), JAR
    )
    words = told.rstrip(".").replace(",", "").replace(":", "").split()
    numbers = [Fraction(word) for word in words if "." in word]
    opening = numbers[0] * (-1 if "ahead from" in told else 1) if "from 3 May" in told else Fraction(0)
    today = numbers[1] if "from 3 May" in told else numbers[0]
    closing = 0 if told.endswith("even.") else numbers[-1] * (-1 if told.endswith("ahead.") else 1)
    assert opening + today - award == closing
    assert abs(today - Fraction(entitlement, MICRO)) <= Fraction(1, 100)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"units": 61}, "There was enough for all wishes, so you received all 3 jars you asked for."),
        ({"units": 0, "award": 0}, "Nothing came of this batch, so nobody received any."),
        ({"wish": 0, "award": 0}, "You asked for none of this batch."),
        (
            {"units": 70, "award": 3, "extra": 2},
            "All wishes were met (70 jars for 61 wished): you received the 3 you wished for and 2 more.",
        ),
    ],
)
def test_where_no_rule_decides_the_sentence_says_so_under_every_rule(changes, told):
    assert standing_sentence(facts(**changes), JAR) == told
    assert webster_sentence(facts(**changes), JAR) == told


def test_webster_tells_what_the_share_points_stood_for():
    assert webster_sentence(facts(entitlement=860_000), JAR) == (
        "40 jars for 61 wished: your 2 share points stood for 0.86, so you received 1 jar."
    )
    assert webster_sentence(facts(wish=1), JAR) == (
        "40 jars for 61 wished: your wish of 1 lies within your part, so you received 1 jar."
    )


def test_webster_tells_a_tie_with_its_ticket():
    told = webster_sentence(facts(entitlement=860_000), JAR, Tie(5, 12, 3, 0x07F3 << 48))
    assert told == (
        "40 jars for 61 wished: your 2 share points stood for 0.86, so you received 1 jar: "
        "you and 11 others stood level for the last 5 jars; your ticket 07f3… was 3rd of 12."
    )


def test_those_who_stood_level_are_found_with_the_places_of_their_tickets():
    ids = ["ana", "ben", "cleo", "dora"]
    batch = BatchInput("b", 3, ids, [1, 1, 1, 8], [1, 1, 1, 1], rule=WEBSTER_RULE)
    awards = share_out_batch(batch, Standing(), Terms(None), bytes(32)).awards
    found = ties(ids, batch.weights, batch.requests, awards, bytes(32), "b")
    assert set(found) == {"ana", "ben", "cleo"}
    assert {claim for claim, tie in found.items() if tie.place <= tie.pieces} == {
        claim for claim, award in zip(ids[:3], awards[:3], strict=True) if award
    }
    assert all((tie.pieces, tie.level) == (2, 3) for tie in found.values())
    assert ties(ids, batch.weights, batch.requests, [1, 1, 1, 1], bytes(32), "b") == {}
    assert fair_parts(batch.weights, batch.requests, 3) == [666_666, 666_666, 666_666, 1_000_000]


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
