"""A corrected yield: what is handed over stays, the rule hands out the rest, and the proof takes it up."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.core.canonical import canonical
from coop.core.claims import MICRO, STANDING_RULE, WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.correction import corrected
from coop.core.correction_record import Correction
from coop.core.errors import RuleBroken
from coop.core.proof import verify_lines
from coop.core.records import CHAIN_START
from coop.core.sharing import share_out_batch
from coop.core.standing import share_out_by_reference
from coop.core.tickets import ticket, tie_key
from tests.core.test_proof import BATCHES, proof_of

SEED = bytes(range(32))
RULES = (STANDING_RULE, WEBSTER_RULE, "cea/largest_remainder@1", "proportional/largest_remainder@1")


@st.composite
def batches_handed_over_in_part(draw):
    many = draw(st.integers(1, 6))
    columns = [draw(st.lists(st.integers(1, 4), min_size=many, max_size=many)) for _ in range(2)]
    tolerances = draw(st.lists(st.integers(0, 2), min_size=many, max_size=many))
    floors = [
        draw(st.integers(0, wish + more)) if draw(st.booleans()) else 0
        for wish, more in zip(columns[1], tolerances, strict=True)
    ]
    units = draw(st.integers(sum(floors), sum(columns[1]) + sum(tolerances) + 2))
    batch = BatchInput(
        "jam", units, [f"m{n}" for n in range(many)], *columns, tolerances, rule=draw(st.sampled_from(RULES)), version=2
    )
    owed = draw(st.lists(st.integers(-MICRO, MICRO), min_size=many, max_size=many))
    return batch, floors, Standing(dict(zip(batch.ids, owed, strict=True)))


@pytest.mark.parametrize("terms", [Terms(), Terms("season", 1)])
@settings(max_examples=300, deadline=None)
@given(case=batches_handed_over_in_part())
def test_both_engines_agree_and_nothing_handed_over_is_taken_back(terms, case):
    batch, floors, standing = case
    by_reference = corrected(batch, floors, standing, terms, SEED, share_out_by_reference)
    fast = corrected(batch, floors, standing, terms, SEED, share_out_batch)
    assert [list(column) for column in fast] == [list(column) for column in by_reference]
    asked = [wish + more for wish, more in zip(batch.requests, batch.tolerances, strict=True)]
    assert all(low <= award <= most for low, award, most in zip(floors, fast.awards, asked, strict=True))
    assert sum(fast.awards) == min(batch.units, sum(asked))
    wished = [min(award, wish) for award, wish in zip(fast.awards, batch.requests, strict=True)]
    assert sum(fast.entitlements) == MICRO * sum(wished)
    assert sum(fast.closing) == sum(fast.opening)


@settings(max_examples=300, deadline=None)
@given(case=batches_handed_over_in_part())
def test_rules_by_price_hand_out_the_cheapest_pieces_from_the_bounds_up(case):
    batch, floors, standing = case
    batch = replace(batch, tolerances=())
    floors = [min(floor, wish) for floor, wish in zip(floors, batch.requests, strict=True)]
    for rule in (STANDING_RULE, WEBSTER_RULE):
        outcome = corrected(replace(batch, rule=rule), floors, standing, Terms(), SEED, share_out_by_reference)
        awards = list(floors)
        key = tie_key(SEED, batch.id)
        for _ in range(min(batch.units, sum(batch.requests)) - sum(floors)):
            prices = {
                place: (
                    Fraction(2 * awards[place] + 1, 2 * batch.weights[place])
                    if rule == WEBSTER_RULE
                    else MICRO * (awards[place] + 1) - outcome.opening[place] - outcome.entitlements[place],
                    ticket(key, batch.ids[place]),
                )
                for place, wish in enumerate(batch.requests)
                if awards[place] < wish
            }
            awards[min(prices, key=prices.__getitem__)] += 1
        assert list(outcome.awards) == awards


@settings(max_examples=200, deadline=None)
@given(case=batches_handed_over_in_part())
def test_without_anything_handed_over_a_correction_is_the_rule_itself(case):
    batch, floors, standing = case
    nothing = [0] * len(floors)
    again = corrected(batch, nothing, standing, Terms(), SEED, share_out_batch)
    assert list(again.awards) == list(share_out_batch(batch, standing, Terms(), SEED).awards)


def test_fewer_pieces_than_were_handed_over_are_refused():
    with pytest.raises(RuleBroken, match="below_delivered"):
        corrected(BatchInput("jam", 2, ["a"], [1], [3]), [3], Standing(), Terms(), SEED, share_out_batch)


def a_corrected_proof(terms, *, units=4, version=2, corrects=None, floors=(1, 0, 0), start="ab" * 32):
    lines, _ = proof_of(BATCHES, terms)
    first = json.loads(lines[1])
    batch = replace(BATCHES[0], units=units, version=version)
    standing = Standing(first["opening"], first.get("entitled", {}))
    head = _head(lines)
    outcome = corrected(batch, floors, standing, terms, head.seed, share_out_batch)
    made = Correction(head, start, corrects or first["result_digest"], batch, floors, outcome)
    return [*lines, *made.lines()], made


def _head(lines):
    from coop.core.proof_reading import read_head

    return read_head(json.loads(lines[0]))


@pytest.mark.parametrize("terms", [Terms(), Terms("season", 1)])
def test_a_proof_goes_on_with_its_corrections(terms):
    lines, made = a_corrected_proof(terms)
    verdict = verify_lines(lines)
    assert (verdict["first_difference"], verdict["result_digest"]) == (None, made.link)
    again = corrected(replace(made.batch, units=2, version=3), (1, 0, 0), _opening(lines), terms, made.head.seed, share_out_batch)  # fmt: skip
    third = Correction(made.head, made.link, made.link, replace(made.batch, units=2, version=3), (1, 0, 0), again)
    assert verify_lines([*lines, *third.lines()])["result_digest"] == third.link


def _opening(lines):
    first = json.loads(lines[1])
    return Standing(first["opening"], first.get("entitled", {}))


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("award", lambda line: line["awards"].update(_swapped(line["awards"]))),
        ("floors", lambda line: line["floors"].update({next(iter(line["floors"])): 9})),
        ("opening", lambda line: line["opening"].update({next(iter(line["opening"])): 7})),
        ("input", lambda line: line["input"]["claims"][0].update(request=1)),
        ("corrects", lambda line: line.update(corrects="0" * 64)),
        ("seed", lambda line: line.update(seed="0" * 64)),
        ("chain", lambda line: line.update(result_digest="0" * 64)),
        ("unknown_field", lambda line: line.update(note="trust me")),
    ],
)
def test_a_changed_correction_is_found_and_named(what, change):
    lines, _ = a_corrected_proof(Terms())
    content = json.loads(lines[-1])
    change(content)
    lines[-1] = canonical(content) + b"\n"
    assert verify_lines(lines)["first_difference"]["what"] == what


def _swapped(awards):
    (one, first), (other, second) = sorted(awards.items(), key=lambda row: row[1])[:: len(awards) - 1]
    return {one: second, other: first}


def test_a_version_left_out_or_a_correction_cut_off_is_found():
    lines, _ = a_corrected_proof(Terms(), version=3)
    assert verify_lines(lines)["first_difference"]["what"] == "version"
    lines, _ = a_corrected_proof(Terms())
    assert verify_lines(lines[:-1])["first_difference"]["what"] == "batches"
    assert CHAIN_START
