"""Everything has its place and its name; arithmetic on money is whole."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("coop", "workers") for path in (ROOT / folder).rglob("*.py"))
NOT_AREAS = {"core", "web", "formats", "ports", "commands", "demo", "replay", "static"}
AREAS = sorted(
    path
    for path in (ROOT / "coop").iterdir()
    if path.is_dir() and (path / "__init__.py").exists() and path.name not in NOT_AREAS
)
WHOLE = [
    path
    for path in SOURCES
    if path.parent.name == "ledger"
    or str(path).endswith(
        (
            "core/money.py",
            "core/payout.py",
            "core/ledger.py",
            "payouts/service.py",
            "transfers/service.py",
            "confirmations/service.py",
        )
    )
]
VAGUE = {"user", "users", "item", "items", "sku", "stock", "util", "utils", "helper", "helpers", "manager"}
VAGUE_ALONE = VAGUE | {"data", "info", "process", "handle"}


def _ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _contracts() -> list[dict]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]


@pytest.mark.parametrize("area", AREAS, ids=_ids)
def test_an_area_has_the_five_files_and_no_other(area):
    files = {path.name for path in area.glob("*.py")} - {"__init__.py"}
    assert files <= {"models.py", "service.py", "queries.py", "forms.py", "views.py"}


def test_every_area_is_held_to_the_order_inside():
    inside = next(contract for contract in _contracts() if contract["name"].startswith("Inside an area"))
    assert sorted(inside["containers"]) == [f"coop.{area.name}" for area in AREAS]


@pytest.mark.parametrize("path", sorted((ROOT / "coop" / "core").glob("*.py")), ids=_ids)
def test_the_core_knows_only_python_and_numpy(path):
    known = set(sys.stdlib_module_names) - {"time", "random", "secrets", "logging", "os", "socket"} | {"numpy", "coop"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= known
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module.split(".")[0] in known
            assert not node.module.startswith("coop") or node.module.startswith("coop.core")


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_only_the_clock_asks_what_time_it_is(path):
    if path.name != "clock.py":
        assert not re.search(r"\bdatetime\.now\(|\butcnow\(|\bdate\.today\(|\btime\.time\(", path.read_text("utf-8"))


@pytest.mark.parametrize("path", WHOLE, ids=_ids)
def test_money_is_never_a_float_and_never_divided(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), node.lineno
        assert not (isinstance(node, ast.Name) and node.id == "float"), node.lineno
        assert not (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)), node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_names_say_what_they_mean(path):
    found = [part for part in path.relative_to(ROOT).with_suffix("").parts if part in VAGUE_ALONE]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        else:
            continue
        words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")
        if name in VAGUE_ALONE or VAGUE & set(words):
            found.append(f"line {node.lineno}: {name}")
    assert found == []
