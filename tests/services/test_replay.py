"""Worked money scenarios, played through the co-op's own commands, end to the cent where they were figured to end by hand."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from coop.core.errors import RuleBroken
from coop.replay import closing, figures, player, scenario, stage
from coop.replay.player import play
from coop.replay.scenario import case_of
from tests.builders import FIELD_KEY, NOW

FILES = [Path(__file__).parents[1] / "cases" / name for name in ("money.json", "money-own.json")]
CASES = [case for file in FILES for case in json.loads(file.read_text("utf-8"))["cases"]]


def said(case, **more):
    return (
        {"id": "X", "currency": "EUR", "minor_exponent": 2, "policy": {"model": "agent", "fee_bp": 1000}} | case | more
    )


def played(db, *events, **more):
    return play(db, case_of(said({"events": events}, **more)), at=NOW, field_key=FIELD_KEY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_worked_scenario_ends_to_the_cent(fresh_db, case):
    line = play(fresh_db, case_of(case), at=NOW, field_key=FIELD_KEY)
    assert (line["invariants"], line["differences"], line["matches"]) == ("clean", [], True)


def test_a_scenario_with_nothing_expected_is_played_without_a_verdict(fresh_db):
    line = played(fresh_db, {"id": "p1", "e": "pay_in", "member": "Ana", "cents": 700})
    assert (line["balances"], line["matches"]) == ({"bank": 700, "member_credit:Ana": 700}, None)


def test_an_event_that_nobody_knows_is_refused(fresh_db):
    line = played(fresh_db, {"id": "p1", "e": "raffle", "member": "Ana", "cents": 700})
    assert (line["refused"], line["balances"]) == ({"p1": "unknown_event"}, {})


def test_what_differs_is_named_with_its_path(fresh_db):
    paid = {"id": "p1", "e": "pay_in", "member": "Ana", "cents": 700, "refused": "key_reused"}
    line = played(fresh_db, paid, expected={"balances": {"bank": 701, "member_credit:Ana": 700}})
    assert line["matches"] is False
    assert line["differences"] == [
        {"path": "refused/p1", "expected": "key_reused", "got": None},
        {"path": "balances/bank", "expected": 701, "got": 700},
    ]


@pytest.mark.parametrize(
    "event", [{"e": "pay_in", "id": "p1", "member": "Ana", "cents": 7.5}, {"e": "pay_in"}, "pay_in"]
)
def test_a_malformed_case_is_refused_before_anything_is_played(event):
    with pytest.raises(RuleBroken, match="malformed"):
        case_of(said({"events": [event]}))


def test_a_currency_has_its_own_decimals():
    with pytest.raises(RuleBroken, match="unknown_currency"):
        case_of(said({"events": []}, minor_exponent=3))


def test_the_player_computes_no_money_itself():
    for module in (closing, figures, player, scenario, stage):
        tree = ast.parse(Path(module.__file__).read_text("utf-8"))
        names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not names & {"coop.core.payout", "coop.core.dealings"}, module.__name__
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Div | ast.FloorDiv | ast.Mod)], (
            module.__name__
        )
