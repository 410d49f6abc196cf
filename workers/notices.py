"""Deliver what is said to people."""

from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from coop import jobs
from coop.awards import queries as awards
from coop.db import Db
from coop.dividends import queries as dividends
from coop.jobs import Lease
from coop.notices import service as notices
from coop.people import service as people
from coop.ports.mail import Mailer, mailer_for
from workers.answering import answers
from workers.celery_app import settings


@answers(jobs.DELIVER_NOTICE)
def deliver(db: Db, lease: Lease) -> None:
    notices.deliver(
        db,
        lease,
        _mailer(),
        base_url=settings().base_url,
        issue=people.issue_token,
        look_up={"allocation_published": _awards, "dividend_decided": dividends.letter},
    )


def _awards(session: Session, person_id: int, values: dict[str, Any]) -> dict[str, Any]:
    return awards.letter_of_awards(session, person_id, values, field_key=settings().field_key)


@cache
def _mailer() -> Mailer:
    return mailer_for(settings().smtp_url, settings().mail_from, settings().home / "mail")
