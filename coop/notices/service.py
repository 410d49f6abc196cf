"""Tell a person something by mail: written with the fact, delivered by a job."""

from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from coop import jobs
from coop.notices.models import Notice


def tell(
    session: Session, key: str, template: str, *, person_id: int, address: str, values: dict[str, Any]
) -> int | None:
    """Queue one mail in the caller's transaction; return the outbox id to ring after commit, or None if `key` was told before."""
    notice_id = session.execute(
        insert(Notice)
        .values(key=key, person_id=person_id, address=address, template=template, values=values)
        .on_conflict_do_nothing()
        .returning(Notice.id)
    ).scalar()
    return None if notice_id is None else jobs.request(session, jobs.DELIVER_NOTICE, notice_id)
