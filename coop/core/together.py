"""Batches shared out together because members named some of them as alternatives of each other: the parts, and the rule.

A claim is one wish: a line by itself, or a choice among several lines, of which it takes no more pieces than its `cap`.
Batches that choices link, directly or over others, are one part and shared out as one (`leximin.py`); then each batch by
itself gives what is left to those who would take more than their wish. No balance moves: what members are owed is kept
by family, and a choice may reach over families.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from coop.core.claims import TOGETHER_RULE, BatchInput
from coop.core.leximin import Shares
from coop.core.networks import Network


class Choice(NamedTuple):
    """A claim on several batches, by place, the best liked first, with the pieces that it takes of them in all."""

    id: str
    cap: int
    places: tuple[int, ...]


class Part(NamedTuple):
    """Batches that are shared out as one, in rising order of their ids' bytes; choices name them by place in here."""

    batches: Sequence[BatchInput]
    choices: Sequence[Choice]

    @property
    def id(self) -> str:
        """Name what the tickets are drawn for."""
        return f"together:{self.batches[0].id}"


class SharedPart(NamedTuple):
    """Awards for each batch in the order of its claims, what is taken beyond the wishes included; and who took what in turn."""

    awards: Sequence[Sequence[int]]
    network: Network
    shares: Shares


Flow = Callable[[Network, bytes, str], Shares]
TopUp = Callable[[BatchInput, int, bytes], Sequence[int]]
"""Shares out the pieces that are left of a batch to those who would take more."""


def parts_of_pool(batches: Sequence[BatchInput], choices: Sequence[Choice]) -> list[tuple[list[int], Part]]:
    """Give the parts of a pool with the places of their batches, in the order of their first ones."""
    first = {place: place for place, batch in enumerate(batches) if batch.rule == TOGETHER_RULE}
    for choice in choices:
        roots = {_root(first, place) for place in choice.places}
        for root in roots:
            first[root] = min(roots)
    members: dict[int, list[int]] = {}
    for place in sorted(first):
        members.setdefault(_root(first, place), []).append(place)
    inside = {place: at for places in members.values() for at, place in enumerate(places)}
    own: dict[int, list[Choice]] = {root: [] for root in members}
    for choice in choices:
        places = tuple(inside[place] for place in choice.places)
        own[_root(first, choice.places[0])].append(choice._replace(places=places))
    return [
        (places, Part([batches[place] for place in places], sorted(own[root], key=lambda one: one.id.encode())))
        for root, places in members.items()
    ]


def share_out_part(part: Part, seed: bytes, flow: Flow, top_up: TopUp) -> SharedPart:
    """Share out the batches of a part as one."""
    network = network_of(part)
    shares = flow(network, seed, part.id)
    given: list[dict[str, int]] = [{} for _ in part.batches]
    for member, product in shares.picks:
        claim = network.ids[member]
        given[product][claim] = given[product].get(claim, 0) + 1
    awards = []
    for batch, taken in zip(part.batches, given, strict=True):
        own = [taken.get(claim, 0) for claim in batch.ids]
        left = batch.units - sum(own)
        if left and any(batch.tolerances):
            own = [award + more for award, more in zip(own, top_up(batch, left, seed), strict=True)]
        awards.append(own)
    return SharedPart(awards, network, shares)


def network_of(part: Part) -> Network:
    """Lay a part out as who may take how much of what."""
    requests = [dict(zip(batch.ids, batch.requests, strict=True)) for batch in part.batches]
    weights: dict[str, int] = {}
    lines: dict[str, list[int]] = {}
    for place, batch in enumerate(part.batches):
        weights |= zip(batch.ids, batch.weights, strict=True)
        for claim in batch.ids:
            lines.setdefault(claim, []).append(place)
    caps = {choice.id: choice.cap for choice in part.choices}
    lines |= {choice.id: list(choice.places) for choice in part.choices}
    ids = sorted(weights, key=str.encode)
    wishes = [[(place, requests[place][claim]) for place in lines[claim]] for claim in ids]
    limits = [caps.get(claim, sum(limit for _, limit in own)) for claim, own in zip(ids, wishes, strict=True)]
    names, units = [batch.id for batch in part.batches], [batch.units for batch in part.batches]
    return Network(ids, [weights[claim] for claim in ids], limits, names, units, wishes)


def missing_of(part: Part, shared: SharedPart) -> list[list[int]]:
    """Count, line by line, the pieces that are short: what a choice did not get at all is short on its best liked line."""
    firsts = {choice.id: choice.places[0] for choice in part.choices}
    totals = dict(zip(shared.network.ids, shared.shares.totals, strict=True))
    caps = dict(zip(shared.network.ids, shared.network.caps, strict=True))
    return [
        [caps[claim] - totals[claim] if firsts.get(claim, place) == place else 0 for claim in batch.ids]
        for place, batch in enumerate(part.batches)
    ]


def taken_by(shared: SharedPart) -> Mapping[str, Mapping[str, int]]:
    """Give the pieces that each claim took of each batch, wishes alone."""
    taken: dict[str, dict[str, int]] = {claim: {} for claim in shared.network.ids}
    for pick in shared.shares.picks:
        own, name = taken[shared.network.ids[pick.member]], shared.network.products[pick.product]
        own[name] = own.get(name, 0) + 1
    return taken


def _root(first: Mapping[int, int], place: int) -> int:
    while first[place] != place:
        place = first[place]
    return place
