"""The rules side by side: only the rule differs, and every figure can be counted by hand."""

from fractions import Fraction

from coop.core.claims import OFFERED_RULES, STANDING_RULE, WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.commitments import Promise
from coop.core.comparison import Change, changes, compare
from coop.core.pool_run import ClaimedBatch, PoolProblem, share_out
from coop.core.records import CHAIN_START, Source
from coop.web.words import RULES

ANA, TOMAS = 7, 8


def a_problem() -> PoolProblem:
    """One bottle for two members of the same weight, of whom Tomas ("b") is owed half a bottle."""
    return PoolProblem(
        season="Autumn",
        pool="November",
        rule=STANDING_RULE,
        terms=Terms("rounding"),
        source=Source(Promise("season"), bytes(32)),
        chain_start=CHAIN_START,
        batches=[
            ClaimedBatch(1, [1, 2], [ANA, TOMAS], BatchInput("gin", 1, ["a", "b"], [1, 1], [1, 1])),
            ClaimedBatch(2, [3], [ANA], BatchInput("jam", 4, ["a"], [1], [3], [2])),
        ],
        standing=Standing({"a": -500_000, "b": 500_000}),
    )


def test_the_rule_in_force_comes_first_and_is_measured_as_it_was_shared_out():
    problem = a_problem()
    shared = share_out(problem)
    in_force = compare(problem, shared, OFFERED_RULES)[0]
    assert (in_force.rule, in_force.in_force, in_force.more, in_force.fewer, in_force.moved) == (
        STANDING_RULE,
        True,
        0,
        0,
        0,
    )
    # Tomas was owed half a bottle, so the bottle is his; Ana has 3 jars of the 4 pieces she wished for, and 1 jar on top
    assert (in_force.pieces, in_force.members, in_force.fully_served) == (5, 2, 1)
    assert in_force.lowest == Fraction(0)
    assert in_force.jain == Fraction((3 * 1 + 4) ** 2, 2 * (9 + 16))  # fills 3/4 and 1
    assert in_force.histogram == (0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1)


def test_a_batch_that_failed_whole_says_nothing_about_the_worst_served_line():
    problem = a_problem()
    problem.batches[0] = ClaimedBatch(1, [1, 2], [ANA, TOMAS], BatchInput("gin", 0, ["a", "b"], [1, 1], [1, 1]))
    problem.batches[1] = ClaimedBatch(2, [3], [ANA], BatchInput("jam", 1, ["a"], [1], [3]))
    in_force = compare(problem, share_out(problem), [])[0]
    assert in_force.lowest == Fraction(1, 3)  # one jar of three; nobody could have had gin
    assert in_force.fully_served == 0


def test_changes_are_counted_by_members_and_named_by_household():
    problem = a_problem()
    shared = share_out(problem)
    in_force, other = compare(problem, shared, [STANDING_RULE, WEBSTER_RULE])
    # without memory a ticket decides: either nothing changes, or the bottle goes from Tomas to Ana
    received = dict(zip(other.fills.households.tolist(), other.fills.received.tolist(), strict=True))
    if received == {ANA: 4, TOMAS: 0}:
        assert (other.more, other.fewer, other.moved) == (1, 1, 1)
        assert changes(in_force.fills, other.fills) == [Change(ANA, 4, 3, 4), Change(TOMAS, 1, 1, 0)]
    else:
        assert received == {ANA: 3, TOMAS: 1}
        assert (other.more, other.fewer, other.moved, changes(in_force.fills, other.fills)) == (0, 0, 0, [])


def test_every_rule_hands_out_the_same_pieces():
    problem = a_problem()
    assert {under.pieces for under in compare(problem, share_out(problem), OFFERED_RULES)} == {5}


def test_every_rule_that_is_offered_is_told_in_plain_words():
    assert set(OFFERED_RULES) <= RULES.keys()
