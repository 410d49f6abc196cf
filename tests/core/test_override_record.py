"""Awards changed by hand: what a batch then comes to, its line in the proof, and what the check finds changed in it."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.core.canonical import canonical
from coop.core.claims import LOTS_RULE, MICRO, WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.correction import corrected
from coop.core.correction_record import Correction
from coop.core.errors import RuleBroken
from coop.core.override_record import Change, OverriddenBatch, overridden
from coop.core.proof import verify_lines
from coop.core.proof_reading import read_head
from coop.core.sharing import share_out_batch
from coop.core.standing import share_out_by_reference
from tests.core.test_correction import batches_handed_over_in_part
from tests.proofs import ANA, BATCHES, BEN, CLEO, proof_of

SEED = bytes(range(32))
REASON = hashlib.sha256(b"one jar broke in Ana's hands").hexdigest()


@pytest.mark.parametrize("terms", [Terms(), Terms("season", 1), Terms(None)])
@settings(max_examples=200, deadline=None)
@given(case=batches_handed_over_in_part(), data=st.data())
def test_what_was_received_counts_and_all_balances_still_sum_to_what_they_were(terms, case, data):
    batch, _, standing = case
    if terms.memory is None:
        batch = replace(batch, rule=WEBSTER_RULE)
    computed = share_out_batch(batch, standing, terms, SEED)
    given_pieces = {batch.ids[0]: data.draw(st.integers(0, computed.awards[0]))}
    made = overridden(batch, computed, given_pieces, terms, SEED, share_out_batch)
    assert [list(column) for column in made] == [
        list(column) for column in overridden(batch, computed, given_pieces, terms, SEED, share_out_by_reference)
    ]
    assert list(made.awards)[1:] == list(computed.awards)[1:]
    assert made.awards[0] == given_pieces[batch.ids[0]]
    if terms.memory is not None:
        served = [min(award, wish) for award, wish in zip(made.awards, batch.requests, strict=True)]
        assert sum(made.entitlements) == MICRO * sum(served)
        assert sum(made.closing) == sum(made.opening)


def test_a_piece_moved_by_hand_is_owed_by_the_one_to_the_other():
    batch = BatchInput("jam", 2, ["ana", "ben"], [1, 1], [2, 2])
    computed = share_out_batch(batch, Standing(), Terms(), SEED)
    made = overridden(batch, computed, {"ana": 0, "ben": 2}, Terms(), SEED, share_out_batch)
    assert list(made.entitlements) == [MICRO, MICRO]
    assert list(made.closing) == [MICRO, -MICRO]


@pytest.mark.parametrize(
    ("pieces", "code"), [({"ana": -1}, "out_of_range"), ({"ana": 4}, "out_of_range"), ({"ben": 2}, "over_allocated")]
)
def test_more_than_was_asked_for_or_made_is_refused(pieces, code):
    batch = BatchInput("jam", 2, ["ana", "ben"], [1, 1], [2, 2], [1, 0])
    computed = share_out_batch(batch, Standing(), Terms(), SEED)
    with pytest.raises(RuleBroken, match=code):
        overridden(batch, computed, pieces, Terms(), SEED, share_out_batch)


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_a_rule_with_packs_keeps_them(pieces):
    batch = BatchInput("jam", 12, ["ana"], [1], [12], rule=LOTS_RULE, packs=[3], minimums=[6])
    computed = share_out_batch(batch, Standing(), Terms(None), SEED)
    assert list(overridden(batch, computed, {"ana": 6}, Terms(None), SEED, share_out_batch).awards) == [6]
    for wrong in (pieces, 3):
        with pytest.raises(RuleBroken, match="bad_pack"):
            overridden(batch, computed, {"ana": wrong}, Terms(None), SEED, share_out_batch)


def an_overridden_proof(terms, *, place=0, changed=None):
    """A proof in which a piece of the jam is taken from somebody who got one, and given to nobody."""
    lines, link = proof_of(BATCHES, terms)
    first = json.loads(lines[1 + place])
    batch, head = BATCHES[place], read_head(json.loads(lines[0]))
    standing = Standing(first["opening"], first.get("entitled", {}))
    computed = share_out_by_reference(batch, standing, terms, head.seed)
    who = next(claim for claim in batch.ids if first["awards"][claim])
    given_pieces = changed or {who: first["awards"][who] - 1}
    outcome = overridden(batch, computed, given_pieces, terms, head.seed, share_out_by_reference)
    changes = {claim: Change(first["awards"][claim], pieces, REASON) for claim, pieces in given_pieces.items()}
    made = OverriddenBatch(terms, head.seed, link, batch, changes, outcome)
    return [*lines, made.line], made


@pytest.mark.parametrize("terms", [Terms(), Terms("season", 1)])
def test_a_proof_carries_the_awards_changed_by_hand(terms):
    lines, made = an_overridden_proof(terms)
    verdict = verify_lines(lines)
    assert (verdict["first_difference"], verdict["result_digest"]) == (None, made.link)


def test_a_second_batch_changed_by_hand_follows_the_first():
    lines, made = an_overridden_proof(Terms())
    _, other = an_overridden_proof(Terms(), place=1)
    other = replace(other, previous=made.link)
    assert verify_lines([*lines, other.line])["result_digest"] == other.link
    assert verify_lines([*lines[:-1], other.line])["first_difference"]["what"] == "previous"


def _first(line, name):
    return next(iter(line[name]))


def _more_named(line):
    claim = next(claim for claim in (ANA, BEN, CLEO) if claim not in line["overrides"])
    line["overrides"][claim] = {"computed": line["awards"][claim], "given": 0, "reason": REASON}


def _one(line, **changed):
    line["overrides"][_first(line, "overrides")].update(changed)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("override", lambda line: _one(line, given=line["overrides"][_first(line, "overrides")]["computed"] + 2)),
        ("override", lambda line: _one(line, computed=9)),
        ("override", lambda line: line["overrides"].clear()),
        ("override", _more_named),
        ("override", lambda line: line["awards"].update({_first(line, "overrides"): 9})),
        ("chain", lambda line: _one(line, reason="0" * 64)),
        ("closing", lambda line: line["closing"].update({_first(line, "closing"): 7})),
        ("opening", lambda line: line["opening"].update({_first(line, "opening"): 7})),
        ("input", lambda line: line["input"]["claims"][0].update(request=1)),
        ("previous", lambda line: line.update(previous="0" * 64)),
        ("seed", lambda line: line.update(seed="0" * 64)),
        ("chain", lambda line: line.update(result_digest="0" * 64)),
        ("unknown_field", lambda line: line.update(note="trust me")),
    ],
)
def test_a_changed_added_or_removed_override_is_found_and_named(what, change):
    lines, _ = an_overridden_proof(Terms())
    content = json.loads(lines[-1])
    change(content)
    lines[-1] = canonical(content) + b"\n"
    assert verify_lines(lines)["first_difference"]["what"] == what


def test_an_override_left_out_is_found_by_the_digest_that_the_co_op_published():
    from coop.core.proof_promises import Published

    lines, made = an_overridden_proof(Terms())
    found = verify_lines(lines[:-1], Published(result_digest=made.link))
    assert found["first_difference"]["what"] == "result_digest"


def test_a_batch_changed_by_hand_is_corrected_from_there_and_not_changed_by_hand_again():
    lines, made = an_overridden_proof(Terms())
    opening = Standing(json.loads(lines[1])["opening"])
    batch = replace(BATCHES[0], units=2, version=2)
    outcome = corrected(batch, (0, 0, 0), opening, Terms(), made.seed, share_out_batch)
    correction = Correction(read_head(json.loads(lines[0])), made.link, made.link, batch, (0, 0, 0), outcome)
    assert verify_lines([*lines, *correction.lines()])["result_digest"] == correction.link
    assert verify_lines([*lines, made.line])["first_difference"]["what"] == "override"
    _, other = an_overridden_proof(Terms(), place=1)
    assert verify_lines([*lines, *correction.lines(), other.line])["first_difference"]["what"] == "override"
