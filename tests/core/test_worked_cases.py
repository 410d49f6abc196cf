"""The worked cases, each with its source, played by both engines exactly as `coop solve` plays them."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from coop.core.fields import parsed
from coop.core.problems import READERS
from coop.core.solve import solve

CASES = sorted((Path(__file__).parents[1] / "cases" / "allocation").glob("*.json"))
PROBLEMS = [problem for path in CASES for problem in parsed(path.read_bytes()) if problem["rule"] in READERS]


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem["id"])
def test_a_worked_case_comes_out_as_its_source_says(problem, engine):
    answer = json.loads(json.dumps(solve(problem, engine)))
    assert answer["id"] == problem["id"]
    if "expected" in problem:
        _compare(problem["expected"], answer, problem)
    if "expected_fluid" in problem:
        assert {name: Fraction(share) for name, share in answer["fluid"].items()} == {
            name: Fraction(share) for name, share in problem["expected_fluid"].items()
        }
    if "expected_leftover" in problem:
        assert answer["left_over"] == problem["expected_leftover"]
    if "expected_tied" in problem:
        _compare_tied(problem["expected_tied"], answer["awards"])


def _compare(expected, answer, problem):
    if problem["rule"] == "season":
        for name, value in expected.items():
            if name == "worst_owed_micro_at_most":
                assert answer["worst_owed_micro"] <= value
            else:
                assert answer[name] == value
    elif problem["rule"] in {"leximin_flow", "picking"}:
        assert answer["awards" if problem["rule"] == "leximin_flow" else "picks"] == expected
    elif "value" in answer:
        assert answer["value"] == expected
    elif "sha256" in answer:
        assert {"canonical": answer["canonical"], "sha256": answer["sha256"]} == expected
    else:
        assert answer["awards"] == expected
        assert answer["left_over"] == problem["batch"]["units"] - sum(expected.values())


def _compare_tied(expected, awards):
    for name, value in expected.get("fixed", {}).items():
        assert awards[name] == value
    for group in expected.get("groups", []):
        assert sorted(awards[name] for name in group["ids"]) == sorted(group["values"])
