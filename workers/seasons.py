"""Turn paid instalments of season shares into credit on their day, and remind of those not paid."""

from datetime import datetime

from coop import jobs
from coop.db import Db
from coop.instalments import service as instalments
from coop.monthly import service as monthly
from workers.answering import ticks


@ticks(jobs.RELEASE_INSTALMENTS)
def release_instalments(db: Db, at: datetime) -> None:
    instalments.release_instalments(db, by=0, at=at)


@ticks(jobs.REMIND_INSTALMENTS)
def remind(db: Db, at: datetime) -> None:
    monthly.remind(db, at=at)
