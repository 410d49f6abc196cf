"""Every rule by arrays against the exact reference, on random problems and at the sizes where arithmetic goes wrong."""

import random

import pytest

from coop.core import passes, sharing
from coop.core.array_rules import pass_by_arrays
from coop.core.claims import MICRO, RULES, STANDING_RULE, BatchInput, Row, Standing, Terms
from coop.core.sharing import share_out_batch
from coop.core.standing import share_out_by_reference

SEED = bytes(range(32))
HUGE = 2**53 - 1


def a_batch(chance, rule, most=14):
    """Make up a batch: few or many kinds of claims, small or long numbers, and everything that the rule looks at."""
    many = chance.randint(1, most)
    widest, longest = chance.choice([(1, 1), (3, 4), (4, 30), (40, 40), (900, 7), (32_767, 60)])
    if rule == "lottery@1":
        widest = min(widest, 40)
    wishes = [chance.randint(0, longest) for _ in range(many)]
    own = {}
    if rule == "lots@1":
        own = {
            "packs": [chance.choice([1, 1, 2, 3, 6]) for _ in range(many)],
            "minimums": [chance.choice([0, 1, 2, 5]) for _ in range(many)],
        }
    elif rule == "priority@1":
        own = {
            "tiers": [chance.randint(0, 1) for _ in range(many)],
            "times": [chance.randint(0, 5) for _ in range(many)],
        }
    more = [chance.randint(0, 4) for _ in range(many)] if chance.random() < 0.3 else []
    if rule == "priority@1" and chance.random() < 0.5:
        own["rows"] = [dated_rows(chance, wish, extra) for wish, extra in zip(wishes, more or [0] * many, strict=True)]
    return BatchInput(
        id=f"lot-{chance.randint(1, 99)}",
        units=chance.randint(0, sum(wishes) + (sum(more) + 2 if chance.random() < 0.3 else 0)),
        ids=[f"claim-{place:03}" for place in range(many)],
        weights=[chance.randint(1, widest) for _ in range(many)],
        requests=wishes,
        tolerances=more,
        rule=rule,
        **own,
    )


def dated_rows(chance, wish, extra):
    times = sorted(chance.randint(0, 5) for _ in range(3))
    first, second = sorted(chance.randint(0, wish) for _ in range(2))
    part = chance.randint(0, extra)
    quantities, tolerances = (first, second - first, wish - second), (part, 0, extra - part)
    return tuple(map(Row, times, quantities, tolerances))


def figures(outcome):
    columns = (outcome.awards, outcome.entitlements, outcome.opening, outcome.closing, outcome.entitled)
    return [list(column) for column in columns]


@pytest.fixture
def by_arrays(monkeypatch):
    """Let arrays do even the smallest batches."""
    monkeypatch.setattr(passes, "FRACTIONS_BELOW", 1)
    monkeypatch.setattr(sharing, "ARRAYS_FROM", 2)


@pytest.mark.usefixtures("by_arrays")
@pytest.mark.parametrize("rule", RULES)
def test_arrays_give_what_the_reference_gives(rule, full):
    chance = random.Random(rule)
    for _ in range(10_000 // len(RULES) + 1 if full else 17):
        batch = a_batch(chance, rule)
        terms = chance.choice([Terms(), Terms("season"), Terms("season", 1)])
        if rule != STANDING_RULE and chance.random() < 0.7:
            terms = Terms(None)
        owed = [chance.randint(-MICRO, MICRO) for _ in batch.ids]
        standing = Standing(dict(zip(batch.ids, owed, strict=True)))
        expected = share_out_by_reference(batch, standing, terms, SEED)
        assert figures(share_out_batch(batch, standing, terms, SEED)) == figures(expected), (batch, terms)


def of(rule, weights, wishes, units, **more):
    return BatchInput(
        "lot", units, [f"claim-{place:03}" for place in range(len(wishes))], weights, wishes, rule=rule, **more
    )


EDGES = {
    "nothing asked": ([1, 2, 3], [0, 0, 0], 5),
    "nothing made": ([1, 2, 3], [2, 3, 4], 0),
    "just enough": ([1, 2, 3], [2, 3, 4], 9),
    "one piece short": ([1, 2, 3], [2, 3, 4], 8),
    "a single piece": ([1, 2, 3], [2, 3, 4], 1),
    "one claim": ([7], [9], 4),
    "all alike": ([2] * 40, [3] * 40, 61),
    "heavy beside light": ([1, 32_767, 1, 32_766], [50, 50, 50, 50], 99),
    "nobody but one asks": ([5, 1, 9], [0, 12, 0], 7),
    "long wishes": ([1, 2, 3, 4], [10**6, 10**6 - 1, 3, 10**5], 10**5 + 7),
}


@pytest.mark.usefixtures("by_arrays")
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("rule", RULES)
def test_edges_are_no_different(rule, edge):
    weights, wishes, units = EDGES[edge]
    if rule in {"lottery@1", "lots@1", "cea/hill@1"} and edge in {"heavy beside light", "long wishes"}:
        weights, wishes, units = (
            [1, 50],
            [70, 90],
            99,
        )  # one ticket a point, one step a lot: the reference takes its time
    batch = of(rule, weights, wishes, units)
    terms = Terms() if rule == STANDING_RULE else Terms(None)
    expected = share_out_by_reference(batch, Standing(), terms, SEED)
    assert figures(share_out_batch(batch, Standing(), terms, SEED)) == figures(expected)
    assert sum(expected.awards) == min(units, sum(wishes))


@pytest.mark.usefixtures("by_arrays")
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in {"lottery@1", "lots@1"}])
def test_beyond_64_bits_the_reference_serves_by_itself(rule):
    batch = of(rule, [HUGE, 1, 3, HUGE - 1], [HUGE, 5, HUGE, 7], HUGE)
    if rule not in {STANDING_RULE, "cea/webster@1", "priority@1"}:
        with pytest.raises(OverflowError):
            pass_by_arrays(batch, batch.requests, batch.units, SEED, [0] * 4, on_top=False)
    terms = Terms() if rule == STANDING_RULE else Terms(None)
    outcome = share_out_batch(batch, Standing(), terms, SEED)
    assert figures(outcome) == figures(share_out_by_reference(batch, Standing(), terms, SEED))
    assert sum(outcome.awards) == HUGE


@pytest.mark.parametrize("rule", ["lots@1", "cel/largest_remainder@1", "cea/wheel@1"])
def test_many_claims_go_by_arrays_too(rule):
    chance = random.Random(7)
    many = 700
    own = {
        "packs": [chance.choice([1, 4, 6]) for _ in range(many)],
        "minimums": [chance.randint(0, 9) for _ in range(many)],
    }
    weights, wishes = ([chance.randint(1, most) for _ in range(many)] for most in (9, 20))
    batch = of(rule, weights, wishes, sum(wishes) // 3, **(own if rule == "lots@1" else {}))
    expected = share_out_by_reference(batch, Standing(), Terms(None), SEED)
    assert figures(share_out_batch(batch, Standing(), Terms(None), SEED)) == figures(expected)
