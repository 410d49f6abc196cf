"""`coop solve` and `coop verify` on the command line, and what `solve` refuses."""

import json

import pytest

from coop import cli
from coop.core.claims import STANDING_RULE, BatchInput, Standing, Terms
from coop.core.commitments import Promise
from coop.core.errors import RuleBroken
from coop.core.fields import parsed
from coop.core.problems import MOST_CLAIMS
from coop.core.records import CHAIN_START, Head, Source, chain, freeze, proof_lines
from coop.core.sharing import share_out_pool
from coop.core.solve import solve, solve_all

GOOD = {
    "id": "jam",
    "rule": "cea",
    "params": {},
    "batch": {"id": "b", "units": 3},
    "claims": [{"id": "ana", "weight": 2, "request": 2}, {"id": "ben", "weight": 1, "request": None}],
}


def problem(**changes):
    return {**json.loads(json.dumps(GOOD)), **changes}


def with_claim(**changes):
    return problem(claims=[{"id": "ana", "weight": 1, "request": 2, **changes}])


def test_awards_the_divisible_path_and_what_is_left_are_printed():
    assert solve(problem()) == {
        "id": "jam",
        "awards": {"ana": 2, "ben": 1},
        "fluid": {"ana": "2", "ben": "1"},
        "left_over": 0,
    }
    assert solve(problem(batch={"id": "b", "units": 2}))["fluid"] == {"ana": "4/3", "ben": "2/3"}


def test_what_wishes_leave_goes_to_those_who_would_take_more():
    claims = [
        {"id": "ana", "weight": 1, "request": 1, "tolerance": 5},
        {"id": "ben", "weight": 2, "request": 1, "tolerance": 5, "cap": 4},
        {"id": "cleo", "weight": 1, "request": 1},
    ]
    for rule in ("cea", "proportional", "cel", "talmud", "lottery", "lots", "leximin_strict"):
        answered = solve(problem(rule=rule, batch={"id": "b", "units": 20}, claims=claims))
        assert answered["awards"] == {"ana": 6, "ben": 4, "cleo": 1}
        assert answered["left_over"] == 9
    answered = solve(problem(batch={"id": "b", "units": 6}, claims=claims))
    assert answered["awards"] == {"ana": 2, "ben": 3, "cleo": 1}


@pytest.mark.parametrize(
    ("code", "field", "wrong"),
    [
        ("unknown_rule", "rule", problem(rule="coin_toss")),
        ("unknown_rounding", "params.rounding", problem(params={"rounding": "banker"})),
        ("unknown_rounding", "params.rounding", problem(rule="cel", params={"rounding": "hill"})),
        (
            "not_a_flag",
            "params.use_tolerance",
            {**with_claim(time=1), "rule": "priority", "params": {"use_tolerance": "yes"}},
        ),
        ("unknown_basis", "params.basis", problem(rule="proportional", params={"basis": "mood"})),
        (
            "unknown_memory",
            "params.memory",
            {"id": "s", "rule": "season", "params": {"memory": "elephant"}, "batches": []},
        ),
        ("unknown_field", "params.seeds", problem(params={"seeds": 1})),
        ("unknown_field", "claims[0].wieght", with_claim(wieght=1)),
        ("missing_field", "batch", {key: value for key, value in GOOD.items() if key != "batch"}),
        ("missing_field", "batch.units", problem(batch={"id": "b"})),
        ("missing_field", "claims[0].request", problem(claims=[{"id": "ana", "weight": 1}])),
        ("not_an_object", "batch", problem(batch=[3])),
        ("not_a_list", "claims", problem(claims={"ana": 1})),
        ("not_an_object", "claims[0]", problem(claims=["ana"])),
        ("out_of_range", "batch.units", problem(batch={"id": "b", "units": -1})),
        ("out_of_range", "batch.units", problem(batch={"id": "b", "units": 2**53})),
        ("not_whole", "batch.units", problem(batch={"id": "b", "units": 1.5})),
        ("not_whole", "batch.units", problem(batch={"id": "b", "units": 3.0})),
        ("not_a_number", "batch.units", problem(batch={"id": "b", "units": "3"})),
        ("not_a_number", "batch.units", problem(batch={"id": "b", "units": True})),
        ("out_of_range", "claims[0].request", with_claim(request=-2)),
        ("not_whole", "claims[0].request", with_claim(request=1e3)),
        ("out_of_range", "claims[0].weight", with_claim(weight=0)),
        ("out_of_range", "claims[0].weight", with_claim(weight=2**53)),
        ("out_of_range", "claims[0].weight", with_claim(weight=10**40)),
        ("out_of_range", "claims[0].weight", {**with_claim(weight=32_768), "rule": "lottery"}),
        ("out_of_range", "claims[0].pack", with_claim(pack=0)),
        ("cap_below_minimum", "claims[0].cap", {**with_claim(cap=3, min=4), "rule": "lots"}),
        ("not_whole", "claims[0].pack", {**with_claim(pack=1.5), "rule": "lots"}),
        ("not_whole", "claims[0].time", {**with_claim(time=0.5), "rule": "priority"}),
        (
            "not_whole",
            "claims[0].rows[0].quantity",
            {**with_claim(rows=[{"time": 1, "quantity": 2.5}]), "rule": "priority"},
        ),
        ("unknown_rounding", "params.rounding", problem(rule="proportional", params={"rounding": "dean"})),
        ("unknown_rounding", "params.rounding", problem(rule="talmud", params={"rounding": "standing"})),
        ("unknown_rounding", "params.rounding", problem(params={"rounding": 0.5})),
        ("unknown_field", "params.rounding", problem(rule="lottery", params={"rounding": "webster"})),
        ("unknown_field", "params.use_tolerance", problem(params={"use_tolerance": True})),
        ("not_text", "id", problem(id=0.5)),
        ("duplicate_claim", "claims[1].id", problem(claims=[GOOD["claims"][0], GOOD["claims"][0]])),
        ("not_nfc", "claims[0].id", with_claim(id="Zoe\u0308")),
        ("not_nfc", "claims[0].id", with_claim(id="\ud800")),
        ("bad_id", "claims[0].id", with_claim(id="a" * 201)),
        ("bad_id", "claims[0].id", with_claim(id="")),
        ("bad_id", "claims[0].id", with_claim(id="a\0b")),
        ("not_text", "claims[0].id", with_claim(id=7)),
        ("bad_seed", "batch.seed", problem(batch={"id": "b", "units": 1, "seed": "ab"})),
        ("bad_seed", "batch.seed", problem(batch={"id": "b", "units": 1, "seed": "g" * 64})),
        ("credit_cap_not_allowed", "params.credit_cap", {"rule": "season", "params": {"credit_cap": 1}, "batches": []}),
        ("not_whole", "[1]", {"rule": "digest", "input": [1, 0.5]}),
        ("integer_too_large", "[0]", {"rule": "digest", "input": [2**53]}),
        ("integer_too_large", "a", {"rule": "digest", "input": {"a": -(2**53)}}),
        ("bad_text", "a", {"rule": "digest", "input": {"a": "\ud83d"}}),
        ("not_an_object", "", ["no problem"]),
    ],
)
def test_a_malformed_problem_is_refused_by_code_and_path(code, field, wrong):
    with pytest.raises(RuleBroken) as refusal:
        solve(parsed(json.dumps(wrong)))
    assert (refusal.value.code, refusal.value.field) == (code, field)


def test_the_wrong_field_of_a_season_is_found_by_its_path():
    batch = {"id": "b", "units": 1, "claims": [{"id": "ana", "request": 1}, {"id": "ben", "request": 1, "weight": 0.5}]}
    season = {"id": "s", "rule": "season", "batches": [{"id": "a", "units": 1, "claims": []}, batch]}
    with pytest.raises(RuleBroken) as refusal:
        solve(parsed(json.dumps(season)))
    assert (refusal.value.code, refusal.value.field) == ("not_whole", "batches[1].claims[1].weight")
    season["batches"][1]["seed"] = "00" * 31
    with pytest.raises(RuleBroken) as refusal:
        solve(parsed(json.dumps(season)))
    assert (refusal.value.code, refusal.value.field) == ("bad_seed", "batches[1].seed")


def test_too_many_claims_are_refused(monkeypatch):
    assert MOST_CLAIMS == 100_000_000
    monkeypatch.setattr("coop.core.problems.MOST_CLAIMS", 1)
    with pytest.raises(RuleBroken, match="too_many_claims"):
        solve(problem())


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[" * 100_000, b""])
def test_a_file_that_is_not_json_is_refused_whole(text):
    assert [(answered["error"]["code"], good) for answered, good in solve_all(text)] == [("not_json", False)]


def test_a_field_that_stands_twice_is_refused_in_its_problem_alone():
    text = '[{"id": 1, "rule": "order_packs", "params": {"quantity": 1, "quantity": 2}}, {"id": 2, "rule": "ticket", "params": {"batch": "b", "claim": "m0"}}]'
    first, second = [answered for answered, _ in solve_all(text)]
    assert first == {
        "id": 1,
        "error": {"code": "repeated_field", "message": "“quantity” stands twice here.", "field": "params"},
    }
    assert second == {"id": 2, "value": "14985319793525692726"}


def test_huge_problems_within_the_bounds_are_answered_exactly():
    huge = 2**53 - 1
    claims = [{"id": "ana", "weight": huge, "request": huge}, {"id": "ben", "weight": 1, "request": None}]
    for rounding in ("webster", "largest_remainder", "adams", "jefferson", "hill", "dean", "wheel", "standing"):
        wanted = problem(batch={"id": "b", "units": huge}, claims=claims, params={"rounding": rounding})
        by_kernel, by_reference = solve(wanted, "kernel"), solve(wanted, "reference")
        assert by_kernel == by_reference
        assert sum(by_kernel["awards"].values()) == huge


def run_coop(monkeypatch, capsys, *words):
    """Run the command as a shell does; gives its lines on standard output and its exit."""
    monkeypatch.setattr("sys.argv", ["coop", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()], end.value.code


def test_the_command_prints_one_answer_a_line_and_exits_with_two_if_any_was_refused(tmp_path, monkeypatch, capsys):
    file = tmp_path / "problems.json"
    file.write_text(json.dumps([problem(), problem(id="bad", rule="coin")]))
    lines, code = run_coop(monkeypatch, capsys, "solve", file, "--engine", "reference")
    assert [line["id"] for line in lines] == ["jam", "bad"]
    assert lines[1]["error"]["code"] == "unknown_rule"
    assert code == 2
    file.write_text(json.dumps(GOOD))
    assert run_coop(monkeypatch, capsys, "solve", file) == ([solve(problem())], 0)
    lines, code = run_coop(monkeypatch, capsys, "solve", tmp_path / "nowhere.json")
    assert lines[0]["error"]["code"] == "unreadable_file"
    assert code == 2


def test_the_command_verifies_a_proof_and_exits_with_one_on_a_difference(tmp_path, monkeypatch, capsys):
    batches = [BatchInput("lot-1", 1, ["a1", "b2"], [1, 1], [1, 1])]
    frozen = freeze(batches, Terms())
    head = Head(
        "s",
        "p",
        STANDING_RULE,
        Terms(),
        Source(Promise("beacon", chain="a", round="7", time="b"), bytes(32)),
        CHAIN_START,
        1,
        frozen.digest,
    )
    outcomes, _ = share_out_pool(batches, Standing(), Terms(), head.seed)
    links = chain(head, batches, frozen, outcomes)
    file = tmp_path / "proof.jsonl"
    file.write_bytes(b"".join(proof_lines(head, batches, frozen, outcomes, links)))
    holds = {"ok": True, "batches": 1, "result_digest": links[0], "first_difference": None}
    assert run_coop(monkeypatch, capsys, "verify", file) == ([holds], 0)
    file.write_bytes(file.read_bytes().replace(b'"units":1', b'"units":2'))
    lines, code = run_coop(monkeypatch, capsys, "verify", file)
    assert lines[0]["first_difference"]["what"] == "input"
    assert code == 1
