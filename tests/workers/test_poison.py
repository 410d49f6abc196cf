"""Messages that are wrong, forged or about nothing harm nobody: the others flow, and what can be dead is dead with its reason."""

from __future__ import annotations

import base64
import json
import pickle

import redis
from kombu import Connection
from sqlalchemy import text

from coop import bell, jobs
from coop.notices import service as notices
from tests.crew import Crew, PostOffice, outbox, until


class Harmful:
    """Would make a folder if anybody unpickled it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self):
        import os

        return os.mkdir, (self.folder,)


def test_poison_harms_nobody_and_the_others_flow(crew: Crew, fresh_db, post_office: PostOffice, tmp_path) -> None:
    url = crew.settings.redis_url
    db = bell.wire(fresh_db, url)
    with db.begin() as session:
        deleted = notices.tell(session, "n:1", "already_joined", person_id=1, address="ana@example.org", values={})
        unknown_letter = notices.tell(session, "n:2", "no_such_letter", person_id=1, address="a@example.org", values={})
        broken = notices.tell(session, "n:3", "reset_password", person_id=1, address="a@example.org", values={})
        session.execute(text("DELETE FROM notice WHERE key = 'n:1'"))
        jobs.request(session, "weather.forecast", 1)
        good = notices.tell(session, "n:4", "already_joined", person_id=1, address="ben@example.org", values={})
    bell.ring(url, [(jobs.DELIVER_NOTICE, 999_999), (jobs.DELIVER_NOTICE, "1; DROP TABLE notice"), ("no.such.task", 1)])
    spoil(url, str(tmp_path / "pickled"))
    crew.worker(with_beat=True)

    rows = lambda: {row.id: row for row in outbox(fresh_db, jobs.DELIVER_NOTICE)}  # noqa: E731
    until(lambda: rows()[good].done_at, "the good letter went out")
    until(lambda: rows()[deleted].dead_at and rows()[unknown_letter].dead_at, "the hopeless ones are dead")
    assert rows()[deleted].last_error.startswith("not_found: ")
    assert rows()[unknown_letter].last_error.startswith("unknown_letter: ")
    until(lambda: rows()[broken].last_error, "a letter without its link failed")
    assert rows()[broken].last_error == f"unforeseen: UndefinedError, reference {broken}.{rows()[broken].epoch}"
    (left,) = outbox(fresh_db, "weather.forecast")
    assert (left.done_at, left.dead_at) == (None, None)
    assert [letter["To"] for letter in post_office.letters] == ["ben@example.org"]
    assert not (tmp_path / "pickled").exists()
    assert "ContentDisallowed" in crew.log()


def spoil(url: str, folder: str) -> None:
    """Push what no well-behaved sender sends: bad JSON inside a good envelope, and a pickle."""
    with Connection(url) as connection, connection.SimpleQueue("celery") as queue:
        task = {"task": jobs.DELIVER_NOTICE, "id": "1"}
        queue.put(
            b"{not json", headers=task, serializer=None, content_type="application/json", content_encoding="utf-8"
        )
    pickled = base64.b64encode(pickle.dumps(((Harmful(folder),), {}, {}))).decode()
    with redis.Redis.from_url(url) as broker:
        forged = json.loads(broker.lindex("celery", 0))
        forged |= {"body": pickled, "content-type": "application/x-python-serialize", "content-encoding": "binary"}
        broker.lpush("celery", json.dumps(forged), "no envelope at all")
