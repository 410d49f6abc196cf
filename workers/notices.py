"""Deliver what is said to people."""

from datetime import datetime
from functools import cache

from sqlalchemy.orm import Session

from coop import jobs
from coop.core.errors import RuleBroken
from coop.db import Db
from coop.jobs import Lease
from coop.notices import service as notices
from coop.ports.mail import Mailer, mailer_for
from workers.answering import answers
from workers.celery_app import settings


@answers(jobs.DELIVER_NOTICE)
def deliver(db: Db, lease: Lease) -> None:
    notices.deliver(db, lease, _mailer(), base_url=settings().base_url, issue=_no_token)


@cache
def _mailer() -> Mailer:
    return mailer_for(settings().smtp_url, settings().mail_from, settings().home / "mail")


def _no_token(session: Session, person_id: int, purpose: str, at: datetime) -> str:  # noqa: ARG001
    raise RuleBroken("no_one_time_link", "One-time links are not given out yet.")
