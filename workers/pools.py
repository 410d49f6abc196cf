"""Close the pools whose cut-off has passed."""

from datetime import datetime

from coop import jobs
from coop.db import Db
from coop.pools import service as pools
from workers.answering import ticks


@ticks(jobs.CLOSE_POOLS)
def close_due(db: Db, at: datetime) -> None:
    pools.close_due_pools(db, at=at)
