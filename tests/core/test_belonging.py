"""What becomes of a standing when members join, leave, merge or split; and the bound, with all of that going on."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.core import standing
from coop.core.belonging import opening_sum, part_by_points, spread_equally
from coop.core.claims import MICRO, STANDING_RULE, WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.sharing import share_out_batch

SEED = bytes(range(32))
MEMBERS = [f"m{n}" for n in range(8)]


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_a_leavers_balance_is_spread_whole_and_equally(total, tickets):
    parts = spread_equally(total, dict(enumerate(tickets)))
    assert sum(parts.values()) == total
    assert max(parts.values()) - min(parts.values()) <= 1
    assert {one: -part for one, part in spread_equally(-total, dict(enumerate(tickets))).items()} == parts


def test_the_odd_micro_unit_goes_to_the_lowest_ticket():
    assert spread_equally(5, {7: 30, 8: 10, 9: 20}) == {7: 1, 8: 2, 9: 2}


def test_a_newcomer_begins_at_the_average_of_the_members():
    assert opening_sum(2, 0, {1: (3 * MICRO, 1), 2: (9 * MICRO, 3)}) == 6 * MICRO
    assert opening_sum(1, 0, {1: (1, 1), 2: (0, 1)}) == 0
    assert opening_sum(5, 0, {}) == 0


def test_what_a_newcomer_was_entitled_to_as_a_guest_counts_towards_the_opening_sum():
    assert opening_sum(2, 5 * MICRO, {1: (3 * MICRO, 1)}) == MICRO


@given(st.integers(-(10**9), 10**9), st.integers(1, 50), st.integers(1, 50))
def test_nobody_comes_forward_by_splitting_and_merging_again_changes_nothing(balance, leaving, staying):
    part = part_by_points(balance, leaving, staying)
    assert part + (balance - part) == balance
    assert abs(Fraction(part, leaving) - Fraction(balance, leaving + staying)) < 1
    assert part_by_points(-balance, leaving, staying) == -part


@st.composite
def lives_of_a_season(draw):
    """Batches, claimed by whoever is in, with members leaving between them; now and then another rule divides one."""
    inside, gone, events = set(MEMBERS[:2]), set(), []
    for number in range(draw(st.integers(1, 10))):
        inside |= draw(st.sets(st.sampled_from(MEMBERS), max_size=2)) - gone
        claiming = sorted(draw(st.sets(st.sampled_from(sorted(inside)), min_size=1)))
        weights = draw(st.lists(st.integers(1, 3), min_size=len(claiming), max_size=len(claiming)))
        requests = draw(st.lists(st.integers(0, 3), min_size=len(claiming), max_size=len(claiming)))
        units = draw(st.integers(0, sum(requests)))
        leaver = draw(st.sampled_from([None, *sorted(inside)])) if len(inside) > 2 else None
        rule = draw(st.sampled_from([STANDING_RULE] * 3 + [WEBSTER_RULE]))
        events.append((BatchInput(f"b{number}", units, claiming, weights, requests, rule=rule), leaver))
        inside -= {leaver}
        gone |= {leaver}
    return events


@pytest.mark.parametrize("terms", [Terms(), Terms("season"), Terms("season", 1)])
@settings(max_examples=120, deadline=None)
@given(events=lives_of_a_season())
def test_the_bound_grows_only_by_what_leavers_and_other_rules_add(terms, events):
    state, ever, inside, added = Standing(), set(), set(), Fraction(0)
    for batch, leaver in events:
        ever |= set(batch.ids)
        inside |= set(batch.ids)
        outcome = share_out_batch(batch, state, terms, SEED)
        state.add(batch.ids, outcome)
        if batch.rule != STANDING_RULE:
            moved = (abs(after - before) for after, before in zip(outcome.closing, outcome.opening, strict=True))
            added += Fraction(sum(moved), MICRO)
        if leaver in inside and len(inside) > 1:
            inside -= {leaver}
            balance = state.owed.pop(leaver, 0)
            parts = spread_equally(balance, {MEMBERS.index(one): 0 for one in inside})
            for place, part in parts.items():
                state.owed[MEMBERS[place]] = state.owed.get(MEMBERS[place], 0) + part
            added += Fraction(ceil(Fraction(abs(balance), len(inside))), MICRO)
        assert sum(state.owed.values()) == 0
        limit = (standing.bound(len(ever)) + added) * MICRO
        assert all(abs(balance) <= limit for balance in state.owed.values())
