"""A season as four files (members, products, orders, yields; `.csv` or `.csv.gz`), read whole or refused whole.

Rows may stand in any order: they are sorted here, so the same rows are always the same season with the same digest.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from coop.core.payout import IMPORTED_TERMS, Model, Terms
from coop.core.season import PoolWeek, instant, pool_week, zone_named
from coop.formats.cells import code, local_second, name, whole_number
from coop.formats.csv_reading import Places, Problems, Table, read_table
from coop.formats.season_checks import (
    refuse_empty,
    refuse_outside_week,
    refuse_repeated,
    refuse_too_dear,
    refuse_two_prices,
    refuse_unknown,
    refuse_unmatched,
)

WEIGHT_LIMIT = 32_767
PIECES_LIMIT = 1_000_000
PRICE_LIMIT = 10**9
HIGHEST_LEVY_BP = 5000

_COLUMNS = {
    "members": ("member", "share_weight"),
    "products": ("product", "name", "artisan"),
    "orders": ("cycle", "ordered_at", "member", "product", "quantity", "unit_price_minor"),
    "yields": ("cycle", "product", "yield_units"),
}
_TERMS_COLUMNS = ("artisan", "fee_bp", "fee_tax_bp")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class SeasonFiles:
    """A season, by columns. Cycles, members, products and artisans are sorted by their codes; rows name them by their places there.

    Order lines are sorted by (cycle, member, product), yields by (cycle, product). `digest` does not depend on the order of the rows.
    """

    digest: str
    cycles: list[str]
    weeks: list[PoolWeek]
    members: list[str]
    member_weights: list[int]
    artisans: list[str]
    artisan_terms: list[Terms]
    products: list[str]
    product_names: list[str]
    product_artisans: list[int]
    line_cycles: list[int]
    line_members: list[int]
    line_products: list[int]
    line_pieces: list[int]
    line_prices: list[int]
    line_times: list[datetime]
    yield_cycles: list[int]
    yield_products: list[int]
    yield_pieces: list[int]


class _Tables(NamedTuple):
    members: Table
    products: Table
    orders: Table
    yields: Table
    terms: Table | None


class _Cells(NamedTuple):
    weights: list[int]
    names: list[str]
    makers: list[str]
    pieces: list[int]
    prices: list[int]
    times: list[datetime]
    yielded: list[int]
    terms: dict[str, Terms]


def read_season(folder: Path, zone: str) -> SeasonFiles:
    """Read the season in a folder; the times in it are local to the zone. Raises `FilesRefused` with every fault found,
    and `bad_timezone`.

    An optional file `artisans` (artisan, fee_bp, fee_tax_bp) gives some artisans other terms than a fee of 10 % and no tax.
    """
    zone_named(zone)
    problems = Problems()
    read = [_read(folder, stem, columns, problems) for stem, columns in _COLUMNS.items()]
    terms = _read(folder, "artisans", _TERMS_COLUMNS, problems, optional=True)
    problems.refuse_if_any()
    members, products, orders, yields = (table for table in read if table is not None)
    tables = _Tables(members, products, orders, yields, terms)
    cells = _read_cells(tables, zone)
    _check(tables)
    problems.refuse_if_any()
    refuse_too_dear(orders, cells.pieces, cells.prices)
    problems.refuse_if_any()
    return _arrange(tables, cells, zone)


def _read(
    folder: Path, stem: str, columns: Sequence[str], problems: Problems, *, optional: bool = False
) -> Table | None:
    found = [path for path in (folder / f"{stem}.csv", folder / f"{stem}.csv.gz") if path.is_file()]
    if len(found) == 2:
        problems.add(
            f"{stem}.csv", 1, "file", "doubled_file", f"there is {stem}.csv and also {stem}.csv.gz; keep one of them"
        )
    if not found and not optional:
        problems.add(
            f"{stem}.csv", 1, "file", "missing_file", f"the file is missing; a season needs {stem}.csv or {stem}.csv.gz"
        )
    return read_table(found[0], columns, problems) if len(found) == 1 else None


def _check(tables: _Tables) -> None:
    members, products, orders, yields, terms = tables
    for table in (members, products, orders, yields):
        refuse_empty(table)
    refuse_repeated(members, "member")
    refuse_repeated(products, "product")
    refuse_repeated(orders, "cycle", "member", "product")
    refuse_repeated(yields, "cycle", "product")
    refuse_unknown(orders, "member", members)
    refuse_unknown(orders, "product", products)
    refuse_unknown(yields, "product", products)
    refuse_unmatched(
        orders, yields, "no_yield", "has no yield; give one for each product ordered in a week, 0 if the batch failed"
    )
    refuse_unmatched(
        yields, orders, "no_order", "was ordered by nobody; give yields only for what was ordered in that week"
    )
    refuse_outside_week(orders)
    refuse_two_prices(orders)
    if terms:
        refuse_repeated(terms, "artisan")
        refuse_unknown(terms, "artisan", products)


def _read_cells(tables: _Tables, zone: str) -> _Cells:
    members, products, orders, yields, _ = tables
    for table, column in ((members, "member"), (products, "product")):
        table.values(column, code)
    for table in (orders, yields):
        table.values("cycle", lambda text: pool_week(text, "UTC"))
    return _Cells(
        weights=members.values("share_weight", whole_number(1, WEIGHT_LIMIT)),
        names=products.values("name", name),
        makers=products.values("artisan", code),
        pieces=orders.values("quantity", whole_number(1, PIECES_LIMIT)),
        prices=orders.values("unit_price_minor", whole_number(0, PRICE_LIMIT)),
        times=orders.values("ordered_at", lambda text: _instant(text, zone)),
        yielded=yields.values("yield_units", whole_number(0, PIECES_LIMIT)),
        terms=_agreed_terms(tables.terms),
    )


def _instant(local: str, zone: str) -> datetime:
    at = local_second(local)
    return instant(at.date(), at.time(), zone)


def _agreed_terms(table: Table | None) -> dict[str, Terms]:
    if table is None:
        return {}
    fees = table.values("fee_bp", whole_number(0, HIGHEST_LEVY_BP))
    taxes = table.values("fee_tax_bp", whole_number(0, HIGHEST_LEVY_BP))
    agreed = [Terms(Model.AGENT, fee_bp, fee_tax_bp) for fee_bp, fee_tax_bp in zip(fees, taxes, strict=False)]
    return {
        table.distinct("artisan")[place]: terms for place, terms in zip(table.places("artisan"), agreed, strict=False)
    }


def _arrange(tables: _Tables, cells: _Cells, zone: str) -> SeasonFiles:
    members, products, orders, yields, _ = tables
    cycles, artisans = orders.distinct("cycle"), products.distinct("artisan")
    by_member, by_product = np.argsort(members.places("member")), np.argsort(products.places("product"))
    by_line, by_yield = (
        np.argsort(orders.keys("cycle", "member", "product")),
        np.argsort(yields.keys("cycle", "product")),
    )
    season = SeasonFiles(
        digest="",
        cycles=cycles,
        weeks=[pool_week(cycle, zone) for cycle in cycles],
        members=members.distinct("member"),
        member_weights=_picked(cells.weights, by_member),
        artisans=artisans,
        artisan_terms=[cells.terms.get(artisan, IMPORTED_TERMS) for artisan in artisans],
        products=products.distinct("product"),
        product_names=_picked(cells.names, by_product),
        product_artisans=products.places("artisan")[by_product].tolist(),
        line_cycles=orders.places("cycle")[by_line].tolist(),
        line_members=orders.places_in(members, "member")[by_line].tolist(),
        line_products=orders.places_in(products, "product")[by_line].tolist(),
        line_pieces=_picked(cells.pieces, by_line),
        line_prices=_picked(cells.prices, by_line),
        line_times=_picked(cells.times, by_line),
        yield_cycles=yields.places("cycle")[by_yield].tolist(),
        yield_products=yields.places_in(products, "product")[by_yield].tolist(),
        yield_pieces=_picked(cells.yielded, by_yield),
    )
    return replace(season, digest=_digest(season, orders.distinct("ordered_at"), orders.places("ordered_at")[by_line]))


def _picked(values: Sequence[_Value], places: Places) -> list[_Value]:
    return [values[place] for place in places.tolist()]


def _digest(season: SeasonFiles, times: list[str], line_times: Places) -> str:
    """Hash all that the files say, column by column; what they do not say (zone, weeks) is left out."""
    terms = [f"{terms.fee_bp}/{terms.fee_tax_bp}" for terms in season.artisan_terms]
    texts = (season.cycles, season.members, season.artisans, terms, season.products, season.product_names, times)
    numbers = (
        *(
            season.member_weights,
            season.product_artisans,
            season.line_cycles,
            season.line_members,
            season.line_products,
        ),
        *(season.line_pieces, season.line_prices, season.yield_cycles, season.yield_products, season.yield_pieces),
    )
    sealed = hashlib.sha256(b"season/1")
    for column in texts:
        sealed.update(b"\n" + "\t".join(column).encode())
    for values in (*numbers, line_times):
        sealed.update(b"\n" + np.array(values, "<i8").tobytes())
    return sealed.hexdigest()
