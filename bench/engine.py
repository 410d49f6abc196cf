"""The engine alone, without a database: a season of small batches, one of large ones, and batches up to ten million claims."""

import gc
import secrets
import tracemalloc
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.measure import Figure, Plan, figure, seconds
from coop.core import kernel
from coop.core.claims import BatchInput, Standing, Terms
from coop.core.kinds import kinds_of
from coop.core.share_kernel import largest_remainder, shares_of
from coop.core.sharing import share_out_pool
from coop.core.ticket_arrays import Whole, Words
from coop.formats.season_files import SeasonFiles, read_season

BATCH_LIMIT_S = 25e-6
SEASON_LIMIT_S = 1.0
SIZES = (10**4, 10**5, 10**6, 10**7)
AGAINST_SORT = {10**6: 2.5, 10**7: 2.0}
UNBOUND = 1000.0
"""Small batches are measured, but what they take is arithmetic on the kinds of claims, not the claims."""
BYTES_A_CLAIM = 100.0
MEMBERS, BATCHES = 30_000, 520


def measure(plan: Plan) -> Iterator[Figure]:
    """Give seconds for the season against its limits, and the array kernels against np.sort."""
    yield from _season(plan)
    for many in SIZES if plan.full else SIZES[:3]:
        yield from _one_batch(plan, many)
    yield from _long_season(plan)


def _season(plan: Plan) -> Iterator[Figure]:
    pools = _pools(read_season(plan.folder, "Europe/London"))
    batches = sum(len(pool) for pool in pools)
    took = [seconds(lambda: _share_out(pools)) for _ in range(plan.runs)]
    limit = BATCH_LIMIT_S * batches
    yield figure("engine.batch", batches, [(s, limit) for s in took], yardstick="25 us a batch", target=1.0)
    yield figure("engine.season", batches, [(s, SEASON_LIMIT_S) for s in took], yardstick="1 s", target=1.0)


def _share_out(pools: list[list[BatchInput]]) -> None:
    standing, numbers = Standing(), dict[str, int]()
    for number, pool in enumerate(pools):
        _, standing = share_out_pool(pool, standing, Terms(), number.to_bytes(32, "big"), numbers)


def _pools(files: SeasonFiles) -> list[list[BatchInput]]:
    names = [secrets.token_hex(16) for _ in files.members]
    claims: dict[tuple[int, int], list[tuple[str, int, int]]] = defaultdict(list)
    for cycle, member, product, pieces in zip(
        files.line_cycles, files.line_members, files.line_products, files.line_pieces, strict=True
    ):
        claims[cycle, product].append((names[member], files.member_weights[member], pieces))
    pools: list[list[BatchInput]] = [[] for _ in files.cycles]
    for cycle, product, units in zip(files.yield_cycles, files.yield_products, files.yield_pieces, strict=True):
        ids, weights, wishes = zip(*sorted(claims[cycle, product]), strict=True)
        lot = f"{files.cycles[cycle]}-{files.products[product]}"
        pools[cycle].append(BatchInput(id=lot, units=units, ids=ids, weights=weights, requests=wishes))
    return pools


def _one_batch(plan: Plan, many: int) -> Iterator[Figure]:
    columns = _columns(many)
    for name, (work, targets) in _works(columns).items():
        gc.collect()
        held = _held_by(work)
        pairs = [(seconds(work), seconds(lambda: np.sort(columns.floats))) for _ in range(max(5, plan.runs))]
        target = targets.get(many, UNBOUND)
        yield figure(name, many, pairs, yardstick="np.sort of as many float64", target=target)
        yield figure(
            f"{name}.bytes", many, [(held, many)], yardstick="a claim, beyond the inputs", target=BYTES_A_CLAIM
        )


class _Columns(NamedTuple):
    weights: Whole
    wishes: Whole
    owed: Whole
    numbers: Words
    floats: NDArray[np.float64]
    units: int


def _columns(many: int) -> _Columns:
    """Make up a batch: share points 1 to 4, wishes 1 to 19, a third of them made."""
    random = np.random.default_rng(7)
    weights, wishes = random.integers(1, 5, many), random.integers(1, 20, many)
    owed = random.integers(-500_000, 500_000, many)
    numbers = random.integers(0, 2**63, many).astype(np.uint64)
    return _Columns(weights, wishes, owed, numbers, random.random(many), int(wishes.sum()) // 3)


def _works(of: _Columns) -> dict[str, tuple[Callable[[], object], dict[int, float]]]:
    key = bytes(range(16))

    def standing_step() -> None:
        targets = kernel.entitlements(of.weights, of.wishes, of.units, key, of.numbers)
        targets += of.owed
        kernel.pieces_due(targets, of.wishes, of.units, key, of.numbers)

    def remainder() -> None:
        kinds = kinds_of(of.weights, of.wishes)
        largest_remainder(kinds, shares_of("cea", kinds, of.units), of.units, key, of.numbers)

    def webster() -> None:
        kernel.cheapest_pieces(of.weights, of.wishes, of.units, key, of.numbers)

    return {
        "engine.webster": (webster, AGAINST_SORT),
        "engine.largest_remainder": (remainder, AGAINST_SORT),
        "engine.standing": (standing_step, {10**6: 10.0}),
    }


def _held_by(work: Callable[[], object]) -> int:
    """Give the most bytes that the work holds at once beyond what was there."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _long_season(plan: Plan) -> Iterator[Figure]:
    """Share out 520 batches among 30,000 members by the default rule, against one sort of as many numbers a batch.

    The same members claim each time, or other four fifths of them each time.
    """
    random = np.random.default_rng(11)
    ids = sorted(f"{name:032x}" for name in random.integers(0, 2**62, MEMBERS).tolist())
    weights, floats = random.integers(1, 5, MEMBERS).tolist(), random.random(MEMBERS)
    many = BATCHES if plan.full else BATCHES // 26
    same = [_long_batch(random, number, ids, weights) for number in range(many)]
    yield _against_sorts("engine.long_season", same, floats, plan)
    del same
    others = []
    for number in range(many // 5):
        here = np.flatnonzero(random.random(MEMBERS) < 0.8).tolist()
        batch = _long_batch(random, number, [ids[place] for place in here], [weights[place] for place in here])
        others.append(replace(batch, members=array("q", here)))
    yield _against_sorts("engine.long_season_of_others", others, floats, plan)


def _long_batch(random: np.random.Generator, number: int, ids: list[str], weights: list[int]) -> BatchInput:
    wishes = random.integers(0, 6, len(ids))
    return BatchInput(f"lot-{number}", int(wishes.sum()) // 3, ids, weights, array("q", wishes.tobytes()))


def _against_sorts(name: str, batches: list[BatchInput], floats: NDArray[np.float64], plan: Plan) -> Figure:
    numbers: dict[str, int] = {}
    share_out_pool(batches[:1], Standing(), Terms(), bytes(32), numbers)

    def sorts() -> None:
        for _ in batches:
            np.sort(floats)

    pairs = [
        (seconds(lambda: share_out_pool(batches, Standing(), Terms(), bytes(32), numbers)), seconds(sorts))
        for _ in range(max(5, plan.runs))
    ]
    return figure(name, len(batches), pairs, yardstick="np.sort of 30,000 float64 a batch", target=20.0)
