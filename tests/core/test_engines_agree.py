"""The fast engines against the exact reference, and the promises every sharing out keeps."""

from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.core import kernel, sharing, small_batches, standing, ticket_arrays
from coop.core.claims import MICRO, STANDING_RULE, WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.kinds import kinds_of
from coop.core.rules import Path, cheapest_pieces, rounded
from coop.core.sharing import share_out_batch, share_out_pool
from coop.core.standing import share_out_by_reference
from coop.core.ticket_arrays import first_by_ticket, tickets_of_many
from coop.core.ticket_arrays import tickets as tickets_by_arrays
from coop.core.tickets import claim_number, ticket, tie_key

SEED = bytes(range(32))
FEW = settings(max_examples=150, deadline=None)

weights = st.one_of(st.integers(1, 4), st.integers(1, 40), st.integers(1, 32_767))
limits = st.one_of(st.integers(0, 4), st.integers(0, 60), st.integers(0, 10_000))


@st.composite
def columns(draw, least=1, most=14):
    many = draw(st.integers(least, most))
    sizes = [draw(st.lists(values, min_size=many, max_size=many)) for values in (weights, limits)]
    demand = sum(sizes[1])
    return (*sizes, draw(st.integers(0, demand)))


@st.composite
def batches(draw):
    many = draw(st.integers(1, 9))
    names = sorted(draw(st.lists(st.sampled_from("abcdefghijklmno"), min_size=many, max_size=many, unique=True)))
    wishes = draw(st.lists(limits, min_size=many, max_size=many))
    more = draw(st.one_of(st.just([]), st.lists(st.integers(0, 5), min_size=many, max_size=many)))
    return BatchInput(
        id=f"lot-{draw(st.integers(1, 99))}",
        units=draw(st.integers(0, sum(wishes) + sum(more) + 2)),
        ids=names,
        weights=draw(st.lists(weights, min_size=many, max_size=many)),
        requests=wishes,
        tolerances=more,
        rule=draw(st.sampled_from([STANDING_RULE, STANDING_RULE, WEBSTER_RULE])),
    )


def names_of(many):
    return [f"claim-{place:03}" for place in range(many)]


def ranks_of(names, key):
    return [(ticket(key, name), name.encode()) for name in names]


def figures(outcome):
    columns_of = (outcome.awards, outcome.entitlements, outcome.opening, outcome.closing, outcome.entitled)
    return [list(column) for column in columns_of]


def arrays(names, *values):
    return *(np.array(value, np.int64) for value in values), np.array([claim_number(name) for name in names], np.uint64)


@FEW
@given(columns())
def test_webster_is_the_same_by_fractions_by_whole_numbers_and_by_arrays(problem):
    claim_weights, claim_limits, units = problem
    names, key = names_of(len(claim_weights)), tie_key(SEED, "b")
    expected = rounded(Path("cea", claim_weights, claim_limits), units, "webster", ranks_of(names, key))
    assert sum(expected) == units
    if 0 < units < sum(claim_limits):
        drawn = [ticket(key, name) for name in names]
        assert small_batches.cheapest_pieces(claim_weights, claim_limits, units, drawn) == expected
        assert kernel.within_bounds(claim_weights, claim_limits, units)
        w, c, numbers = arrays(names, claim_weights, claim_limits)
        assert kernel.cheapest_pieces(w, c, units, key, numbers).tolist() == expected


@FEW
@given(columns(), st.data())
def test_a_standing_step_is_the_same_by_fractions_by_whole_numbers_and_by_arrays(problem, data):
    claim_weights, claim_limits, units = problem
    many = len(claim_weights)
    owed = data.draw(st.lists(st.integers(-9 * MICRO, 9 * MICRO), min_size=many, max_size=many))
    names, key = names_of(many), tie_key(SEED, "b")
    ranks, drawn = ranks_of(names, key), [ticket(key, name) for name in names]
    parts = standing.entitlements(claim_weights, claim_limits, units, ranks)
    assert sum(parts) == units * MICRO
    targets = [before + part for before, part in zip(owed, parts, strict=True)]
    expected = standing.hand_out(targets, claim_limits, units, ranks)
    assert sum(expected) == units
    assert all(0 <= award <= limit for award, limit in zip(expected, claim_limits, strict=True))
    w, c, t, numbers = arrays(names, claim_weights, claim_limits, targets)
    assert small_batches.pieces_due(targets, claim_limits, units, drawn) == expected
    assert kernel.pieces_due(t, c, units, key, numbers).tolist() == expected
    if 0 < units < sum(claim_limits):
        assert small_batches.entitlements(claim_weights, claim_limits, units, drawn) == parts
        assert kernel.entitlements(w, c, units, key, numbers).tolist() == parts


@settings(max_examples=150, deadline=None)
@given(
    st.lists(batches(), min_size=1, max_size=12),
    st.sampled_from(
        [Terms(None), Terms(), Terms("season"), Terms("season", 0), Terms("season", 1), Terms("season", 3)]
    ),
    st.booleans(),
)
def test_a_season_is_the_same_by_the_engine_and_by_the_reference(season, terms, by_arrays):
    if terms.memory is None:
        season = [BatchInput(b.id, b.units, b.ids, b.weights, b.requests, b.tolerances, WEBSTER_RULE) for b in season]
    reference = Standing()
    expected = []
    for batch in season:
        expected.append(share_out_by_reference(batch, reference, terms, SEED))
        reference.add(batch.ids, expected[-1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "ARRAYS_FROM", 2 if by_arrays else 250)
        outcomes, closing = share_out_pool(season, Standing(), terms, SEED)
    assert [figures(outcome) for outcome in outcomes] == [figures(outcome) for outcome in expected]
    assert {claim: owed for claim, owed in closing.owed.items() if owed} == {
        claim: owed for claim, owed in reference.owed.items() if owed
    }
    assert closing.entitled == reference.entitled


@FEW
@given(st.lists(st.tuples(batches(), st.booleans()), min_size=1, max_size=12))
def test_members_found_by_number_or_by_name_are_the_same_members(season):
    plain = [batch for batch, _ in season]
    some = [
        replace(batch, members=[5 * ord(name) for name in batch.ids]) if numbered else batch
        for batch, numbered in season
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "ARRAYS_FROM", 2)
        by_name, by_number = (share_out_pool(batches, Standing(), Terms(), SEED) for batches in (plain, some))
    assert list(map(figures, by_number[0])) == list(map(figures, by_name[0]))
    assert by_number[1] == by_name[1]


@FEW
@given(st.lists(batches(), min_size=1, max_size=12))
def test_nothing_is_wasted_nobody_gets_more_than_asked_and_balances_stay_bounded(season):
    terms = Terms()
    state = Standing()
    for batch in season:
        outcome = share_out_batch(batch, state, terms, SEED)
        asked = [
            wish + more for wish, more in zip(batch.requests, batch.tolerances or [0] * len(batch.ids), strict=True)
        ]
        assert sum(outcome.awards) == min(batch.units, sum(asked))
        assert all(0 <= award <= most for award, most in zip(outcome.awards, asked, strict=True))
        assert sum(outcome.entitlements) == min(batch.units, sum(batch.requests)) * MICRO
        state.add(batch.ids, outcome)
        assert sum(state.owed.values()) == 0
        if all(earlier.rule == STANDING_RULE for earlier in season):
            bound = standing.bound(len({claim for earlier in season for claim in earlier.ids})) * MICRO
            assert all(abs(balance) <= bound for balance in state.owed.values())


@FEW
@given(columns(), st.permutations(range(14)))
def test_the_order_in_which_claims_are_listed_does_not_matter(problem, order):
    claim_weights, claim_limits, units = problem
    order = [place for place in order if place < len(claim_weights)]
    names, key = names_of(len(claim_weights)), tie_key(SEED, "b")
    ranks = ranks_of(names, key)
    for rounding in ("webster", "adams", "jefferson", "hill", "dean", "largest_remainder"):
        plain = rounded(Path("cea", claim_weights, claim_limits), units, rounding, ranks)
        shuffled_path = Path("cea", [claim_weights[p] for p in order], [claim_limits[p] for p in order])
        shuffled = rounded(shuffled_path, units, rounding, [ranks[p] for p in order])
        assert [plain[p] for p in order] == shuffled


@FEW
@given(
    columns(most=6),
    st.sampled_from(["cea", "proportional", "cel", "talmud"]),
    st.sampled_from(["webster", "adams", "jefferson"]),
)
def test_the_head_start_of_large_batches_changes_nothing(problem, name, rounding):
    claim_weights, claim_limits, units = problem
    shares = claim_limits if name == "proportional" else claim_weights
    path = Path(name, shares, [min(limit, 60) for limit in claim_limits])
    units = min(units, sum(path.limits))
    ranks = ranks_of(names_of(len(claim_weights)), tie_key(SEED, "b"))
    prices = sorted(
        (path.price(place, piece, rounding), ranks[place], place)
        for place, limit in enumerate(path.limits)
        for piece in range(1, limit + 1)
    )
    expected = [0] * len(claim_weights)
    for _, _, place in prices[:units]:
        expected[place] += 1
    assert cheapest_pieces(path, units, rounding, ranks) == expected


@FEW
@given(columns(most=8), st.sampled_from(["cea", "proportional", "cel", "talmud"]))
def test_a_divisible_rule_hands_out_everything_within_the_limits(problem, name):
    claim_weights, claim_limits, units = problem
    path = Path(name, claim_limits if name == "proportional" else claim_weights, claim_limits)
    awards = path.awards(units)
    assert sum(awards) == units
    assert all(0 <= award <= limit for award, limit in zip(awards, claim_limits, strict=True))
    if name == "cea":
        open_levels = {a / w for a, w, c in zip(awards, claim_weights, claim_limits, strict=True) if a < c}
        assert len(open_levels) <= 1
        level = max(open_levels, default=Fraction(0))
        assert all(
            a == c and a <= level * w
            for a, w, c in zip(awards, claim_weights, claim_limits, strict=True)
            if a == c and open_levels
        )


@FEW
@given(columns())
def test_a_bigger_batch_hurts_nobody_under_webster(problem):
    claim_weights, claim_limits, units = problem
    path = Path("cea", claim_weights, claim_limits)
    ranks = ranks_of(names_of(len(claim_weights)), tie_key(SEED, "b"))
    fewer, more = (rounded(path, min(many, sum(claim_limits)), "webster", ranks) for many in (units, units + 1))
    assert all(before <= after for before, after in zip(fewer, more, strict=True))


@FEW
@given(columns(least=2))
def test_without_one_member_and_the_award_nobody_else_changes_under_webster(problem):
    claim_weights, claim_limits, units = problem
    ranks = ranks_of(names_of(len(claim_weights)), tie_key(SEED, "b"))
    whole = rounded(Path("cea", claim_weights, claim_limits), units, "webster", ranks)
    rest = rounded(Path("cea", claim_weights[1:], claim_limits[1:]), units - whole[0], "webster", ranks[1:])
    assert rest == whole[1:]


@FEW
@given(columns(), st.integers(1, 50))
def test_asking_for_more_than_the_truth_never_gives_more_useful_pieces_under_webster(problem, exaggerated):
    claim_weights, claim_limits, units = problem
    ranks = ranks_of(names_of(len(claim_weights)), tie_key(SEED, "b"))
    honest = rounded(Path("cea", claim_weights, claim_limits), units, "webster", ranks)
    inflated = [claim_limits[0] + exaggerated, *claim_limits[1:]]
    greedy = rounded(Path("cea", claim_weights, inflated), units, "webster", ranks)
    assert min(greedy[0], claim_limits[0]) <= honest[0]


def test_tickets_by_arrays_are_the_tickets_by_the_paper():
    names, key = names_of(300) * 20, tie_key(SEED, "b")
    numbers = [claim_number(name) for name in names]
    one_by_one = [ticket(key, name) for name in names[:300]] * 20
    assert tickets_by_arrays(key, np.array(numbers, np.uint64)).tolist() == one_by_one
    other = tie_key(SEED, "c")
    mixed = tickets_of_many([key, other, key], [2, 1, 5997], numbers)
    assert mixed[:4] == [ticket(own, name) for own, name in zip([key, key, other, key], names, strict=False)]


def test_tickets_do_not_depend_on_where_chunks_and_threads_meet():
    numbers, key = list(range(70_001)), tie_key(SEED, "b")
    drawn = tickets_by_arrays(key, np.array(numbers, np.uint64))
    for place in (0, 34_999, 35_000, 35_001, 70_000):
        assert drawn[place] == tickets_of_many([key], [1], [numbers[place]])[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticket_arrays, "_CHUNK", 999)
        assert (tickets_by_arrays(key, np.array(numbers, np.uint64)) == drawn).all()
        patch.setattr(ticket_arrays, "_TWO_THREADS_FROM", 10**9)
        assert (tickets_by_arrays(key, np.array(numbers, np.uint64)) == drawn).all()


@pytest.mark.parametrize("far", [2**60, 2**61, 2**64])
def test_balances_beyond_64_bits_are_kept_to_the_last_digit(far):
    names = names_of(3)
    season = [BatchInput(f"b{number}", 4, names, [1, 2, 3], [3, 3, 3]) for number in range(3)]
    reference = Standing({names[0]: far, names[1]: -far})
    for batch in season:
        reference.add(batch.ids, share_out_by_reference(batch, reference, Terms(), SEED))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "ARRAYS_FROM", 2)
        _, closing = share_out_pool(season, Standing({names[0]: far, names[1]: -far}), Terms(), SEED)
    assert closing.owed == reference.owed


def test_equal_tickets_fall_back_on_the_claim_id():
    places = np.arange(6)
    same = np.zeros(6, np.uint64)
    assert places[first_by_ticket(places, 2, tie_key(SEED, "b"), same)].tolist() == [0, 1]
    assert small_batches.cheapest_pieces([1] * 4, [1] * 4, 2, [7] * 4) == [1, 1, 0, 0]
    assert small_batches.pieces_due([500_000] * 4, [1] * 4, 2, [7] * 4) == [1, 1, 0, 0]
    assert small_batches.pieces_due([1_500_000] * 4, [2] * 4, 2, [7] * 4) == [1, 1, 0, 0]


def test_many_kinds_of_claims_need_no_counting_by_kind():
    random = np.random.default_rng(7)
    w = random.integers(1, 2000, 30_000)
    c = random.integers(0, 50, 30_000)
    units = int(c.sum() * 2 // 5)
    names, key = [f"{place:05}" for place in range(len(w))], tie_key(SEED, "b")
    numbers = np.array([claim_number(name) for name in names], np.uint64)
    drawn = tickets_by_arrays(key, numbers).tolist()
    assert kinds_of(w, c).of_claim is None
    expected = small_batches.cheapest_pieces(w.tolist(), c.tolist(), units, drawn)
    assert kernel.cheapest_pieces(w, c, units, key, numbers).tolist() == expected
    parts = small_batches.entitlements(w.tolist(), c.tolist(), units, drawn)
    assert kernel.entitlements(w, c, units, key, numbers).tolist() == parts


def test_beyond_the_bounds_of_arrays_whole_numbers_take_over():
    huge = 2**53 - 1
    assert not kernel.within_bounds([1, huge], [huge, huge], huge)
    batch = BatchInput("b", huge, ["a", "b", "c"], [1, huge, 3], [huge, huge, huge])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "ARRAYS_FROM", 2)
        outcome = share_out_batch(batch, Standing(), Terms(), SEED)
    assert figures(outcome) == figures(share_out_by_reference(batch, Standing(), Terms(), SEED))
    assert sum(outcome.awards) == huge
    assert floor(sum(outcome.entitlements) / MICRO) == huge


def test_targets_far_apart_need_no_counting_by_kind():
    random = np.random.default_rng(7)
    targets = random.integers(-(10**14), 10**14, 3_000)
    c = random.integers(0, 10**8, 3_000)
    names, key = names_of(3_000), tie_key(SEED, "b")
    numbers = np.array([claim_number(name) for name in names], np.uint64)
    for units in (0, 1, int(c.sum()) // 3, int(c.sum()) - 1, int(c.sum())):
        ranks = ranks_of(names, key) if units else [(0, name.encode()) for name in names]
        expected = standing.hand_out(targets.tolist(), c.tolist(), units, ranks)
        assert kernel.pieces_due(targets, c, units, key, numbers).tolist() == expected
