"""Batches shared out together: what follows from the rule, that engine and reference agree, and that the proof holds."""

import json
import subprocess
import sys

import numpy as np
import pytest

from coop.core.claims import STANDING_RULE, TOGETHER_RULE, WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.commitments import Commitment, PromisedBatch
from coop.core.leximin import share_out_flow
from coop.core.pool_run import ClaimedBatch, PoolProblem, award_columns, fill, frozen_inputs, proof_of, share_out
from coop.core.proof import verify_lines
from coop.core.records import CHAIN_START, Source
from coop.core.sharing import share_out_batch
from coop.core.tickets import source_of_season
from coop.core.together import Choice, parts_of_pool, share_out_part, taken_by
from coop.core.together_proof import _topped_up
from coop.core.together_sharing import share_out_by_engine
from coop.formats.stand_alone import stand_alone_verifier
from tests.proofs import PROMISE, SECRET

SEED = bytes(range(32))


def batch(lot, units, claims, *, more=(), rule=TOGETHER_RULE):
    """Build a batch from wishes by claim; `claims` gives wish or (wish, weight)."""
    ids = sorted(claims)
    asked = [claims[claim] if isinstance(claims[claim], tuple) else (claims[claim], 1) for claim in ids]
    wishes, weights = [wish for wish, _ in asked], [weight for _, weight in asked]
    return BatchInput(lot, units, ids, weights, wishes, [dict(more).get(claim, 0) for claim in ids], rule)


def pool(batches, choices=(), *, terms=None, commitment=None):
    claimed = [
        ClaimedBatch(n, [1000 * n + k for k in range(len(one.ids))], [ord(name[0]) for name in one.ids], one)
        for n, one in enumerate(batches)
    ]
    source = Source(PROMISE, source_of_season(SECRET, "2011-W01"))
    return PoolProblem(
        "2011 Spring", "2011-W01", STANDING_RULE, terms or Terms(), source, CHAIN_START, claimed, Standing(), commitment, choices
    )  # fmt: skip


def awards(shared):
    return [list(outcome.awards) for outcome in shared.outcomes]


def test_who_would_also_take_another_batch_leaves_the_scarce_one_to_whoever_would_not():
    gin, jam = batch("gin", 1, {"ana": 1, "ben": 1}), batch("jam", 1, {"ana": 1})
    shared = share_out(pool([gin, jam], [Choice("ana", 1, (0, 1))]))
    assert awards(shared) == [[0, 1], [1]]


def test_the_best_liked_batch_is_taken_wherever_everybody_can_still_be_served():
    gin, jam = batch("gin", 2, {"ana": 1, "ben": 1}), batch("jam", 2, {"ana": 1, "ben": 1})
    choices = [Choice("ana", 1, (1, 0)), Choice("ben", 1, (0, 1))]
    assert awards(share_out(pool([gin, jam], choices))) == [[0, 1], [1, 0]]


def test_a_choice_never_takes_more_than_its_cap_over_all_its_lines():
    gin, jam = batch("gin", 9, {"ana": 3}), batch("jam", 9, {"ana": 3})
    assert awards(share_out(pool([gin, jam], [Choice("ana", 3, (0, 1))]))) == [[3], [0]]
    gin = batch("gin", 1, {"ana": 3})
    assert awards(share_out(pool([gin, jam], [Choice("ana", 3, (0, 1))]))) == [[1], [2]]


def test_a_batch_that_nobody_links_with_another_is_shared_out_to_equal_levels_by_itself():
    random = np.random.default_rng(7)
    for _ in range(40):
        claims = {f"m{n:02}": (int(random.integers(0, 6)), int(random.integers(1, 4))) for n in range(9)}
        one = batch("gin", int(random.integers(0, 30)), claims)
        part = parts_of_pool([one], [])[0][1]
        shared = share_out_by_engine(part, SEED)
        wishes = [wish for wish, _ in claims.values()]
        assert sum(shared.awards[0]) == min(one.units, sum(wishes))
        levels = [(award / weight, wish > award, weight) for award, (wish, weight) in zip(shared.awards[0], claims.values(), strict=True)]  # fmt: skip
        waiting = [level + 1 / weight for level, is_short, weight in levels if is_short]
        assert all(level - 1 / weight / 2 <= min(waiting, default=99) for level, _, weight in levels)


def test_batches_form_parts_by_the_choices_that_link_them():
    batches = [batch(name, 1, {}) for name in "abcde"]
    batches[3] = batch("d", 1, {}, rule=WEBSTER_RULE)
    choices = [Choice("x", 1, (0, 4)), Choice("y", 1, (4, 2))]
    parts = parts_of_pool(batches, choices)
    assert [places for places, _ in parts] == [[0, 2, 4], [1]]
    assert [choice.places for choice in parts[0][1].choices] == [(0, 2), (2, 1)]


def random_pool(random, many=12):
    ids = [f"m{n:03}" for n in range(many)]
    lots = [f"lot-{n}" for n in range(4)]
    claims = [{} for _ in lots]
    choices = []
    for claim in ids:
        places = [int(place) for place in random.permutation(4)[: random.integers(1, 4)]]
        wish, weight = int(random.integers(1, 5)), int(random.integers(1, 4))
        for place in places:
            claims[place][claim] = (wish, weight)
        if len(places) > 1:
            choices.append(Choice(claim, wish, tuple(places)))
    chosen = {choice.id for choice in choices}
    batches = [
        batch(lot, int(random.integers(0, 14)), own, more={one: 2 for one in own if one not in chosen})
        for lot, own in zip(lots, claims, strict=True)
    ]
    return batches, choices


def test_the_engine_equals_the_reference_and_wastes_nothing():
    random = np.random.default_rng(3)
    for _ in range(60):
        batches, choices = random_pool(random)
        for _, part in parts_of_pool(batches, choices):
            shared = share_out_by_engine(part, SEED)
            assert shared.awards == share_out_part(part, SEED, share_out_flow, _topped_up).awards
            caps = {choice.id: choice.cap for choice in part.choices}
            for claim, own in taken_by(shared).items():
                assert sum(own.values()) <= caps.get(claim, 99)
            for one, given in zip(part.batches, shared.awards, strict=True):
                asked = [wish + more for wish, more in zip(one.requests, one.tolerances, strict=True)]
                assert all(award <= most for award, most in zip(given, asked, strict=True))
                waiting = [claim for claim, award, most in zip(one.ids, given, asked, strict=True) if award < most]
                left = one.units - sum(given)
                assert not left or all(sum(taken_by(shared)[claim].values()) == caps.get(claim) for claim in waiting)


def mixed(terms=None, commitment=None):
    """Two batches shared out together, one of the same rule alone, and one by the standing in between."""
    batches = [
        batch("a-gin", 2, {"ana": 1, "ben": (2, 2), "cleo": 1}, more={"cleo": 1}),
        batch("b-mug", 2, {"ana": (2, 1), "ben": (1, 2), "cleo": 1}, rule=STANDING_RULE),
        batch("c-jam", 3, {"ana": 1, "ben": (2, 2)}),
        batch("d-pot", 5, {"cleo": 2}, more={"cleo": 2}),
    ]
    choices = [Choice("ana", 1, (0, 2)), Choice("ben", 2, (2, 0))]
    return pool(batches, choices, terms=terms, commitment=commitment)


@pytest.mark.parametrize("terms", [Terms(), Terms("season", 2)])
def test_a_pool_that_holds_both_kinds_keeps_each_batch_s_outcome_and_leaves_the_standing_alone(terms):
    problem = mixed(terms)
    shared = share_out(problem)
    alone = share_out_batch(problem.batches[1].batch, Standing(), problem.terms, shared.head.seed)
    assert shared.outcomes[1] == alone
    assert [sum(outcome.awards) for outcome in shared.outcomes] == [2, 2, 2, 4]
    by_itself, together = award_columns(problem, shared)
    assert by_itself["offering_id"].tolist() == [1, 1, 1]
    assert sum(by_itself["entitled_micro"]) == 2_000_000
    assert sorted(together) == ["extra", "line_id", "offering_id", "pieces"]
    assert together["offering_id"].tolist() == [0, 0, 0, 2, 2, 3]
    measured = fill(problem, shared)
    assert (measured.claims, measured.pieces, measured.short) == (9, 10, 2)
    assert frozen_inputs(problem).digest == shared.input_digest


def verified(problem):
    return verify_lines(proof_of(problem, share_out(problem)).splitlines(keepends=True))


def test_the_proof_of_a_mixed_pool_holds_and_ends_at_the_pool_s_digest():
    shared = share_out(mixed())
    assert verified(mixed()) == {
        "ok": True, "batches": 3, "result_digest": shared.result_digest, "first_difference": None
    }  # fmt: skip
    assert len(set(shared.links)) == 3
    assert shared.links[0] == shared.links[2] != shared.links[3] == shared.result_digest


def test_one_file_on_bare_python_checks_it_too(tmp_path):
    (tmp_path / "verify.py").write_text(stand_alone_verifier(), encoding="utf-8")
    (tmp_path / "pool.jsonl").write_bytes(proof_of(mixed(), share_out(mixed())))
    command = [sys.executable, "-I", "-S", "verify.py", "pool.jsonl"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)) == (0, verified(mixed()))


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("input", b'"cap":1', b'"cap":2'),
        ("input", b'"request":2', b'"request":1'),
        ("input", b'"units":3', b'"units":2'),
        ("award", b'"ana":{"a-gin":1}', b'"ana":{"c-jam":1}'),
        ("unknown_field", b'"cap":1', b'"cap":1,"card":1'),
        ("out_of_range", b'"batch":1,', b'"batch":7,'),
        ("order", b'{"id":"a-gin","units":2},{"id":"c-jam","units":3}', b'{"id":"c-jam","units":3},{"id":"a-gin","units":2}'),
        ("input", b'"rule":"leximin/webster@1"', b'"rule":"cea/webster@1"'),
        ("input", b'"cap":1,', b""),
    ],
)  # fmt: skip
def test_a_changed_part_is_found_and_named(what, old, new):
    lines = proof_of(mixed(), share_out(mixed())).splitlines(keepends=True)
    assert old in lines[2]
    lines[2] = lines[2].replace(old, new, 1)
    verdict = verify_lines(lines)
    assert not verdict["ok"]
    assert verdict["first_difference"]["line"] == 3
    assert verdict["first_difference"]["what"] == what


def test_a_part_that_is_missing_or_stands_twice_is_found():
    lines = proof_of(mixed(), share_out(mixed())).splitlines(keepends=True)
    assert verify_lines(lines[:-1])["first_difference"]["what"] == "batches"
    assert not verify_lines([*lines[:3], lines[2]])["ok"]


def promising(problem, **changes):
    promised = tuple(
        PromisedBatch(one.batch.id, changes.get(one.batch.id, one.batch.rule), changes.get("cap"))
        for one in problem.batches
    )
    return Commitment("2011 Spring", "2011-W01", STANDING_RULE, problem.terms, promised, PROMISE)


def test_the_promise_covers_what_is_shared_out_together():
    assert verified(mixed(commitment=promising(mixed())))["ok"]
    for changes in ({"a-gin": WEBSTER_RULE}, {"b-mug": TOGETHER_RULE}, {"cap": 1}):
        verdict = verified(mixed(commitment=promising(mixed(), **changes)))
        assert verdict["first_difference"]["what"] == "commitment"


def test_a_pool_without_such_batches_has_the_record_it_always_had():
    problem = pool([batch("b-mug", 2, {"ana": 2, "ben": 1}, rule=STANDING_RULE)])
    shared = share_out(problem)
    assert "parts" not in json.loads(shared.head.text)
    assert shared.input_digest == shared.frozen.digest
    assert len(award_columns(problem, shared)) == 1
