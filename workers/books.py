"""Check the books."""

from datetime import datetime

from coop import jobs
from coop.books import service as books
from coop.db import Db
from workers.answering import ticks


@ticks(jobs.CHECK_BOOKS)
def check(db: Db, at: datetime) -> None:  # noqa: ARG001 - the record bears the database's own time
    books.run_checks(db)
