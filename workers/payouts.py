"""Compute what makers are paid."""

from coop import jobs
from coop.db import Db
from coop.jobs import Lease
from coop.payouts import service as payouts
from workers.answering import answers


@answers(jobs.COMPUTE_PAYOUTS, failed=payouts.fail)
def compute(db: Db, lease: Lease) -> None:
    payouts.carry_out(db, lease, at=lease.at)
