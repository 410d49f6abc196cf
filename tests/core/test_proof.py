"""Records and proofs: written fast, equal to the generic canonical form, and no changed byte goes unnoticed."""

import hashlib
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.core.canonical import canonical, digest
from coop.core.claims import WEBSTER_RULE, BatchInput, Standing, Terms
from coop.core.errors import RuleBroken
from coop.core.proof import verify_lines
from coop.core.records import Source, freeze
from coop.core.tickets import source_of_witnesses
from tests.proofs import ANA, BATCHES, BEN, proof_of


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
    source = hashlib.sha256(b"alloc-source/1\0secret\0" + b"2011-W01").digest()
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


def test_the_secrets_of_witnesses_must_give_the_source():
    secrets = (bytes(32), bytes([1]) * 32)
    lines, _ = proof_of(BATCHES, Terms(), source=Source("witnesses", source_of_witnesses(list(secrets)), secrets))
    assert verify_lines(lines)["ok"]
    lines, _ = proof_of(BATCHES, Terms(), source=Source("witnesses", bytes(32), secrets))
    assert verify_lines(lines)["first_difference"]["what"] == "source"
    lines, _ = proof_of(BATCHES, Terms(), source=Source("witnesses", bytes(32), secrets[:1]))
    assert verify_lines(lines)["first_difference"]["what"] == "source"


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
