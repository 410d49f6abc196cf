"""The `coop` command: every word it knows, each read only when it is used."""

from __future__ import annotations

import importlib
import json
import sys

import click

from coop.core.errors import RuleBroken

WORDS = {
    "demo": "coop.commands.demo",
    "serve": "coop.commands.house",
    "web": "coop.commands.house",
    "worker": "coop.commands.house",
    "beat": "coop.commands.house",
    "alive": "coop.commands.house",
    "migrate": "coop.commands.house",
    "backup": "coop.commands.keeping",
    "restore": "coop.commands.keeping",
    "first-admin": "coop.commands.door",
    "end-second-step": "coop.commands.door",
    "import": "coop.commands.season",
    "allocate": "coop.commands.season",
    "handover": "coop.commands.season",
    "reveal": "coop.commands.season",
    "compare": "coop.commands.comparing",
    "correct": "coop.commands.corrections",
    "merge": "coop.commands.households",
    "split": "coop.commands.households",
    "payout": "coop.commands.money",
    "replay": "coop.commands.replay",
    "solve": "coop.commands.checking",
    "verify": "coop.commands.checking",
    "check": "coop.commands.books",
    "export": "coop.commands.books",
}


class Words(click.Group):
    """A group whose commands are read from their module on use, so that one word doesn't wait for the others' imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's shape
        return list(WORDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's shape
        if cmd_name not in WORDS:
            return None
        found = getattr(importlib.import_module(WORDS[cmd_name]), _attribute(cmd_name))
        assert isinstance(found, click.Command)
        return found


def _attribute(word: str) -> str:
    return "import_" if word == "import" else word.replace("-", "_")


@click.group(cls=Words)
def coop() -> None:
    """Run a Smallbatch co-op. Settings come from the environment; COOP_HOME is its data folder."""


def main() -> None:
    """Run one word. Exit 0: done; 1: a check failed; 2: refused, with the reason as JSON on standard output and as a sentence beside it."""
    try:
        coop(prog_name="coop")
    except RuleBroken as refused:
        print(json.dumps({"error": {"code": refused.code, "message": refused.sentence}}))
        print(refused.sentence, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
