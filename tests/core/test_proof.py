"""Records and proofs: written fast, equal to the generic canonical form, and no changed byte goes unnoticed."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.core.canonical import canonical, digest
from coop.core.claims import WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.commitments import Promise
from coop.core.errors import RuleBroken
from coop.core.proof import verify_lines
from coop.core.proof_promises import Published
from coop.core.records import Source, freeze
from coop.core.tickets import source_of_season, source_of_witnesses
from tests.proofs import ANA, BATCHES, BEN, PROMISE, SECRET, commitment_on, proof_of


@pytest.mark.parametrize("terms", [Terms(), Terms("season"), Terms("season", 1)])
def test_a_proof_holds_and_ends_in_the_digest_of_the_pool(terms):
    lines, link = proof_of(BATCHES, terms)
    assert verify_lines(lines) == {"ok": True, "batches": 5, "result_digest": link, "first_difference": None}


def test_a_season_without_a_standing_has_proofs_too():
    batches = [BatchInput(b.id, b.units, b.ids, b.weights, b.requests, b.tolerances, WEBSTER_RULE) for b in BATCHES]
    lines, link = proof_of(batches, Terms(None))
    assert verify_lines(lines)["result_digest"] == link
    assert json.loads(lines[1])["opening"] == {}


def test_a_record_written_directly_is_the_canonical_json_of_its_content():
    lines, _ = proof_of(BATCHES, Terms())
    previous = digest(json.loads(lines[0]))
    for line, batch in zip(lines[1:], BATCHES, strict=True):
        content = json.loads(line)
        assert canonical(content) + b"\n" == line
        assert content["input_digest"] == digest(content["input"])
        result = {name: content[name] for name in ("awards", "closing", "input_digest", "opening", "seed")}
        previous = digest({**result, "previous": previous})
        assert content["result_digest"] == previous
        assert content["input"]["batch"] == {"id": batch.id, "units": batch.units}
        assert content["input"]["rule"] == batch.rule


def test_the_seed_follows_from_the_source_and_the_frozen_inputs():
    lines, _ = proof_of(BATCHES, Terms())
    source = hashlib.sha256(b"alloc-source/1\0" + SECRET + b"\0" + b"2011-W01").digest()
    inputs = [digest(json.loads(line)["input"]) for line in lines[1:]]
    pool = hashlib.sha256("\n".join(inputs).encode()).digest()
    assert json.loads(lines[1])["seed"] == hashlib.sha256(b"alloc-seed/1\0" + source + b"\0" + pool).hexdigest()


def test_every_changed_byte_of_a_proof_is_found():
    lines, _ = proof_of(BATCHES[:3], Terms())
    whole = b"".join(lines)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        verdict = verify_lines(bytes(changed).splitlines(keepends=True))
        assert not verdict["ok"], f"byte {place}: {whole[max(0, place - 20) : place + 20]!r}"
        assert verdict["first_difference"]["sentence"]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_other_damage_to_a_proof_is_found(data):
    lines, _ = proof_of(BATCHES, Terms("season", 2))
    whole = b"".join(lines)
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=3)) + whole[end:]
    if damaged != whole:
        assert not verify_lines(damaged.splitlines(keepends=True))["ok"]


def changed(line, change):
    content = json.loads(line)
    change(content)
    return canonical(content) + b"\n"


def move_a_piece(content):
    taken = next(c["id"] for c in content["input"]["claims"] if content["awards"][c["id"]] < c["request"])
    given = next(claim for claim, award in content["awards"].items() if award and claim != taken)
    content["awards"][given] -= 1
    content["awards"][taken] += 1


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("input", lambda content: content["input"]["claims"][0].update(request=3)),
        ("input", lambda content: content["input"].update(rule=WEBSTER_RULE)),
        ("unknown_rule", lambda content: content["input"].update(rule="cea/coin@1")),
        ("terms", lambda content: content["input"].update(memory=None)),
        ("seed", lambda content: content.update(seed="0" * 64)),
        ("order", lambda content: content["input"]["claims"].reverse()),
        ("award", move_a_piece),
        ("sum", lambda content: content["awards"].update({next(c for c, a in content["awards"].items() if a): 0})),
        ("cap", lambda content: content["awards"].update({ANA: 9})),
        ("closing", lambda content: content["closing"].update({ANA: content["closing"][ANA] + 1})),
        ("opening", lambda content: content["opening"].update({ANA: 1})),
        ("chain", lambda content: content.update(result_digest="0" * 64)),
        ("awards", lambda content: content["awards"].pop(ANA)),
        ("unknown_field", lambda content: content.update(note="trust me")),
    ],
)
def test_the_first_difference_names_what_was_changed(what, change):
    lines, _ = proof_of(BATCHES, Terms())
    lines[1] = changed(lines[1], change)
    verdict = verify_lines(lines)
    assert verdict["batches"] == 0
    assert verdict["first_difference"]["what"] == what
    assert verdict["first_difference"]["line"] == 2
    assert verdict["first_difference"]["batch"] == "2011-W01-jam"


def test_batches_left_out_or_swapped_are_found():
    lines, _ = proof_of(BATCHES, Terms())
    assert verify_lines(lines[:-1])["first_difference"]["what"] == "batches"
    swapped = [*lines[:2], lines[3], lines[2], *lines[4:]]
    assert verify_lines(swapped)["first_difference"]["what"] in {"chain", "opening"}
    assert verify_lines([])["first_difference"]["what"] == "line_end"


WITNESSED = (bytes(32), bytes([1]) * 32)
WITNESSES = Promise("witnesses", tuple(hashlib.sha256(secret).hexdigest() for secret in WITNESSED))


@pytest.mark.parametrize(
    ("what", "source"),
    [
        (None, Source(WITNESSES, source_of_witnesses(list(WITNESSED)), WITNESSED)),
        (None, Source(WITNESSES, source_of_witnesses(list(WITNESSED)), WITNESSED, draw=2)),
        ("source", Source(WITNESSES, bytes(32), WITNESSED)),
        ("source", Source(WITNESSES, source_of_witnesses(list(WITNESSED)), WITNESSED[::-1])),
        ("source", Source(WITNESSES, source_of_witnesses(list(WITNESSED)), (WITNESSED[0], bytes([2]) * 32))),
        ("source", Source(Promise("witnesses", WITNESSES.hashes[:1]), bytes(32), WITNESSED[:1])),
    ],
)
def test_the_secrets_of_witnesses_must_give_the_source_and_be_those_whose_hashes_were_published(what, source):
    lines, _ = proof_of(BATCHES, Terms(), source=source)
    assert (verify_lines(lines)["first_difference"] or {"what": None})["what"] == what


BEACON = Promise("beacon", (), "https://beacon.example/chain", "4711", "2011-01-10T12:00:00Z")


@pytest.mark.parametrize(
    ("sentence", "promised", "source"),
    [
        (None, PROMISE, Source(PROMISE, source_of_season(SECRET, "2011-W01"))),
        (None, BEACON, Source(BEACON, bytes([7]) * 32)),
        ("kind of source", BEACON, Source(PROMISE, source_of_season(SECRET, "2011-W01"))),
        ("source that was promised", replace(BEACON, round="4712"), Source(BEACON, bytes([7]) * 32)),
        (None, replace(BEACON, round="4712"), Source(BEACON, bytes([7]) * 32, draw=2)),
        ("source that was promised", replace(PROMISE, hashes=("0" * 64,)), None),
    ],
)
def test_a_source_must_be_the_promised_one_unless_its_first_draw_was_void(sentence, promised, source):
    terms = Terms()
    lines, _ = proof_of(BATCHES, terms, source=source, commitment=commitment_on(BATCHES, terms, promise=promised))
    found = verify_lines(lines)["first_difference"]
    assert (found and found["what"]) == (sentence and "commitment")
    assert sentence is None or sentence in found["sentence"]


@pytest.mark.parametrize(
    ("sentence", "change"),
    [
        ("The rule is", lambda kept: replace(kept, rule=WEBSTER_RULE)),
        ("The memory is", lambda kept: replace(kept, terms=Terms("season"))),
        ("The pool is", lambda kept: replace(kept, pool="2011-W02")),
        ("The season is", lambda kept: replace(kept, season="2012")),
        ("The number of batches is", lambda kept: replace(kept, batches=kept.batches[1:])),
        ("Another batch", lambda kept: replace(kept, batches=(*kept.batches[1:], kept.batches[0]))),
        (
            "goes by",
            lambda kept: replace(kept, batches=(replace(kept.batches[0], rule=WEBSTER_RULE), *kept.batches[1:])),
        ),
        ("promised cap of 1", lambda kept: replace(kept, batches=(replace(kept.batches[0], cap=1), *kept.batches[1:]))),
    ],
)
def test_whatever_was_promised_before_orders_opened_must_be_kept(sentence, change):
    kept = commitment_on(BATCHES, Terms(), cap=4)
    lines, link = proof_of(BATCHES, Terms(), commitment=kept)
    assert verify_lines(lines)["result_digest"] == link
    lines, _ = proof_of(BATCHES, Terms(), commitment=change(kept))
    found = verify_lines(lines)["first_difference"]
    assert found["what"] == "commitment"
    assert sentence in found["sentence"]


def test_a_file_made_up_whole_differs_from_what_was_published():
    kept = commitment_on(BATCHES, Terms())
    lines, link = proof_of(BATCHES, Terms(), commitment=kept)
    head = json.loads(lines[0])
    told = Published(kept.digest, head["input_digest"], link, SECRET.hex())
    assert verify_lines(lines, told)["ok"]
    fewer = [replace(BATCHES[0], units=2), *BATCHES[1:]]
    forged, _ = proof_of(fewer, Terms(), commitment=kept)
    assert verify_lines(forged)["ok"]
    assert verify_lines(forged, told)["first_difference"]["what"] == "input_digest"
    assert verify_lines(forged, replace(told, input_digest=""))["first_difference"]["what"] == "result_digest"
    capped, _ = proof_of(BATCHES, Terms(), commitment=commitment_on(BATCHES, Terms(), cap=9))
    assert verify_lines(capped, told)["first_difference"]["what"] == "commitment"
    bare, _ = proof_of(BATCHES, Terms())
    assert verify_lines(bare, told)["first_difference"]["what"] == "commitment"


def test_the_season_s_secret_must_have_the_published_hash_and_give_the_source():
    lines, _ = proof_of(BATCHES, Terms())
    assert verify_lines(lines, Published(season_secret=SECRET.hex()))["ok"]
    assert verify_lines(lines, Published(season_secret="0" * 64))["first_difference"]["what"] == "source"
    chosen, _ = proof_of(BATCHES, Terms(), source=Source(PROMISE, bytes(32)))
    assert verify_lines(chosen)["ok"]
    assert verify_lines(chosen, Published(season_secret=SECRET.hex()))["first_difference"]["what"] == "source"


def leaves(value, path=()):
    """List the way to each number and text of a parsed line, and to each empty place."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, part in inside for way in leaves(part, (*path, key))] or [path]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_field_that_says_something_else_is_found_and_named(data):
    terms = Terms("season", 2)
    lines, _ = proof_of(BATCHES, terms, commitment=commitment_on(BATCHES, terms, cap=4))
    place = data.draw(st.integers(0, len(lines) - 1))
    content = json.loads(lines[place])
    *way, last = data.draw(st.sampled_from(leaves(content)))
    inside = content
    for key in way:
        inside = inside[key]
    values = st.integers(-3, 9) | st.text(max_size=3) | st.none() | st.sampled_from([[], {}, "0" * 64, "season"])
    inside[last] = data.draw(values.filter(lambda new: json.dumps(new) != json.dumps(inside[last])))
    lines[place] = canonical(content) + b"\n"
    found = verify_lines(lines)["first_difference"]
    assert found["what"]
    assert found["sentence"]
    assert found["line"] <= len(lines) + 1


def test_in_a_later_pool_members_bring_their_balance_along():
    standing = Standing({ANA: 400_000, BEN: -400_000})
    lines, link = proof_of(BATCHES, Terms(), standing=standing, chain_start="ab" * 32)
    assert verify_lines(lines)["result_digest"] == link
    first_pool, _ = proof_of(BATCHES, Terms(), standing=standing)
    assert verify_lines(first_pool)["first_difference"]["what"] == "opening"


def test_claim_ids_of_a_record_are_plain_ascii():
    with pytest.raises(RuleBroken, match="key_not_ascii"):
        freeze([BatchInput("b", 1, ["Zoë"], [1], [1])], Terms())


def test_the_check_of_a_proof_needs_no_array_library():
    script = "import sys, coop.core.proof, coop.core.solve; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
