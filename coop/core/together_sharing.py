"""Shares out batches together by the worker's engine; equal to the reference to the last digit."""

from collections.abc import Sequence

from coop.core.claims import BatchInput
from coop.core.leximin_sharing import share_out_together
from coop.core.passes import Draw, extras
from coop.core.together import Part, SharedPart, share_out_part


def share_out_by_engine(part: Part, seed: bytes) -> SharedPart:
    """Share out the batches of a part as one."""
    return share_out_part(part, seed, share_out_together, _topped_up)


def _topped_up(batch: BatchInput, left: int, seed: bytes) -> Sequence[int]:
    return extras(batch, left, Draw(seed, (), {}))
