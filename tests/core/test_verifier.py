"""The check as one file for strangers: it runs on bare Python in an empty folder and says what `coop verify` says."""

import json
import subprocess
import sys

import pytest

from coop.core.claims import OFFERED_RULES, STANDING_RULE, BatchInput, Terms
from coop.core.proof import verify_lines
from coop.formats.stand_alone import stand_alone_verifier
from tests.core.test_correction import a_corrected_proof
from tests.core.test_override_record import an_overridden_proof
from tests.proofs import BATCHES, proof_of


@pytest.fixture(scope="module")
def empty_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "verify.py").write_text(stand_alone_verifier(), encoding="utf-8")
    return folder


def checked(folder, lines):
    (folder / "pool.proof.jsonl").write_bytes(b"".join(lines))
    command = [sys.executable, "-I", "-S", "verify.py", "pool.proof.jsonl"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("rule", OFFERED_RULES)
def test_one_file_on_bare_python_checks_a_proof_of_every_rule_that_is_offered(empty_folder, rule):
    batches = [BatchInput(b.id, b.units, b.ids, b.weights, b.requests, b.tolerances, rule) for b in BATCHES]
    lines, link = proof_of(batches, Terms("rounding" if rule == STANDING_RULE else None), rule=rule)
    assert checked(empty_folder, lines) == (
        0,
        {"ok": True, "batches": len(batches), "result_digest": link, "first_difference": None},
    )


def test_one_file_checks_a_corrected_yield_too(empty_folder):
    lines, _ = a_corrected_proof(Terms())
    assert checked(empty_folder, lines) == (0, verify_lines(lines))
    lines[-1] = lines[-1].replace(b'"units":4', b'"units":3')
    assert checked(empty_folder, lines) == (1, verify_lines(lines))


def test_one_file_checks_awards_changed_by_hand_too(empty_folder):
    lines, _ = an_overridden_proof(Terms())
    assert checked(empty_folder, lines) == (0, verify_lines(lines))
    lines[-1] = lines[-1].replace(b'"given":', b'"given":1')
    assert checked(empty_folder, lines) == (1, verify_lines(lines))


def test_one_file_finds_the_same_first_difference_as_the_co_op_s_own_check(empty_folder):
    lines, _ = proof_of(BATCHES, Terms("season", 2))
    lines[2] = lines[2].replace(b'"units":5', b'"units":4')
    assert checked(empty_folder, lines) == (1, verify_lines(lines))
    assert verify_lines(lines)["first_difference"]["batch"] == BATCHES[1].id


def test_a_file_that_is_not_there_is_refused_as_everywhere(empty_folder):
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", "none"], cwd=empty_folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "unreadable_file"


def test_one_file_brings_nothing_along_but_python():
    text = stand_alone_verifier()
    brought = {line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert brought <= sys.stdlib_module_names
    assert "import coop" not in text
