"""Turn paid instalments of season shares into credit on their day."""

from datetime import datetime

from coop import jobs
from coop.db import Db
from coop.instalments import service as instalments
from workers.answering import ticks


@ticks(jobs.RELEASE_INSTALMENTS)
def release_instalments(db: Db, at: datetime) -> None:
    instalments.release_instalments(db, by=0, at=at)
