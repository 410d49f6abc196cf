"""Answers worked problems of several products and of picking, by the reference or by arrays; both print the same."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from coop.core.leximin import Shares, share_out_flow
from coop.core.network_problems import FlowProblem, PickingProblem
from coop.core.networks import Network
from coop.core.picking import picked

ShareOutTogether = Callable[[Network, bytes, str, Sequence[int] | None], Shares]


def answer_flow(problem: FlowProblem, engine: Literal["kernel", "reference"]) -> dict[str, Any]:
    """Say how many pieces each member gets, and of which products; the standing begins from empty balances."""
    network = problem.network
    opening = [0] * len(network.ids) if problem.with_standing else None
    shares = _share_out_together(engine)(network, problem.seed, problem.batch_id, opening)
    awards = dict(zip(network.ids, shares.totals, strict=True))
    taken: dict[str, dict[str, int]] = {member: {} for member in problem.order}
    for pick in shares.picks:
        own, product = taken[network.ids[pick.member]], network.products[pick.product]
        own[product] = own.get(product, 0) + 1
    return {"awards": {member: awards[member] for member in problem.order}, "picks": taken}


def answer_picking(problem: PickingProblem) -> dict[str, Any]:
    """Say what each agent took."""
    return {"picks": picked(problem.pickers, problem.things, problem.order, problem.thing_conflicts)}


def _share_out_together(engine: Literal["kernel", "reference"]) -> ShareOutTogether:
    if engine == "reference":
        return share_out_flow
    from coop.core.leximin_sharing import share_out_together  # noqa: PLC0415 - the reference runs without numpy

    return share_out_together
