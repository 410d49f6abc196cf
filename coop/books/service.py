"""Check the books, and remember how they stood."""

import time

from coop.audit import service as audit
from coop.books import queries
from coop.books.models import CHECKED, Result
from coop.db import Db


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
