"""Check the books and remember how they stood; write the files that show them to others."""

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from coop.allocation.queries import proof_of_run
from coop.audit import service as audit
from coop.books import queries
from coop.books.models import CHECKED, Result
from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent
from coop.db import Db
from coop.formats.beancount import write_beancount
from coop.formats.stand_alone import stand_alone_verifier
from coop.policy import service as policy


def run_checks(db: Db, *, by: int = 0) -> list[Result]:
    """Ask every rule whether it holds, keep the answer in the record of acts, and return it."""
    began = time.monotonic()
    with db() as session:
        results = queries.results(session)
    broken = [{"id": rule.id, "count": rule.count, "rows": rule.rows} for rule in results if not rule.ok]
    with db.begin() as session:
        detail = {"broken": broken, "rules": len(results), "seconds": f"{time.monotonic() - began:.3f}"}
        audit.record(session, CHECKED, by=by, subject=("books", 0), detail=detail)
    return results


_Row = tuple[str, str, date, str, int, str, int]


@dataclass(slots=True)
class Written:
    """What a ledger written to a file comes to."""

    entries: int = 0
    postings: int = 0
    accounts: int = 0


def export_ledger(db: Db, file: Path, *, at: datetime) -> Written:
    """Write the whole ledger, as it stood at one instant, as Beancount text. Raises `unwritable_file`."""
    written = Written()
    with db() as session, _whole_file(file) as out:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
        agreed = policy.all_current(session, at=at)
        balances = queries.ledger_balances(session)
        written.accounts = len(balances)
        text = write_beancount(
            _counted(queries.ledger_rows(session), written),
            balances,
            title=agreed["coop_name"],
            currency=agreed["currency"],
            exponent=minor_exponent(agreed["currency"]),
        )
        for piece in text:
            out.write(piece.encode())
    return written


def export_proof(db: Db, pool: str, file: Path, *, field_key: bytes) -> str:
    """Write the proof of a published pool, and return the digest of its result. Raises `not_published`, `unwritable_file`."""
    with db() as session:
        run_id, digest = queries.published_run(session, pool)
        lines = proof_of_run(session, run_id, field_key)
    with _whole_file(file) as out:
        out.write(lines)
    return digest


def export_verifier(file: Path) -> int:
    """Write the program with which strangers check proofs, and return how many lines it has. Raises `unwritable_file`."""
    text = stand_alone_verifier()
    with _whole_file(file) as out:
        out.write(text.encode())
    return len(text.splitlines())


def _counted(rows: Iterable[_Row], written: Written) -> Iterator[_Row]:
    key = None
    for row in rows:
        written.postings += 1
        if row[0] != key:
            key = row[0]
            written.entries += 1
        yield row


@contextmanager
def _whole_file(file: Path) -> Iterator[BinaryIO]:
    """Write a file aside and put it in its place when it is whole; until then what was there stays."""
    if file.exists() and not file.is_file():
        raise RuleBroken("unwritable_file", f"{file} is no file. Name a file to write to.", field="file")
    target = file.resolve()
    aside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        with aside.open("xb") as out:
            yield out
        aside.replace(target)
    except OSError as wrong:
        raise RuleBroken("unwritable_file", f"{file} cannot be written: {wrong.strerror}.", field="file") from wrong
    finally:
        aside.unlink(missing_ok=True)
