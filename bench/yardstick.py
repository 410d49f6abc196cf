"""The yardstick `copy`: COPY of the rows that a step writes into empty twins of its tables, and out of those it reads.

Twins have the same columns, primary keys, unique keys and indices, but neither foreign keys nor triggers. The row set
is fixed for every design: per order line one line, one entry and two postings at the import, one award, one entry with
three postings at the hand-over, one statement line at the payout. What a step reads are whole rows, each once, that
were there before it: not those that it writes itself and looks at again.
"""

from collections.abc import Sequence

import psycopg

from bench.measure import seconds

READS = {
    "import": (),
    "allocate": (
        "SELECT * FROM order_line",
        "SELECT * FROM household_order",
        "SELECT * FROM offering",
        "SELECT * FROM batch",
        "SELECT * FROM yield_report",
        "SELECT * FROM product WHERE id IN (SELECT product_id FROM offering)",
        "SELECT * FROM season_share",
        "SELECT * FROM account WHERE code IN (2000, 2020)",
    ),
    "handover": ("SELECT * FROM award", "SELECT * FROM order_line"),
    "payout": ("SELECT p.* FROM posting p JOIN account a ON a.id = p.account_id WHERE a.code = 2100",),
}


_COLUMNS = {
    "award": "run_id, offering_id, line_id, pieces, extra, entitled_micro, owed_before_micro",
    "entry": "id, key, kind, business_date, posted_at, period_id, line_count, reverses_id, actor_id, memo",
    "posting": "entry_id, n, account_id, amount, line_id",
    "statement_line": "statement_id, entry_id, n, amount_minor, live, offering_id, pieces, sold_minor, fee_minor, tax_minor",
}
"""What the rows made here hold; columns that came later stay empty."""


class Yardstick:
    """Measures COPY on the server of a season that was brought in, or of so many lines where none was; its bytes are made ready beforehand."""

    def __init__(self, url: str, many: int = 0) -> None:
        self._connection = psycopg.connect(url)
        lines = self._out("SELECT * FROM order_line ORDER BY id")
        many = many or lines.count(b"\n")
        self._rows: dict[str, Sequence[tuple[str, bytes]]] = {
            "import": (("order_line", lines), ("entry", _entries(many, 2)), ("posting", _postings(many, 2))),
            "allocate": (("award", _awards(many)),),
            "handover": (("entry", _entries(many, 3)), ("posting", _postings(many, 3))),
            "payout": (("statement_line", _statement_lines(many)),),
        }
        self._connection.rollback()

    def seconds(self, step: str) -> float:
        """Take the time of one step's COPY, in one transaction, into fresh twins."""
        connection = self._connection
        with connection.cursor() as cursor:
            for table, _ in self._rows[step]:
                cursor.execute(f'DROP TABLE IF EXISTS "twin_{table}"')
                cursor.execute(f'CREATE TABLE "twin_{table}" (LIKE "{table}" INCLUDING INDEXES INCLUDING DEFAULTS)')
            connection.commit()
            took = seconds(lambda: self._copy(step))
            for table, _ in self._rows[step]:
                cursor.execute(f'DROP TABLE "twin_{table}"')
            connection.commit()
        return took

    def close(self) -> None:
        self._connection.close()

    def _copy(self, step: str) -> None:
        for query in READS[step]:
            self._out(query)
        with self._connection.cursor() as cursor:
            for table, content in self._rows[step]:
                columns = f"({_COLUMNS[table]})" if table in _COLUMNS else ""
                with cursor.copy(f'COPY "twin_{table}" {columns} FROM STDIN') as copy:
                    copy.write(content)
        self._connection.commit()

    def _out(self, query: str) -> bytes:
        with self._connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
            return b"".join(bytes(part) for part in copy)


def _entries(many: int, postings: int) -> bytes:
    day = "2010-12-01\t2010-12-01 12:00:00+00\t1"
    return b"".join(f"{i}\tkey:{i}\torder\t{day}\t{postings}\t\\N\t0\t\\N\n".encode() for i in range(1, many + 1))


def _postings(many: int, each: int) -> bytes:
    amounts = {2: (500, -500), 3: (500, -450, -50)}[each]
    return b"".join(
        f"{i}\t{n}\t{1 + (i * n) % 2900}\t{amount}\t{i if n < 3 else chr(92) + 'N'}\n".encode()
        for i in range(1, many + 1)
        for n, amount in enumerate(amounts, 1)
    )


def _awards(many: int) -> bytes:
    return b"".join(f"1\t{i // 4}\t{i}\t3\t0\t{i * 100}\t{i}\n".encode() for i in range(1, many + 1))


def _statement_lines(many: int) -> bytes:
    return b"".join(f"{1 + i % 120}\t{i}\t2\t450\tt\t{i // 4}\t3\t500\t50\t0\n".encode() for i in range(1, many + 1))
