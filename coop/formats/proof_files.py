"""Reads a proof file and says what its check found; this is the whole of `coop verify`, and of the file for strangers."""

import argparse
import json
import re
import secrets
import sys
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from coop.core.errors import RuleBroken
from coop.core.proof import verify_lines
from coop.core.proof_promises import Published

PUBLISHED = {
    "commitment": "the commitment's digest, noted down while orders were open",
    "input-digest": "the input digest, noted down before the seed was known",
    "result-digest": "the result digest on the pool's page",
    "season-secret": "the season's secret, as revealed at the season's end",
}
"""What a proof can be held against, each as 64 hexadecimal digits."""


def main(arguments: Sequence[str]) -> int:
    """Check the proof that is named; 0: it holds, 1: something differs, 2: it cannot be read."""
    parser = argparse.ArgumentParser("verify.py", description="Recompute a proof with the exact reference alone.")
    parser.add_argument("file", metavar="FILE", nargs="?", help="the proof, as downloaded")
    parser.add_argument("--new-secret", action="store_true", help="make a witness's secret and its hash instead")
    for name, meaning in PUBLISHED.items():
        parser.add_argument(f"--{name}", default="", metavar="HEX", help=f"hold it against {meaning}")
    given = parser.parse_args(arguments)
    if given.new_secret:
        secret = secrets.token_bytes(32)
        print(json.dumps({"secret": secret.hex(), "hash": sha256(secret).hexdigest()}))
        return 0
    if not given.file:
        parser.error("name the proof FILE")
    try:
        said = {name.replace("-", "_"): getattr(given, name.replace("-", "_")) for name in PUBLISHED}
        verdict = check_file(given.file, said)
    except RuleBroken as refused:
        print(json.dumps({"error": {"code": refused.code, "message": refused.sentence}}))
        print(refused.sentence, file=sys.stderr)
        return 2
    print(json.dumps(verdict))
    return 0 if verdict["ok"] else 1


def check_file(name: str, published: dict[str, str]) -> dict[str, Any]:
    """Check the proof in a file, line by line, against what was published. Raises `unreadable_file`, `bad_hexadecimal`."""
    for option, text in published.items():
        if text and not re.fullmatch("[0-9a-fA-F]{64}", text):
            sentence = f"--{option.replace('_', '-')} must be 64 hexadecimal digits."
            raise RuleBroken("bad_hexadecimal", sentence, field=option)
    told = Published(**{option: text.lower() for option, text in published.items()})
    try:
        with open(name, "rb") as lines:  # noqa: PTH123 - one import less for who reads the file for strangers
            return verify_lines(lines, told)
    except OSError as wrong:
        raise RuleBroken("unreadable_file", f"{name} cannot be read: {wrong.strerror}.", field="file") from wrong
