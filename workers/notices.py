"""Deliver what is said to people."""

from functools import cache

from coop import jobs
from coop.allocation import queries as allocation
from coop.db import Db
from coop.jobs import Lease
from coop.notices import service as notices
from coop.people import service as people
from coop.ports.mail import Mailer, mailer_for
from workers.answering import answers
from workers.celery_app import settings

_LOOKED_UP = {"allocation_published": allocation.letter_of_awards}


@answers(jobs.DELIVER_NOTICE)
def deliver(db: Db, lease: Lease) -> None:
    notices.deliver(db, lease, _mailer(), base_url=settings().base_url, issue=people.issue_token, look_up=_LOOKED_UP)


@cache
def _mailer() -> Mailer:
    return mailer_for(settings().smtp_url, settings().mail_from, settings().home / "mail")
