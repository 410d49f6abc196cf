"""Share out what was made, and book what was published."""

from coop import jobs
from coop.allocation import service as allocation
from coop.db import Db
from coop.jobs import Lease
from coop.publishing import service as publishing
from workers.answering import answers
from workers.celery_app import settings


@answers(jobs.COMPUTE_ALLOCATION, failed=allocation.fail)
def compute(db: Db, lease: Lease) -> None:
    allocation.carry_out(db, lease, at=lease.at, field_key=settings().field_key)


@answers(jobs.PUBLISH_ALLOCATION, failed=allocation.fail)
def publish(db: Db, lease: Lease) -> None:
    publishing.carry_out_publication(db, lease, at=lease.at)
