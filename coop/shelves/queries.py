"""Which of a pool's batches stand on a page of the order form: the household's own first, then maker by maker."""

from collections.abc import Collection
from itertools import chain, filterfalse, islice
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.paging import Slice, anywhere
from coop.core.recent import Recent

_ORDERS: Final[Recent[UUID, tuple[int, ...]]] = Recent(64)
"""Each pool's offerings in their order, some 70 kB where there are two thousand, under the version that the database gives them.

The version is read before the order is, so what is kept under it is never older.
"""

# By whole numbers first: makers are put in order by themselves, and names of products compared only where a maker has several.
# Which pool is asked for comes out of a subquery, so that the planner counts on a pool as large as most: of the newest, its
# statistics know no row yet.
_ORDER = """
SELECT coalesce(array_agg(f.id ORDER BY m.place, lower(p.name), f.id), '{{}}')
  FROM offering f JOIN product p ON p.id = f.product_id
  JOIN (SELECT id, name, row_number() OVER (ORDER BY lower(name), id) AS place FROM artisan) m ON m.id = p.artisan_id
 WHERE f.pool_id = (SELECT CAST(:pool AS bigint)) {found}
"""
_WHOLE = text(_ORDER.format(found=""))
_FOUND = text(_ORDER.format(found="AND (p.name ILIKE :like OR m.name ILIKE :like)"))


def shelf_part(
    session: Session, pool_id: int, version: UUID, own: Collection[int], sought: str, *, number: int, size: int
) -> tuple[list[int], Slice]:
    """Return the offerings of one page in its order, of all in the pool or of those found by a product's or a maker's name.

    `version` is the pool's `shelf_version` as it was read just now; `own` are the offerings of the household's order.
    """
    if sought:
        whole: tuple[int, ...] = tuple(session.scalars(_FOUND, {"pool": pool_id, "like": anywhere(sought)}).one())
    else:
        whole = _ORDERS.of(version, lambda: tuple(session.scalars(_WHOLE, {"pool": pool_id}).one()))
    part = Slice(number, size, len(whole))
    first, rest = filter(own.__contains__, whole), filterfalse(own.__contains__, whole)
    return list(islice(chain(first, rest), part.skipped, part.skipped + size)), part
