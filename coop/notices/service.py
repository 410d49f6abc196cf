"""Tell a person something by mail: written with the fact, delivered by a job."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from coop import jobs
from coop.db import Db
from coop.formats import letters
from coop.jobs import Lease
from coop.notices import queries
from coop.notices.models import Notice
from coop.ports.mail import Mail, Mailer

IssueToken = Callable[[Session, int, str, datetime], str]
"""Makes a one-time token for (session, person id, purpose, at); only its hash is kept."""

LookUp = Callable[[Session, int, dict[str, Any]], dict[str, Any]]
"""Finds more values of a template, by (session, person id, values written with the notice)."""


def tell(
    session: Session, key: str, template: str, *, person_id: int, address: str, values: dict[str, Any]
) -> int | None:
    """Queue one mail in the caller's transaction; return the outbox id, or None if `key` was told before.

    A value `one_time` names the purpose of a one-time link: its token is made when the mail is, and stands nowhere else.
    """
    notice_id = session.execute(
        insert(Notice)
        .values(key=key, person_id=person_id, address=address, template=template, values=values)
        .on_conflict_do_nothing()
        .returning(Notice.id)
    ).scalar()
    return None if notice_id is None else jobs.request(session, jobs.DELIVER_NOTICE, notice_id)


def deliver(
    db: Db,
    lease: Lease,
    mailer: Mailer,
    *,
    base_url: str,
    issue: IssueToken,
    look_up: Mapping[str, LookUp] = MappingProxyType({}),
) -> None:
    """Send the notice's letter, once.

    Values that would weigh too much when a thousand notices are written are looked up when each is sent.
    Between the server's yes and our commit lies a moment in which a crash leaves the letter sent and not marked; it is then
    sent a second time under the same Message-ID. That is the price of never losing one.
    """
    with db.begin() as session:
        jobs.still_ours(session, lease)
        notice = queries.notice_to_send(session, lease.row_id)
        if notice.is_sent:
            jobs.finish(session, lease)
            return
        house = queries.house(session, base_url, at=lease.at)
        values = dict(notice.values)
        if purpose := values.pop("one_time", ""):
            values["token"] = issue(session, notice.person_id, purpose, lease.at)
        if notice.template in look_up:
            values |= look_up[notice.template](session, notice.person_id, values)
    letter = letters.write(notice.template, values, house)
    mailer.send(
        Mail(
            to=notice.address,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            message_id=f"<notice-{notice.id}@{urlsplit(base_url).hostname}>",
            at=lease.at,
        )
    )
    with db.begin() as session:
        session.execute(text("UPDATE notice SET sent_at = clock_timestamp() WHERE id = :id"), {"id": notice.id})
        jobs.finish(session, lease)
