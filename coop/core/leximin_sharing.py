"""Shares out several products together, by arrays within their bounds, else by the reference; both give the same."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from coop.core.claims import MICRO
from coop.core.leximin import Pick, Shares, share_out_by_reference
from coop.core.leximin_arrays import Columns, Prices, member_totals, webster_prices
from coop.core.leximin_picks import picks
from coop.core.networks import Network
from coop.core.ticket_arrays import tickets
from coop.core.tickets import claim_number, tie_key

_SAFE = 2**61


def share_out_together(network: Network, seed: bytes, batch_id: str, opening: Sequence[int] | None = None) -> Shares:
    """Share out by the prices of cea/webster, or, with what each is owed at the opening, by the standing."""
    if not network.ids or not within_bounds(network, opening):
        return share_out_by_reference(network, seed, batch_id, opening)
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
    parts = 1 if opening is None else MICRO
    most = max(network.limits()) * parts
    heaviest, lightest = max(network.weights), min(network.weights)
    grid = 2 * heaviest * heaviest + 1
    highest = (2 * most + 1) * grid // (2 * lightest) + 2
    demand = sum(min(limit, network.units[product]) for wishes in network.wishes for product, limit in wishes)
    balances = max((abs(owed) for owed in opening or ()), default=0)
    sizes = (4 * highest * heaviest, demand * parts, sum(network.units) * parts, balances + 2 * most)
    return all(size < _SAFE for size in sizes)


def _columns(network: Network, key: bytes) -> Columns:
    numbers = np.array([claim_number(member) for member in network.ids], np.uint64)
    products = np.array([product for wishes in network.wishes for product, _ in wishes], np.intp)
    units = np.array(network.units, np.int64)
    limits = (min(limit, network.units[product]) for product, limit in chain.from_iterable(network.wishes))
    return Columns(
        np.array(network.weights, np.int64),
        np.array(network.limits(), np.int64),
        tickets(key, numbers),
        np.cumsum([0, *map(len, network.wishes)]),
        products,
        np.fromiter(limits, np.int64, len(products)),
        units,
    )
