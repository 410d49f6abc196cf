"""Mail, from the row to a real mail server."""

from __future__ import annotations

from coop import bell, jobs
from coop.notices import service as notices
from tests.crew import Crew, PostOffice, outbox, until

ANA = {"name": "Ana", "household": "Ana & Tomas"}


def test_a_notice_is_delivered_once_it_is_committed(crew: Crew, fresh_db, post_office: PostOffice) -> None:
    db = bell.wire(fresh_db, crew.settings.redis_url)
    crew.worker()
    with db.begin() as session:
        notices.tell(session, "welcome:1", "welcome", person_id=1, address="ana@example.org", values=ANA)
    until(lambda: [row.done_at for row in outbox(db, jobs.DELIVER_NOTICE)] != [None], "delivered", patience=10)
    (letter,) = post_office.letters
    assert letter["To"] == "ana@example.org"
    assert letter["Subject"] == "Welcome to Smallbatch co-op"
