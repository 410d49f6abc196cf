"""Reads a proof file and says what its check found; this is the whole of `coop verify`, and of the file for strangers."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from coop.core.errors import RuleBroken
from coop.core.proof import verify_lines


def main(arguments: Sequence[str]) -> int:
    """Check the proof that is named; 0: it holds, 1: something differs, 2: it cannot be read."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("Name one proof file.", file=sys.stderr)
        return 2
    try:
        verdict = check_file(arguments[0])
    except RuleBroken as refused:
        print(json.dumps({"error": {"code": refused.code, "message": refused.sentence}}))
        print(refused.sentence, file=sys.stderr)
        return 2
    print(json.dumps(verdict))
    return 0 if verdict["ok"] else 1


def check_file(name: str) -> dict[str, Any]:
    """Check the proof in a file, line by line. Raises `unreadable_file`."""
    try:
        with open(name, "rb") as lines:  # noqa: PTH123 - one import less for who reads the file for strangers
            return verify_lines(lines)
    except OSError as wrong:
        raise RuleBroken("unreadable_file", f"{name} cannot be read: {wrong.strerror}.", field="file") from wrong
