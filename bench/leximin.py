"""Several products together: how many pieces each of 10^5 members gets, and against others' programs in the long form.

The yardsticks OR-tools and fairpyx are no dependencies of the suite: `--full` needs them, and `python3 dev.py bench`
then installs requirements/bench.lock. `python3 -m bench.leximin MEMBERS` measures one network in a process of its own.
"""

import importlib
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.measure import Figure, Plan, figure, seconds
from coop.core.leximin_arrays import Columns, Supplied, member_totals, webster_prices
from coop.core.leximin_picks import picks
from coop.core.leximin_sharing import share_out_together
from coop.core.networks import Network

MANY, PRODUCTS = 100_000, 50
LIMIT_S = 1.0
PICKS_LIMIT_S = 6.0
MILLION_LIMIT_S = 30.0
MEMORY_LIMIT_MIB = 4096
FASTER = {100: (10, 20), 1_000: (30, 100), 5_000: (30, 100)}
"""By members: the products, and how many times as fast as iterated matching we are to be."""


def measure(plan: Plan) -> Iterator[Figure]:
    """Give seconds for 10^5 members, and in the long form ratios to a solver and to iterated matching, and a million."""
    columns = network(MANY, PRODUCTS)
    prices = webster_prices(columns.weights)
    supplied = member_totals(columns, prices)
    took = [seconds(lambda: member_totals(columns, prices)) for _ in range(plan.runs)]
    yield figure("leximin.totals", MANY, [(s, LIMIT_S) for s in took], yardstick="1 s", target=1.0)
    took = [seconds(lambda: picks(columns, prices, supplied)) for _ in range(plan.runs)]
    yield figure("leximin.picks", MANY, [(s, PICKS_LIMIT_S) for s in took], yardstick="6 s", target=1.0)
    if not plan.full:
        return
    pairs = [(seconds(lambda: member_totals(columns, prices)), _max_flow(columns, supplied)) for _ in range(plan.runs)]
    yield figure("leximin.max_flow", MANY, pairs, yardstick="OR-tools, one max-flow, arcs ready", target=8.0)
    for members, (products, faster) in FASTER.items():
        pairs = [_against_matching(members, products, seed) for seed in range(1 if members > 1_000 else plan.runs)]
        yield figure(
            "leximin.matching", members, pairs, yardstick="fairpyx, iterated maximum matching", target=1 / faster
        )
    yield _million()


def network(members: int, products: int) -> Columns:
    """Make up a network in which members accept about 4.5 products each, some far more sought after than made."""
    random = np.random.default_rng(7)
    fame = np.arange(1, products + 1) ** -0.7
    wanted = random.binomial(8, 3.5 / 8, members) + 1
    accepted = [_accepted(random, np.log(fame), wanted[start : start + MANY]) for start in range(0, members, MANY)]
    edges = np.concatenate(accepted)
    starts = np.concatenate([[0], np.cumsum(wanted)])
    limits, caps = random.integers(1, 4, len(edges)), random.integers(2, 9, members)
    demand = int(np.minimum(caps, np.add.reduceat(limits, starts[:-1])).sum())
    parts = random.integers(20, 120, products)
    return Columns(
        weights=random.integers(1, 5, members),
        caps=caps,
        tickets=random.integers(0, 2**63, members).astype(np.uint64),
        starts=starts,
        products=edges,
        limits=limits,
        units=demand * 6 // 10 * parts // parts.sum(),
    )


def _accepted(random: np.random.Generator, fame: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    drawn = fame + random.gumbel(size=(len(wanted), len(fame)))
    order = np.argsort(-drawn, axis=1)[:, : int(wanted.max())]
    return order[np.arange(order.shape[1]) < wanted[:, None]]


def _max_flow(columns: Columns, supplied: Supplied) -> float:
    """Time one maximum flow of the same graph, from the members' caps to the products' pieces; the arcs are added before."""
    solver = importlib.import_module("ortools.graph.python.max_flow").SimpleMaxFlow()
    members, products = len(columns.weights), len(columns.units)
    source, sink = members + products, members + products + 1
    people, goods = np.arange(members), members + np.arange(products)
    owners = np.repeat(people, np.diff(columns.starts))
    solver.add_arcs_with_capacity(
        np.concatenate([np.full(members, source), owners, goods]),
        np.concatenate([people, members + columns.products, np.full(products, sink)]),
        np.concatenate([columns.caps, columns.limits, columns.units]),
    )
    took = seconds(lambda: solver.solve(source, sink))
    assert solver.optimal_flow() == int(supplied.totals.sum())
    return took


def _against_matching(members: int, products: int, seed: int) -> tuple[float, float]:
    """Time both on unit requests, equal weights and three picks each; ours must never be worse in the leximin order."""
    random = np.random.default_rng(seed)
    fame = np.log(np.arange(1, products + 1) ** -0.5)
    wanted = random.integers(3, 8, members)
    wishes = np.split(_accepted(random, fame, wanted), np.cumsum(wanted)[:-1])
    parts = random.integers(30, 130, products)
    units = np.maximum(1, members * 3 * 8 // 10 * parts // parts.sum()).tolist()
    ids, names = [f"m{place:05}" for place in range(members)], [f"p{place:02}" for place in range(products)]
    ours = Network(ids, [1] * members, [3] * members, names, units, [[(p, 1) for p in own.tolist()] for own in wishes])
    totals = sorted(share_out_together(ours, bytes(32), "b").totals)
    took = statistics.median(seconds(lambda: share_out_together(ours, bytes(32), "b")) for _ in range(5))
    theirs, matched = _matching(ours)
    assert totals >= matched, "worse in the leximin order"
    return took, theirs


def _matching(ours: Network) -> tuple[float, list[int]]:
    """Time fairpyx on the same network, liking better what stands first; give also how many accepted pieces each got, sorted."""
    fairpyx = importlib.import_module("fairpyx")
    algorithms = importlib.import_module("fairpyx.algorithms")
    values = {}
    for member, wishes in zip(ours.ids, ours.wishes, strict=True):
        values[member] = dict.fromkeys(ours.products, 0)
        values[member] |= {ours.products[p]: len(ours.products) - place for place, (p, _) in enumerate(wishes)}
    instance = fairpyx.Instance(
        agent_capacities=dict.fromkeys(ours.ids, 3),
        item_capacities=dict(zip(ours.products, ours.units, strict=True)),
        valuations=values,
    )
    found: list[dict[str, list[str]]] = []

    def divide() -> None:
        found.append(fairpyx.divide(algorithms.iterated_maximum_matching, instance=instance))

    took = seconds(divide)
    return took, sorted(sum(values[member][product] > 0 for product in own) for member, own in found[0].items())


def _million() -> Figure:
    """Share out among a million members in a process of their own; too much memory counts as too slow."""
    words = [sys.executable, "-m", "bench.leximin", "1000000"]
    told = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    slow = max(told["seconds"], MILLION_LIMIT_S * told["peak_mib"] / MEMORY_LIMIT_MIB)
    return figure(
        "leximin.million",
        told["members"],
        [(slow, MILLION_LIMIT_S)],
        yardstick=f"30 s and 4 GiB; took {told['seconds']:.1f} s and {told['peak_mib']} MiB",
        target=1.0,
    )


def main() -> None:
    members = int(sys.argv[1])
    columns = network(members, PRODUCTS)
    took = seconds(lambda: member_totals(columns, webster_prices(columns.weights)))
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print(json.dumps({"members": members, "seconds": took, "peak_mib": int(peak.split()[1]) // 1024}))


if __name__ == "__main__":
    main()
