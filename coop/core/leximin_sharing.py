"""Shares out several products together, by arrays within their bounds, else by the reference; both give the same."""

from collections.abc import Sequence
from itertools import chain
from operator import itemgetter

import numpy as np

from coop.core.claims import MICRO
from coop.core.leximin import Pick, Shares, share_out_flow
from coop.core.leximin_arrays import Columns, Prices, member_totals, webster_prices
from coop.core.leximin_picks import picks
from coop.core.networks import Network
from coop.core.ticket_arrays import tickets
from coop.core.tickets import claim_number, tie_key

_SAFE = 2**61


def share_out_together(network: Network, seed: bytes, batch_id: str, opening: Sequence[int] | None = None) -> Shares:
    """Share out by the prices of cea/webster, or, with what each is owed at the opening, by the standing."""
    if not network.ids or not within_bounds(network, opening):
        return share_out_flow(network, seed, batch_id, opening)
    columns = _columns(network, tie_key(seed, batch_id))
    prices = webster_prices(columns.weights)
    parts: list[int] = []
    if opening is not None:
        cut = columns._replace(caps=columns.caps * MICRO, limits=columns.limits * MICRO, units=columns.units * MICRO)
        entitled = member_totals(cut, prices).totals
        prices = Prices(columns.weights, np.array(opening, np.int64) + entitled)
        parts = entitled.tolist()
    supplied = member_totals(columns, prices)
    members, edges = picks(columns, prices, supplied)
    taken = map(Pick, members.tolist(), columns.products[edges].tolist())
    return Shares(supplied.totals.tolist(), list(taken), parts)


def within_bounds(network: Network, opening: Sequence[int] | None) -> bool:
    """Tell whether no product or sum in here can leave 64 bits."""
    scale = 1 if opening is None else MICRO
    given = max(map(itemgetter(1), chain.from_iterable(network.wishes)), default=0)
    links, whole = max(map(len, network.wishes)), sum(network.units)
    most = min(max(network.caps), links * max(network.units, default=0), whole) * scale
    heaviest, lightest = max(network.weights), min(network.weights)
    grid = 2 * heaviest * heaviest + 1
    highest = (2 * most + 1) * grid // (2 * lightest) + 2
    balances = max((abs(owed) for owed in opening or ()), default=0)
    sums = len(network.ids) * most + whole * scale + links * whole * scale
    return all(size < _SAFE for size in (4 * highest * heaviest, sums, balances + 2 * most, given, max(network.caps)))


def _columns(network: Network, key: bytes) -> Columns:
    units = np.array(network.units, np.int64)
    counts = list(map(len, network.wishes))
    edges = np.array(list(chain.from_iterable(network.wishes)), np.int64).reshape(-1, 2)
    products = edges[:, 0].astype(np.intp)
    limits = np.minimum(edges[:, 1], units[products]) if len(edges) else edges[:, 1]
    return Columns(
        np.array(network.weights, np.int64),
        np.minimum(np.array(network.caps, np.int64), sum(network.units)),
        tickets(key, np.array([claim_number(member) for member in network.ids], np.uint64)),
        np.cumsum([0, *counts]),
        products,
        limits,
        units,
    )
