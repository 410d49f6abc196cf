"""An outcome looked at beforehand: other yields, another rule, the same arithmetic."""

from coop.core.claims import STANDING_RULE, WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.commitments import Promise
from coop.core.outcome import BatchNumbers, batch_numbers, under_rule, with_yields
from coop.core.pool_run import ClaimedBatch, PoolProblem, share_out
from coop.core.records import CHAIN_START, Source

GIN, JAM = 1, 2
ANA, TOMAS = 7, 8


def a_problem(*, gin: int, jam: int) -> PoolProblem:
    """Ana (weight 2) and Tomas (weight 1) wish 3 gin each; Ana alone wishes 2 jam and would take 2 more. Gin has a rule of its own."""
    return PoolProblem(
        season="Autumn",
        pool="November",
        rule=STANDING_RULE,
        terms=Terms("rounding"),
        source=Source(Promise("season"), bytes(32)),
        chain_start=CHAIN_START,
        batches=[
            ClaimedBatch(GIN, [1, 2], [ANA, TOMAS], BatchInput("gin", gin, ["a", "b"], [2, 1], [3, 3])),
            ClaimedBatch(JAM, [3], [ANA], BatchInput("jam", jam, ["a"], [2], [2], [2], rule=WEBSTER_RULE)),
        ],
        standing=Standing({"a": 0, "b": 0}),
    )


def test_a_batch_is_told_by_what_was_made_wanted_awarded_extra_short_and_left():
    problem = a_problem(gin=4, jam=5)
    numbers = batch_numbers(problem, share_out(problem))
    assert numbers == {GIN: BatchNumbers(4, 6, 4, 0), JAM: BatchNumbers(5, 2, 4, 2)}
    assert (numbers[GIN].short, numbers[GIN].shelf) == (2, 0)
    assert (numbers[JAM].short, numbers[JAM].shelf) == (0, 1)


def test_yields_put_in_beforehand_give_the_problem_with_those_yields():
    put_in = with_yields(a_problem(gin=0, jam=0), {GIN: 4, JAM: 5})
    assert share_out(put_in) == share_out(a_problem(gin=4, jam=5))


def test_a_batch_without_a_yield_counts_as_nothing_made():
    assert [claimed.batch.units for claimed in with_yields(a_problem(gin=4, jam=5), {GIN: 4}).batches] == [4, 0]


def test_another_rule_leaves_a_batch_with_a_rule_of_its_own_alone():
    other = under_rule(a_problem(gin=4, jam=5), WEBSTER_RULE)
    assert (other.rule, other.terms, other.standing) == (WEBSTER_RULE, Terms(None), Standing())
    back = under_rule(other, STANDING_RULE)
    assert [claimed.batch.rule for claimed in back.batches] == [STANDING_RULE, STANDING_RULE]
    assert back.terms == Terms("rounding")
