"""Turn paid instalments of season shares into credit on their day."""

from datetime import datetime

from coop import jobs
from coop.db import Db
from coop.seasons import service as seasons
from workers.answering import ticks


@ticks(jobs.RELEASE_INSTALMENTS)
def release_instalments(db: Db, at: datetime) -> None:
    seasons.release_instalments(db, by=0, at=at)
