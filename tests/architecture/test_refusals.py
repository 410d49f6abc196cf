"""Each code with which something is refused stands in some test, so that none becomes another unseen."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRIED = "\n".join(
    path.read_text("utf-8")
    for path in (ROOT / "tests").rglob("*")
    if path.suffix in {".py", ".json"} and path.is_file()
)


def _codes(told: ast.expr) -> Iterator[str]:
    """The codes that an expression may be; one that is worked out elsewhere is not read."""
    if isinstance(told, ast.Constant):
        yield told.value
    elif isinstance(told, ast.IfExp):
        yield from _codes(told.body)
        yield from _codes(told.orelse)


def _raised() -> set[str]:
    """Every code but those of views, whose words their pages' tests read."""
    found = set()
    for path in [*(ROOT / "coop").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]:
        if path.name == "views.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"RuleBroken", "BadForm"}:  # fmt: skip
                found |= set(_codes(node.args[0]))
    return found


def test_each_code_is_named_by_some_test():
    raised = _raised()
    assert len(raised) > 250
    assert sorted(code for code in raised if not re.search(rf"""(?:["']|refused:){code}\b""", TRIED)) == []
