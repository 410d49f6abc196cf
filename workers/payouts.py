"""Compute what makers are paid, hand bank files in, and lay statements out."""

from coop import jobs
from coop.db import Db
from coop.jobs import Lease
from coop.payouts import service as payouts
from coop.sending import service as sending
from coop.telling import service as telling
from workers.answering import answers
from workers.celery_app import settings


@answers(jobs.COMPUTE_PAYOUTS, failed=payouts.fail)
def compute(db: Db, lease: Lease) -> None:
    payouts.carry_out(db, lease, at=lease.at)


@answers(jobs.HAND_IN_PAYOUTS, failed=sending.fail)
def hand_in(db: Db, lease: Lease) -> None:
    sending.carry_out(db, lease, folder=settings().bank_folder, at=lease.at)


@answers(jobs.WRITE_STATEMENTS)
def write_statements(db: Db, lease: Lease) -> None:
    telling.write_papers(db, lease, at=lease.at)
