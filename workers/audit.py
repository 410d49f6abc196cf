"""Seal the record of acts."""

from datetime import datetime

from coop import jobs
from coop.audit import service as audit
from coop.db import Db
from workers.answering import ticks


@ticks(jobs.SEAL_AUDIT)
def seal(db: Db, at: datetime) -> None:  # noqa: ARG001 - the seal bears the database's own time
    audit.seal(db)
