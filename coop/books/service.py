"""Check the books and remember how they stood; write the files that show them to others."""

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy.orm import Session

from coop.allocation.queries import proof_of_run
from coop.audit import service as audit
from coop.books import queries
from coop.books.models import CHECKED, Result
from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent
from coop.db import Db
from coop.formats.beancount import write_beancount
from coop.formats.ledger_tables import write_csv, write_hledger, write_xlsx
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


LEDGER_FORMS: Final = ("beancount", "hledger", "csv", "xlsx")
_Row = tuple[str, str, date, str, int, str, int]


@dataclass(slots=True)
class Written:
    """What a ledger written to a file comes to."""

    entries: int = 0
    postings: int = 0
    accounts: int = 0


def export_ledger(db: Db, file: Path, *, at: datetime, form: str = "beancount") -> Written:
    """Write the whole ledger to a file, in one of `LEDGER_FORMS`. Raises `unwritable_file`."""
    with db() as session, _whole_file(file) as out:
        return _write(session, out, form=form, at=at, words=True)


def write_ledger(db: Db, out: BinaryIO, *, form: str, at: datetime, words: bool) -> Written:
    """Write the whole ledger in one of `LEDGER_FORMS`; parties are numbers, and `words` False leaves out memos."""
    with db() as session:
        return _write(session, out, form=form, at=at, words=words)


def _write(session: Session, out: BinaryIO, *, form: str, at: datetime, words: bool) -> Written:
    """Write the ledger as it stands at one instant."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
    agreed, written = policy.all_current(session, at=at), Written()
    balances = queries.ledger_balances(session)
    written.accounts = len(balances)
    read = queries.ledger_rows(session)
    rows = _counted(read if words else ((*row[:3], "", *row[4:]) for row in read), written)
    currency, exponent = agreed["currency"], minor_exponent(agreed["currency"])
    if form == "xlsx":
        write_xlsx(out, rows, exponent=exponent)
        return written
    if form == "csv":
        pieces = write_csv(rows, exponent=exponent)
    elif form == "hledger":
        pieces = write_hledger(rows, balances, currency=currency, exponent=exponent)
    else:
        title = agreed["coop_name"]
        pieces = write_beancount(rows, balances, title=title, currency=currency, exponent=exponent)
    out.writelines(piece.encode() for piece in pieces)
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
