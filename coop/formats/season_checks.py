"""What must hold between the rows and files of a season, whatever each cell says; every row that breaks it is named."""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from coop.core.errors import RuleBroken
from coop.core.money import AMOUNT_LIMIT
from coop.core.season import pool_week
from coop.formats.cells import local_second
from coop.formats.csv_reading import Table


def refuse_empty(table: Table) -> None:
    """Name a file without rows."""
    if not len(table):
        table.file_fault("no_rows", "the file has a header and no rows; a season needs at least one")


def refuse_repeated(table: Table, *columns: str) -> None:
    """Name each row that repeats the cells of these columns of an earlier row."""
    keys = table.keys(*columns)
    if len(np.unique(keys)) == len(keys):
        return
    first: dict[int, int] = {}
    for row, key in enumerate(keys.tolist()):
        earlier = first.setdefault(key, row)
        if earlier != row:
            rule = f"stands on line {table.lines[earlier]} already; each may stand once"
            table.fault(row, "+".join(columns), "duplicate", f"“{table.row(row, *columns)}” {rule}")


def refuse_unknown(table: Table, column: str, known: Table) -> None:
    """Name each row whose cell does not stand in the same column of the other file."""
    for row in np.flatnonzero(table.places_in(known, column) < 0).tolist():
        table.fault(
            row,
            column,
            f"unknown_{column}",
            f"“{table.row(row, column)}” does not stand in {known.file}; give one that does",
        )


def refuse_unmatched(table: Table, other: Table, code: str, rule: str) -> None:
    """Name each row whose (cycle, product) has no row in the other file, as when one of the files was cut off."""
    cycles, products = other.places_in(table, "cycle"), other.places_in(table, "product")
    there = np.where((cycles < 0) | (products < 0), -1, cycles * len(table.distinct("product")) + products)
    for row in np.flatnonzero(~np.isin(table.keys("cycle", "product"), there)).tolist():
        table.fault(row, "cycle+product", code, f"“{table.row(row, 'cycle', 'product')}” {rule}")


def refuse_outside_week(orders: Table) -> None:
    """Name each order line whose time is not in the week of its pool."""
    mondays = np.array([_monday(cycle) for cycle in orders.distinct("cycle")], np.int64)[orders.places("cycle")]
    days = np.array([_day(text) for text in orders.distinct("ordered_at")], np.int64)[orders.places("ordered_at")]
    outside = (mondays > 0) & (days > 0) & ((days < mondays) | (days > mondays + 6))
    for row in np.flatnonzero(outside).tolist():
        rule = f"is not in the week {orders.row(row, 'cycle')}; give a time from its Monday to its Sunday"
        orders.fault(row, "ordered_at", "outside_cycle", f"“{orders.row(row, 'ordered_at')}” {rule}")


def _monday(cycle: str) -> int:
    """Give the number of the week's first day; 0 for what is no week, which is named for the cell itself."""
    with suppress(RuleBroken):
        return pool_week(cycle, "UTC").monday.toordinal()
    return 0


def _day(ordered_at: str) -> int:
    with suppress(RuleBroken):
        return local_second(ordered_at).toordinal()
    return 0


def refuse_two_prices(orders: Table) -> None:
    """Name each order line whose price is not that of the first line for the same product in the same pool."""
    offered = orders.keys("cycle", "product")
    if len(np.unique(offered)) == len(np.unique(orders.keys("cycle", "product", "unit_price_minor"))):
        return
    prices = orders.places("unit_price_minor").tolist()
    first: dict[int, int] = {}
    for row, key in enumerate(offered.tolist()):
        earlier = first.setdefault(key, row)
        if prices[earlier] != prices[row]:
            said = f"line {orders.lines[earlier]} says {orders.row(earlier, 'unit_price_minor')}"
            rule = (
                f"“{orders.row(row, 'unit_price_minor')}” is not allowed: {said}, and a product has one price in a pool"
            )
            orders.fault(row, "unit_price_minor", "two_prices", rule)


def refuse_too_dear(orders: Table, pieces: Sequence[int], prices: Sequence[int]) -> None:
    """Name each line that costs more than an entry may move, and the season if it does in all."""
    costs = [wanted * price for wanted, price in zip(pieces, prices, strict=True)]
    for row, cost in enumerate(costs):
        if cost > AMOUNT_LIMIT:
            orders.fault(row, "quantity", "too_large", f"the line costs {cost}; a line may cost at most {AMOUNT_LIMIT}")
    if sum(costs) > AMOUNT_LIMIT:
        orders.file_fault("too_large", f"the orders cost {sum(costs)} in all; a season may cost at most {AMOUNT_LIMIT}")
