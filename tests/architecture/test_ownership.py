"""Who owns the transaction is the first parameter: `db` for commands, `session` for steps."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "coop").rglob("*.py"))


def _functions(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node, node.args.args[0].arg if node.args.args else ""


def _begins(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("db.begin")


def faults(source: str, *, service: bool) -> list[str]:
    """Name every place where a transaction has two owners or none."""
    found = []
    tree = ast.parse(source)
    for function, first in _functions(tree):
        for node in ast.walk(function):
            if _begins(node) and first != "db":
                found.append(f"{function.name} begins a transaction and is not given db first")
            if isinstance(node, ast.With) and any(_begins(item.context_expr) for item in node.items):
                found += [
                    f"{function.name} uses db inside its own transaction"
                    for line in node.body
                    for name in ast.walk(line)
                    if isinstance(name, ast.Name) and name.id == "db"
                ]
            if (
                first == "session"
                and isinstance(node, ast.Attribute)
                and ast.unparse(node) in {"session.commit", "session.rollback", "session.begin"}
            ):
                found.append(f"{function.name} is a step and ends its caller's transaction")
            if service and first == "db" and isinstance(node, ast.Call) and _passes_db(node) and not _is_private(node):
                found.append(f"{function.name} is a command and calls the command {ast.unparse(node.func)}")
    found += [
        f"line {node.lineno} begins a transaction outside any function" for node in _outside(tree) if _begins(node)
    ]
    return found


def _passes_db(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Name) and call.args[0].id == "db"


def _is_private(call: ast.Call) -> bool:
    """A part of the command itself, or of `coop.db`, which writes nothing that a person could see."""
    return isinstance(call.func, ast.Name) and (call.func.id.startswith("_") or call.func.id == "refresh_statistics")


def _outside(tree: ast.Module) -> Iterator[ast.expr]:
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from (part for part in ast.walk(node) if isinstance(part, ast.expr))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_transaction_has_one_owner(path):
    assert faults(path.read_text("utf-8"), service=path.name == "service.py") == []


@pytest.mark.parametrize(
    "source",
    [
        "def post(session):\n    with db.begin() as inner:\n        pass",
        "def place(db):\n    with db.begin() as session:\n        read(db)",
        "def post(session):\n    session.commit()",
        "def place(db):\n    ledger.close(db, 1)",
        "with db.begin() as session:\n    pass",
    ],
)
def test_a_planted_fault_is_found(source):
    assert faults(source, service=True)
