"""An order of ten lines through the service, against bare insertion of the very rows that it leaves behind."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import text

from bench.measure import WEEK, Figure, Plan, figure, seconds
from bench.open_pool import open_again
from bench.season import at_home, bring_in
from coop.clock import now
from coop.commands.running import Running
from coop.config import libpq_url
from coop.core.ledger import MEMBER_CREDIT, ORDER_HOLD, Entry, credit_paid_in, household_party
from coop.ledger import service as ledger
from coop.orders import service as orders
from coop.people import service as people
from coop.wishes.service import Wish

LINES = 10
TARGET = 3.0
ORDERS = 60
"""How many of each side are placed in a run, in turns."""

Rows = list[tuple[str, list[dict[str, Any]]]]

_WRITTEN = {
    "spent_key": "key = %(key)s",
    "household_order": "id = %(order)s",
    "order_line": "order_id = %(order)s ORDER BY id",
    "entry": "key = 'order:' || %(order)s || ':0'",
    "posting": "entry_id = (SELECT id FROM entry WHERE key = 'order:' || %(order)s || ':0') ORDER BY n",
    "audit_record": "subject_kind = 'order' AND subject_id = %(order)s",
}
"""The rows that the command writes, in an order that their keys allow. Balances are kept by the database, for either side."""


class Household(NamedTuple):
    id: int
    accounts: tuple[int, int]
    """Of its credit and of its holds."""


def measure(plan: Plan) -> Iterator[Figure]:
    """Give the time of an order; both sides meet the same keys, triggers and checks, and wait for the disk at their commit."""
    with tempfile.TemporaryDirectory(prefix="coop-bench-") as folder, at_home(Path(folder), worker=False) as coop:
        bring_in(coop, WEEK)
        pool_id = open_again(coop)
        wishes = _wishes(coop, pool_id)
        households = iter(_households(coop, 2 * ORDERS * (plan.runs + 1)))
        with closing(psycopg.connect(libpq_url(coop.settings.database_url))) as connection:
            runs = [_run(coop, connection, pool_id, wishes, households) for _ in range(plan.runs + 1)]
    yield figure("order", LINES, runs[1:], yardstick="executemany of its rows", target=TARGET)


def _run(
    coop: Running, connection: psycopg.Connection[Any], pool_id: int, wishes: Sequence[Wish], households: Iterator[Household]
) -> tuple[float, float]:  # fmt: skip
    """Place orders in turns, one through the service and its like as bare rows; return the median of each."""
    ours, theirs = [], []
    for _ in range(ORDERS):
        one, other = next(households), next(households)
        key = f"bench:{one.id}"

        def place(household_id: int = one.id, key: str = key) -> None:
            orders.place_order(coop.db, pool_id, wishes, household_id=household_id, by=0, at=now(), key=key)

        ours.append(seconds(place))
        rows = _again(connection, key, one, other)
        theirs.append(seconds(lambda: _insert(connection, rows)))  # noqa: B023 - called at once
    return median(ours), median(theirs)


def _wishes(coop: Running, pool_id: int) -> list[Wish]:
    with coop.db() as session:
        found = session.execute(
            text("SELECT id, price_minor FROM offering WHERE pool_id = :pool ORDER BY id LIMIT :lines"),
            {"pool": pool_id, "lines": LINES},
        ).all()
    return [Wish(offering_id, 1, 2, price_minor) for offering_id, price_minor in found]


def _households(coop: Running, many: int) -> list[Household]:
    """Make households with credit, whose accounts are open: most orders are not their household's first."""
    with coop.db.begin() as session:
        ids = people.bring_in_households(session, [f"B{n}" for n in range(many)], joined_at=now())
        parties = [household_party(household_id) for household_id in ids]
        paid = Entry("bank:bench:1", "credit_paid_in", now().date(), credit_paid_in(dict.fromkeys(parties, 10**6)))
        ledger.post(session, paid, by=0, currency="GBP")
        wanted = [(code, party) for code in (MEMBER_CREDIT, ORDER_HOLD) for party in parties]
        accounts = ledger.open_accounts(session, wanted, currency="GBP")
    return [
        Household(household_id, (accounts[MEMBER_CREDIT, party], accounts[ORDER_HOLD, party]))
        for household_id, party in zip(ids, parties, strict=True)
    ]


def _again(connection: psycopg.Connection[Any], key: str, one: Household, other: Household) -> Rows:
    """Read the rows that an order left behind and make of them those of another household's, ready to be inserted."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        order = cursor.execute("SELECT answer FROM spent_key WHERE key = %s", [key]).fetchall()[0]["answer"]
        found = {
            table: cursor.execute(f"SELECT * FROM {table} WHERE {which}", {"key": key, "order": order}).fetchall()
            for table, which in _WRITTEN.items()
        }
        numbers = {
            table: dict(zip((row["id"] for row in rows), _fresh(cursor, table, len(rows)), strict=True))
            for table, rows in found.items()
            if "id" in rows[0]
        }
    assert [len(rows) for rows in found.values()] == [1, 1, LINES, 1, LINES + 1, 1], "the command writes other rows"
    renumbered = _renumbered(numbers) | {
        "household_id": {one.id: other.id},
        "account_id": dict(zip(one.accounts, other.accounts, strict=True)),
        "key": {key: f"{key}:again", f"order:{order}:0": f"order:{numbers['household_order'][order]}:0"},
    }
    return [
        (_insertion(table, rows[0]), [_other(row, renumbered | {"id": numbers.get(table, {})}) for row in rows])
        for table, rows in found.items()
    ]


def _fresh(cursor: psycopg.Cursor[Any], table: str, many: int) -> list[int]:
    asked = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) AS id FROM generate_series(1, %s)"
    return [row["id"] for row in cursor.execute(asked, [table, many])]


def _renumbered(numbers: dict[str, dict[int, int]]) -> dict[str, dict[int, int]]:
    """Say by column which row of another table is meant now."""
    order, line, entry = numbers["household_order"], numbers["order_line"], numbers["entry"]
    return {"order_id": order, "subject_id": order, "answer": order, "line_id": line, "entry_id": entry}


def _other(row: dict[str, Any], renumbered: dict[str, dict[Any, Any]]) -> dict[str, Any]:
    swapped = {name: renumbered.get(name, {}).get(value, value) for name, value in row.items() if name != "detail"}
    return swapped | ({"detail": Jsonb(row["detail"])} if "detail" in row else {})


def _insertion(table: str, row: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f'%({name})s' for name in row)})"


def _insert(connection: psycopg.Connection[Any], rows: Rows) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        for statement, values in rows:
            cursor.executemany(statement, values)
