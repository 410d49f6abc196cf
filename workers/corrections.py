"""Share out batches whose yields were corrected, and book what was published."""

from coop import jobs
from coop.corrections import service as corrections
from coop.db import Db
from coop.jobs import Lease
from workers.answering import answers
from workers.celery_app import settings


@answers(jobs.COMPUTE_CORRECTION, failed=corrections.fail)
def compute(db: Db, lease: Lease) -> None:
    corrections.carry_out(db, lease, at=lease.at, field_key=settings().field_key)


@answers(jobs.PUBLISH_CORRECTION, failed=corrections.fail)
def publish(db: Db, lease: Lease) -> None:
    corrections.carry_out_publication(db, lease, at=lease.at)
