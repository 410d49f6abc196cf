"""Writes the check of a proof as one Python file that needs nothing but Python: the reference's own source, put together.

Only what the check reaches is taken, word for word, so the file can be read beside the reference and never falls behind it.
"""

import ast
import builtins
import importlib.util
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

START = ("coop.formats.proof_files", "main")
"""The function that the file runs."""

_HEADER = '''#!/usr/bin/env python3
"""Checks a Smallbatch proof: python3 -I verify.py FILE, with Python 3.11 or later and nothing else.

It works every batch of the proof out again, piece by piece in exact fractions, and prints one JSON object:
"ok", how many "batches" hold, the "result_digest" to compare with the one that the co-op published, and the
"first_difference" if there is one. It opens no connection and writes no file. Made from Smallbatch's own source
(Apache-2.0); what stands here is the part that the co-op's `coop verify` runs, and it must print the same.
"""
'''


@dataclass(slots=True)
class _Part:
    """One definition at the top of a module: its name, its source with the comments above it, and the names it uses."""

    name: str
    text: str
    uses: set[str]
    place: int


@dataclass(slots=True)
class _Module:
    name: str
    about: str
    parts: dict[str, _Part] = field(default_factory=dict)
    ours: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Names taken from another module of the co-op, as (module, name there)."""
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Names taken from Python's own library, as (module or "", what is imported)."""


@cache
def stand_alone_verifier() -> str:
    """Put the file together. Raises `AssertionError` where the reference can no longer be written as one file."""
    modules: dict[str, _Module] = {}
    imports: set[tuple[str, str]] = set()
    taken: dict[str, set[str]] = {}
    _take(*START, modules, taken, imports)
    _refuse_doubles(taken)
    sections = [_section(modules[name], taken[name]) for name in _in_order(START[0], modules)]
    start = f'if __name__ == "__main__":\n    sys.exit({START[1]}(sys.argv[1:]))\n'
    return _HEADER + _imports(imports) + "\n\n\n".join([*sections, start])


def _take(
    module_name: str,
    name: str,
    modules: dict[str, _Module],
    taken: dict[str, set[str]],
    imports: set[tuple[str, str]],
) -> None:
    """Take a definition and everything it reaches."""
    module = modules.setdefault(module_name, _read(module_name))
    chosen = taken.setdefault(module_name, set())
    if name in chosen:
        return
    chosen.add(name)
    assert name in module.parts, f"{module_name} has no {name} of its own"
    for used in sorted(module.parts[name].uses):
        if used in module.ours:
            where, there = module.ours[used]
            _take(where, there, modules, taken, imports)
            if there != used:
                chosen.add(used)
        elif used in module.parts:
            _take(module_name, used, modules, taken, imports)
        elif used in module.imports:
            imports.add(module.imports[used])
        else:
            assert hasattr(builtins, used), f"{module_name}.{name} uses {used}, which comes from nowhere"


def _in_order(name: str, modules: dict[str, _Module]) -> list[str]:
    """Put modules after those that they build on."""
    before = [one for where, _ in modules[name].ours.values() if where in modules for one in _in_order(where, modules)]
    return list(dict.fromkeys([*before, name]))


def _imports(wanted: set[tuple[str, str]]) -> str:
    whole = sorted(name for where, name in wanted if not where)
    parts: dict[str, list[str]] = {}
    for where, name in sorted(wanted):
        parts.setdefault(where, []).append(name)
    lines = [f"import {name}" for name in whole]
    lines += [f"from {where} import {', '.join(names)}" for where, names in parts.items() if where]
    return "\n".join(lines) + "\n\n"


def _refuse_doubles(taken: dict[str, set[str]]) -> None:
    owners: dict[str, str] = {}
    for module_name, names in taken.items():
        for name in names:
            other = owners.setdefault(name, module_name)
            assert other == module_name, f"{other} and {module_name} both have a {name}: give one another name"


def _section(module: _Module, names: set[str]) -> str:
    """Write what is taken of a module, in its own order, under its own words."""
    aliases = [f"{name} = {module.ours[name][1]}" for name in sorted(names) if name in module.ours]
    parts = sorted((module.parts[name] for name in names if name in module.parts), key=lambda part: part.place)
    about = "\n".join(f"# {line}".rstrip() for line in module.about.splitlines())
    title = f"# ---- {module.name} ----\n#\n{about}"
    texts = list(dict.fromkeys(part.text for part in parts))
    return "\n\n\n".join([title, *aliases, *texts])


@cache
def _read(name: str) -> _Module:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    lines = source.splitlines()
    tree = ast.parse(source)
    module = _Module(name, ast.get_docstring(tree) or "")
    globals_used = _globals_used(source, name)
    body = tree.body[1:] if module.about else tree.body
    for place, node in enumerate(body):
        following = body[place + 1] if place + 1 < len(body) else None
        if isinstance(node, ast.Import | ast.ImportFrom):
            _read_import(node, module)
        elif not _is_words(node):
            end = following if following is not None and _is_words(following) else node
            text = "\n".join(lines[_first_line(node, lines) - 1 : end.end_lineno])
            for defined in _defined(node):
                module.parts[defined] = _Part(defined, text, set(_used(node, globals_used)), place)
    return module


def _read_import(node: ast.Import | ast.ImportFrom, module: _Module) -> None:
    for alias in node.names:
        here = alias.asname or alias.name
        wanted = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        if isinstance(node, ast.Import):
            module.imports[here.partition(".")[0]] = ("", wanted)
        elif (node.module or "").startswith("coop."):
            module.ours[here] = (str(node.module), alias.name)
        else:
            module.imports[here] = (str(node.module), wanted)


def _is_words(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _first_line(node: ast.stmt, lines: list[str]) -> int:
    """Find where a definition starts, with its decorators and the comments right above it."""
    first = node.lineno
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        first = min([first, *(decorator.lineno for decorator in node.decorator_list)])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return first


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = [name for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)]
    assert names, f"a statement at the top of a module of the check defines nothing: {ast.unparse(node)[:60]}"
    return [name.id for name in names]


def _used(node: ast.stmt, globals_used: set[str]) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in globals_used and isinstance(part.ctx, ast.Load):
            yield part.id


def _globals_used(source: str, name: str) -> set[str]:
    """List the names that a module looks up outside its functions; a local name that reads the same is taken along."""
    found: set[str] = set()
    tables = [symtable.symtable(source, name, "exec")]
    while tables:
        table = tables.pop()
        top = table.get_type() == "module"
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() or top}
        tables.extend(table.get_children())
    return found
