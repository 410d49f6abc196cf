"""The engine alone, without a database: a season of small batches, and one batch of a million claims."""

import gc
import secrets
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from bench.measure import Figure, Plan, figure, seconds
from coop.core import kernel
from coop.core.claims import BatchInput, Standing, Terms
from coop.core.sharing import share_out_pool
from coop.formats.season_files import SeasonFiles, read_season

BATCH_LIMIT_S = 25e-6
SEASON_LIMIT_S = 1.0
MANY = 1_000_000


def measure(plan: Plan) -> Iterator[Figure]:
    """Give seconds for the season against its limits, and the array kernel against np.sort."""
    yield from _season(plan)
    yield from _one_batch(plan)


def _season(plan: Plan) -> Iterator[Figure]:
    pools = _pools(read_season(plan.folder, "Europe/London"))
    batches = sum(len(pool) for pool in pools)
    took = [seconds(lambda: _share_out(pools)) for _ in range(plan.runs)]
    limit = BATCH_LIMIT_S * batches
    yield figure("engine.batch", batches, [(s, limit) for s in took], yardstick="25 us a batch", target=1.0)
    yield figure("engine.season", batches, [(s, SEASON_LIMIT_S) for s in took], yardstick="1 s", target=1.0)


def _share_out(pools: list[list[BatchInput]]) -> None:
    standing, numbers = Standing(), {}
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


def _one_batch(plan: Plan) -> Iterator[Figure]:
    random = np.random.default_rng(7)
    weights, wishes = random.integers(1, 5, MANY), random.integers(1, 20, MANY)
    numbers = random.integers(0, 2**63, MANY).astype(np.uint64)
    units, key = int(wishes.sum()) // 3, bytes(range(16))
    owed = random.integers(-500_000, 500_000, MANY)
    floats = random.random(MANY)

    def standing_step() -> None:
        targets = kernel.entitlements(weights, wishes, units, key, numbers) + owed
        kernel.pieces_due(targets, wishes, units, key, numbers)

    works = {
        "engine.webster": (lambda: kernel.cheapest_pieces(weights, wishes, units, key, numbers), 2.5),
        "engine.standing": (standing_step, 10.0),
    }
    for name, (work, target) in works.items():
        gc.collect()
        pairs = [(seconds(work), seconds(lambda: np.sort(floats))) for _ in range(max(5, plan.runs))]
        yield figure(name, MANY, pairs, yardstick="np.sort of as many float64", target=target)
