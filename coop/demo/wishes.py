"""What the demo's households order: the same every time, within what each can spend."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from coop.demo.makers import POOLS, PRODUCTS, Batch
from coop.demo.people import HOUSEHOLDS, MEMBER, Household

SPENDS: Final = {"half": 5_900, "full": 11_200, "double": 21_000, "waits": 5_900, "": 4_900}
"""The most that a household of this share spends in one pool, in cents."""

NOT_PAID: Final = frozenset({"Cullen", "Walsh"})
"""They took a share and have not paid it whole, so they have no credit to order with yet."""

_MEMBERS_OWN: Final[tuple[Mapping[str, tuple[int, int]], ...]] = (
    {"MA-11": (2, 2), "OL-28": (3, 4), "QS-07": (1, 1), "HB-03": (1, 1)},
    {"MA-12": (1, 2), "OL-31": (3, 3), "QS-08": (1, 1), "CW-10": (1, 2)},
    {},
)
"""What the household that one signs in as has ordered, (wish, up to) by lot; its order in the open pool is still to come."""

_PRODUCTS = {product.key: product for product in PRODUCTS}


class Asked(NamedTuple):
    """A household's wish for a batch."""

    lot: str
    wish: int
    up_to: int


def orders_in(pool: int) -> dict[str, list[Asked]]:
    """Return what each household asks for in a pool; those without an order are left out."""
    batches = POOLS[pool][1]
    asked = {
        household.name: _asked(household, place, batches, pool)
        for place, household in enumerate(HOUSEHOLDS)
        if household.name not in NOT_PAID and (_mark(household.name, f"pool {pool}") % 9 or MEMBER in household.people)
    }
    return {name: lines for name, lines in asked.items() if lines}


def _asked(household: Household, place: int, batches: Sequence[Batch], pool: int) -> list[Asked]:
    if MEMBER in household.people:
        return [Asked(lot, wish, up_to) for lot, (wish, up_to) in _MEMBERS_OWN[pool].items()]
    left, lines = SPENDS[household.share], []
    start = 1 + place % (len(batches) - 1)
    for batch in (batches[0], *batches[start:], *batches[1:start]):
        if _mark(household.name, batch.lot) % 100 >= batch.popularity:
            continue
        product = _PRODUCTS[batch.product]
        each = product.price_minor + product.deposit_minor
        wish = min(1 + _mark(batch.lot, household.name) % batch.most, left // each)
        if wish:
            more = _mark(household.name, f"more {batch.lot}") % 4 == 0 and (wish + 1) * each <= left
            lines.append(Asked(batch.lot, wish, wish + more))
            left -= (wish + more) * each
    return lines


def _mark(one: str, other: str) -> int:
    """Draw a number from two words: always the same, and without a pattern to see."""
    return int.from_bytes(hashlib.blake2b(f"{one}/{other}".encode(), digest_size=4).digest())
