"""What a choice among batches must be: the same pieces of each, each in a place of its own, none beyond the wish."""

from collections.abc import Sequence
from typing import Final

from coop.core.errors import RuleBroken

MOST_ALTERNATIVES: Final = 5
"""Batches that may stand in for the one liked best."""


def check_choice(lines: Sequence[tuple[int, int, int]]) -> None:
    """Refuse lines, given as (wish, up to, rank), that make no choice: `bad_choice`."""
    wishes, ranks = {wish for wish, _, _ in lines}, {rank for _, _, rank in lines}
    if len(lines) > MOST_ALTERNATIVES + 1:
        raise RuleBroken("bad_choice", f"At most {MOST_ALTERNATIVES} batches can stand in for one.")
    if len(wishes) > 1 or any(up_to != wish for wish, up_to, _ in lines):
        raise RuleBroken("bad_choice", "Alternatives are wished for in the same number, without “up to”.")
    if len(ranks) < len(lines) or any(rank < 1 for rank in ranks):
        raise RuleBroken("bad_choice", "Two alternatives stand in the same place. Say which you like better.")
