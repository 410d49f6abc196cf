"""Work out reports on how fairly seasons were shared out."""

from coop import jobs
from coop.db import Db
from coop.fairness import service as fairness
from coop.jobs import Lease
from workers.answering import answers
from workers.celery_app import settings


@answers(jobs.COMPUTE_FAIRNESS, failed=fairness.fail)
def compute(db: Db, lease: Lease) -> None:
    fairness.carry_out(db, lease, at=lease.at, field_key=settings().field_key)
