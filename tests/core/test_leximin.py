"""Several products together: the reference against the definition, the arrays against the reference, and its promises."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.core.claims import MICRO
from coop.core.errors import RuleBroken
from coop.core.fields import parsed
from coop.core.leximin import StandingPrices, WebsterPrices, entitlements_in_flow, member_totals, share_out_flow
from coop.core.leximin_sharing import share_out_together, within_bounds
from coop.core.leximin_words import turn_sentence, turns_of
from coop.core.networks import Network
from coop.core.problems import read_problem
from coop.core.rules import Path, cheapest_pieces
from coop.core.solve import solve
from coop.core.tickets import ticket, tie_key

SEED = bytes(range(32))


@pytest.fixture(scope="module")
def times(full):
    """How many times as many examples the long form tries."""
    return 14 if full else 1


def network_of(random, members, products, *, heaviest=3, most=8):
    """Draw a network; members and products stand in the order of their ids' bytes."""
    ids = [f"m{place:04}" for place in range(members)]
    names = [f"p{place:03}" for place in range(products)]
    wishes = []
    for _ in ids:
        wanted = random.permutation(products)[: random.integers(0, min(products, 4) + 1)]
        wishes.append([(int(product), int(random.integers(0, 5))) for product in wanted])
    caps = [int(random.choice([random.integers(0, most), 10**6])) for _ in ids]
    weights = [int(weight) for weight in random.integers(1, heaviest + 1, members)]
    units = [int(pieces) for pieces in random.integers(0, most + 1, products)]
    return Network(ids, weights, caps, names, units, wishes)


def ranks_of(network):
    key = tie_key(SEED, "b")
    return [(ticket(key, member), member.encode()) for member in network.ids]


def can_be_supplied(network, wanted, units, wishes):
    """Ask Hall's condition of every set of products: what lies outside it must do for whoever is not served by it."""
    for chosen in range(1 << len(units)):
        inside = sum(pieces for product, pieces in enumerate(units) if chosen >> product & 1)
        outside = sum(
            min(total, sum(limit for product, limit in own if not chosen >> product & 1))
            for total, own in zip(wanted, wishes, strict=True)
        )
        if inside + outside < sum(wanted):
            return False
    return True


def by_definition(network, prices, ranks):
    totals, still_open = [0] * len(network.ids), set(range(len(network.ids)))
    while still_open:
        member = min(still_open, key=lambda one: (prices.price(one, totals[one] + 1), ranks[one]))
        totals[member] += 1
        if totals[member] > network.caps[member] or not can_be_supplied(network, totals, network.units, network.wishes):
            totals[member] -= 1
            still_open.discard(member)
    return totals


def picks_by_definition(network, totals, prices, ranks):
    units, left = list(network.units), list(totals)
    wishes = [dict(own) for own in network.wishes]
    turns = sorted(
        (prices.price(m, piece), ranks[m], m) for m, total in enumerate(totals) for piece in range(1, total + 1)
    )
    found = []
    for _, _, member in turns:
        left[member] -= 1
        for product in wishes[member]:
            units[product] -= 1
            wishes[member][product] -= 1
            possible = min(units[product], wishes[member][product]) >= 0
            if possible and can_be_supplied(network, left, units, [list(own.items()) for own in wishes]):
                found.append((member, product))
                break
            units[product] += 1
            wishes[member][product] += 1
    return found


def prices_of(network, random, place):
    if place % 2:
        return WebsterPrices(network.weights)
    return StandingPrices([int(owed) for owed in random.integers(-3 * MICRO, 3 * MICRO, len(network.ids))])


def test_the_reference_hands_out_piece_by_piece_and_picks_as_the_definition_says(times):
    random = np.random.default_rng(11)
    for place in range(60 * times):
        network = network_of(random, int(random.integers(1, 7)), int(random.integers(1, 5)))
        prices, ranks = prices_of(network, random, place), ranks_of(network)
        totals, _ = member_totals(network, prices, ranks)
        assert totals == by_definition(network, prices, ranks)
        if place % 2:
            shares = share_out_flow(network, SEED, "b")
            assert shares.totals == totals
            assert list(shares.picks) == picks_by_definition(network, totals, prices, ranks)


@pytest.mark.parametrize("products", [1, 3, 8, 70])
def test_the_arrays_equal_the_reference_on_any_network(products, times):
    random = np.random.default_rng(products)
    for place in range(40 * times):
        members = int(random.choice([1, 3, 8, 25, 50]))
        shape = {"heaviest": int(random.choice([1, 3, 50])), "most": int(random.choice([3, 12, 40]))}
        network = network_of(random, members, products, **shape)
        opening = [int(owed) for owed in random.integers(-MICRO, MICRO, members)] if place % 2 else None
        assert within_bounds(network, opening)
        assert share_out_together(network, SEED, "b", opening) == share_out_flow(network, SEED, "b", opening)


def test_nothing_that_can_be_supplied_is_left_and_nobody_gets_more_than_asked():
    random = np.random.default_rng(3)
    network = network_of(random, 60, 6, most=40)
    shares = share_out_together(network, SEED, "b", [0] * 60)
    taken = np.zeros((60, 6), np.int64)
    for member, product in shares.picks:
        taken[member, product] += 1
    assert taken.sum(axis=1).tolist() == shares.totals
    assert (taken.sum(axis=0) <= network.units).all()
    assert all(taken[member, product] <= limit for member, own in enumerate(network.wishes) for product, limit in own)
    assert sum(shares.entitlements) == MICRO * sum(shares.totals)
    for member, limit in enumerate(network.limits()):
        more = list(shares.totals)
        more[member] += 1
        assert more[member] > limit or not can_be_supplied(network, more, network.units, network.wishes)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=9), st.integers(0, 40))
def test_one_product_alone_is_shared_out_as_a_batch_of_its_own(claims, units):
    ids = [f"m{place}" for place in range(len(claims))]
    weights, limits = [w for w, _ in claims], [c for _, c in claims]
    network = Network(ids, weights, limits, ["jam"], [units], [[(0, limit)] for limit in limits])
    expected = cheapest_pieces(Path("cea", weights, limits), min(units, sum(limits)), "webster", ranks_of(network))
    assert share_out_together(network, SEED, "b").totals == expected


def test_pieces_too_many_for_arrays_are_shared_out_by_whole_numbers():
    huge = 2**53 - 1
    network = Network(["a", "b"], [huge, 1], [9, 9], ["p", "q"], [huge, 3], [[(0, huge)], [(0, 4), (1, 5)]])
    assert not within_bounds(network, None)
    assert share_out_together(network, SEED, "b").totals == [9, 7]
    many = Network(["a", "b"], [1, 2], [huge, huge], ["p"], [900_000], [[(0, huge)], [(0, huge)]])
    totals, _ = member_totals(many, WebsterPrices(many.weights), ranks_of(many))
    assert totals == [300_000, 600_000]
    assert entitlements_in_flow(many, ranks_of(many)) == [300_000 * MICRO, 600_000 * MICRO]


FLOW = {
    "id": "f",
    "rule": "leximin_flow",
    "claims": [{"id": "ana", "weight": 1, "cap": None}, {"id": "tomas", "weight": 2, "cap": 2}],
    "products": [{"id": "plum", "units": 1}, {"id": "quince", "units": 4}],
    "edges": [
        {"member": "ana", "product": "quince", "rank": 2},
        {"member": "ana", "product": "plum", "limit": 1, "rank": 1},
        {"member": "tomas", "product": "plum", "limit": None, "rank": 1},
        {"member": "tomas", "product": "quince", "limit": 4, "rank": 2},
    ],
}


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_solve_prints_how_many_and_which(engine):
    answer = solve(FLOW, engine)
    assert answer == {
        "id": "f",
        "awards": {"ana": 3, "tomas": 2},
        "picks": {"ana": {"quince": 3}, "tomas": {"plum": 1, "quince": 1}},
    }
    assert solve({**FLOW, "params": {"rounding": "standing"}}, engine)["awards"] == {"ana": 3, "tomas": 2}


def test_the_reason_names_the_turn_and_what_was_gone():
    network = Network(
        ["ana", "tomas"],
        [1, 2],
        [3, 2],
        ["fig", "plum", "quince"],
        [1, 1, 9],
        [[(1, 1), (0, 1), (2, 9)], [(0, 1), (1, 1)]],
    )
    shares = share_out_together(network, SEED, "b")
    said = [turn_sentence(turn, network.products) for turn in turns_of(network, shares, 0)]
    assert shares.totals == [3, 2]
    assert [sentence.split(" at ")[0] for sentence in said] == ["Plum and fig were gone"] * 3
    assert said[0].endswith("; your third choice, quince, was free.")
    own = [turn_sentence(turn, network.products) for turn in turns_of(network, shares, 1)]
    assert own[0] == "At your turn, number 1 of 5, your first choice, fig, was free."


@pytest.mark.parametrize(
    ("code", "field", "changes"),
    [
        ("unknown_rounding", "params.rounding", {"params": {"rounding": "hill"}}),
        ("duplicate_claim", "claims[1].id", {"claims": [{"id": "ana"}, {"id": "ana"}]}),
        ("duplicate_product", "products[1].id", {"products": [{"id": "p", "units": 1}, {"id": "p", "units": 1}]}),
        ("duplicate_edge", "edges[1]", {"edges": [{"member": "ana", "product": "plum"}] * 2}),
        ("unknown_claim", "edges[0].member", {"edges": [{"member": "vera", "product": "plum"}]}),
        ("unknown_product", "edges[0].product", {"edges": [{"member": "ana", "product": "fig"}]}),
        ("out_of_range", "claims[0].weight", {"claims": [{"id": "ana", "weight": 0}]}),
        ("out_of_range", "claims[0].cap", {"claims": [{"id": "ana", "cap": -1}]}),
        ("not_whole", "products[0].units", {"products": [{"id": "p", "units": 1.5}]}),
        ("bad_seed", "seed", {"seed": "00"}),
        ("unknown_field", "edges[0].max", {"edges": [{"member": "ana", "product": "plum", "max": 1}]}),
    ],
)
def test_a_malformed_flow_is_refused_with_a_path(code, field, changes):
    with pytest.raises(RuleBroken) as refusal:
        read_problem(parsed(json.dumps({**FLOW, **changes})))
    assert (refusal.value.code, refusal.value.field) == (code, field)


def test_ids_of_the_same_network_in_another_order_change_nothing():
    turned = {name: value[::-1] if isinstance(value, list) else value for name, value in FLOW.items()}
    answers = [solve(problem) for problem in (FLOW, turned)]
    assert answers[0] == answers[1]
    assert list(answers[1]["awards"]) == ["tomas", "ana"]
