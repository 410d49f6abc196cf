"""The database: base class, column habits, connections, and rows in bulk."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Date, DateTime, MetaData, Text, create_engine, make_url, text
from sqlalchemy import Identity as Numbered
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from coop.core.errors import NotFound

APP_ROLE = "coop_app"

Db = sessionmaker[Session]
Row = TypeVar("Row")
Whole = NDArray[np.int64]

_BINARY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_BINARY_END = b"\xff\xff"
_POSTGRES_EPOCH = 946_684_800 * 1_000_000
"""The first of January 2000, from which the server counts microseconds, in those since 1970."""

Identity = Annotated[int, mapped_column(BigInteger, Numbered(), primary_key=True)]
Minor = Annotated[int, mapped_column(BigInteger)]
Pieces = Annotated[int, mapped_column(BigInteger)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Base(DeclarativeBase):
    """All tables; constraints get predictable names so that migrations and errors can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        date: Date,
        dict[str, Any]: JSONB,
    }


def connect(url: str, *, assume_role: bool = False, pool_size: int = 5, idle_limit: str = "") -> Db:
    """Return the maker of sessions for a database URL.

    With `assume_role` each connection acts as the role that may only insert into the ledger,
    for servers where one log-in both migrates and serves. A transaction left idle for `idle_limit` ("60s") is ended,
    so that a frozen process does not keep its locks. Errors never quote the values of a statement.
    """
    address = make_url(url).set(drivername="postgresql+psycopg")
    options = "-c timezone=UTC" + (f" -c role={APP_ROLE}" if assume_role else "")
    options += f" -c idle_in_transaction_session_timeout={idle_limit}" if idle_limit else ""
    engine = create_engine(
        address,
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": options},
    )
    return sessionmaker(engine, expire_on_commit=False)


def locked(session: Session, kind: type[Row], row_id: int, *, called: str) -> Row:
    """Return a row, held until the transaction ends. Raises NotFound."""
    row = session.get(kind, row_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no such {called}.")
    return row


def raw(session: Session) -> psycopg.Connection[Any]:
    """Return the session's psycopg connection, in the session's own transaction."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows by COPY, in the session's transaction: one statement however many rows."""
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'COPY "{table}" ({names}) FROM STDIN'
    with raw(session).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        write = copy.write_row
        for row in rows:
            write(row)


def copy_numbers(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[int | None]]) -> None:
    """Write rows of whole numbers by COPY, None for null: their text needs no escaping, so it is made in one go."""
    names = ", ".join(f'"{name}"' for name in columns)
    line = "\t".join(["%s"] * len(columns))
    content = "\n".join([line % tuple(row) for row in rows]).replace("None", "\\N")
    with raw(session).cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN'.encode()) as copy:
        copy.write(content.encode())


def copy_columns_in(session: Session, table: str, columns: Mapping[str, Whole]) -> None:
    """Write rows of bigint columns by binary COPY, from arrays of equal length: what a row costs is the database's part."""
    names = ", ".join(f'"{name}"' for name in columns)
    rows = np.empty(len(next(iter(columns.values()))), _record(columns))
    rows["count"] = len(columns)
    for name, values in columns.items():
        rows[f"{name} size"], rows[name] = 8, values
    with (
        raw(session).cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({names}) FROM STDIN (FORMAT binary)'.encode()) as copy,
    ):
        copy.write(_BINARY_HEADER + rows.tobytes() + _BINARY_END)


def write_quickly(session: Session) -> None:
    """Do not wait for the disk when this transaction commits: for what a crash of the server may undo as a whole."""
    session.execute(text("SET LOCAL synchronous_commit = off"))


@contextmanager
def writing_beside(work: Callable[[], object]) -> Iterator[None]:
    """Write for the length of a block, which computes: the session belongs to `work`, in a thread of its own, until the block ends."""
    with ThreadPoolExecutor(1) as beside:
        written = beside.submit(work)
        yield
        written.result()


def columns_of(
    session: Session, query: str, values: Mapping[str, object], names: Sequence[str], instants: Collection[str] = ()
) -> dict[str, Whole]:
    """Read the result of a query as arrays, one for each of its columns, which must all be bigint and never null.

    Those named in `instants` are timestamps, given in microseconds since 1970. The database packs all rows into one
    value, so that a row costs nothing here.
    """
    packed = " || ".join(f'{"timestamptz_send" if name in instants else "int8send"}(q."{name}")' for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    statement = text(f"SELECT count(*), string_agg({packed}, ''::bytea) FROM ({query}) AS q ({columns})")  # noqa: S608 - our own words
    count, content = session.execute(statement, values).one()
    rows = np.frombuffer(content or b"", ">i8").reshape(-1, len(names))
    assert len(rows) == count, "a column is null"
    found = {name: rows[:, place].astype(np.int64) for place, name in enumerate(names)}
    for name in instants:
        found[name] += _POSTGRES_EPOCH
    return found


def _record(names: Iterable[str]) -> np.dtype[np.void]:
    """Lay out a row of binary COPY: a count of fields, then each with its size before it, big endian."""
    fields = [field for name in names for field in ((f"{name} size", ">i4"), (name, ">i8"))]
    return np.dtype([("count", ">i2"), *fields])


def bigints(numbers: Iterable[int]) -> str:
    """Write whole numbers as the text of an array, to be cast to bigint[]: drivers take long over lists of thousands."""
    return "{" + ",".join(map(str, numbers)) + "}"


def texts(words: Iterable[str]) -> str:
    """Write words as the text of an array, to be cast to text[], for the same reason."""
    quoted = [word.replace("\\", "\\\\").replace('"', '\\"') for word in words]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def take_ids(session: Session, table: str, count: int) -> range | list[int]:
    """Reserve `count` ids of a table's sequence, for rows whose children are written in the same breath."""
    if count == 0:
        return range(0)
    taken = session.scalars(
        text(
            "SELECT nextval(s.sequence) FROM (SELECT pg_get_serial_sequence(:t, 'id')::regclass AS sequence OFFSET 0) s,"
            " generate_series(1, :n)"
        ),
        {"t": table, "n": count},
    ).all()
    first, last = taken[0], taken[-1]
    return range(first, last + 1) if last - first + 1 == count else list(taken)


def refresh_statistics(db: Db, *tables: str) -> None:
    """Let the planner know of tables that have grown by half since it last looked; the server's own look may be a minute off.

    Where the app may not do so (before PostgreSQL 17), the server warns and nothing happens.
    """
    with db.begin() as session:
        grown = session.scalars(
            text(
                "SELECT relname FROM pg_class WHERE oid = ANY(CAST(CAST(:tables AS text[]) AS regclass[]))"
                " AND pg_relation_size(oid) / current_setting('block_size')::int > 50 + relpages * 1.5 ORDER BY relname"
            ),
            {"tables": list(tables)},
        ).all()
        if grown:
            session.execute(text("ANALYZE " + ", ".join(f'"{table}"' for table in grown)))
