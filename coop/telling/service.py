"""Lay a run's statements out on paper, once, and let makers ask about theirs."""

import hashlib
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import jobs, keys
from coop.audit import service as audit
from coop.core import roles
from coop.core.errors import NotFound, RuleBroken
from coop.db import Db
from coop.formats.paper import write_paper
from coop.jobs import Lease
from coop.notices.queries import house
from coop.payouts.models import Statement
from coop.people import service as people
from coop.telling import queries
from coop.telling.models import StatementMessage, StatementPaper

LONGEST: Final = 2000
AT_ONCE: Final = 20
"""Papers that are kept in one transaction: so many are made anew where a worker dies."""


def write_papers(db: Db, lease: Lease, *, at: datetime) -> None:
    """Lay out the statements of a run that have no paper yet. Repeating it changes nothing."""
    while waiting := _waiting(db, lease.row_id):
        papers = [_laid_out(db, statement_id, at) for statement_id in waiting]
        with db.begin() as session:
            jobs.still_ours(session, lease)
            session.add_all(papers)
    with db.begin() as session:
        jobs.finish(session, lease)


def say(db: Db, statement_id: int, words: str, *, is_answer: bool, by: int, at: datetime, key: str) -> int:
    """Ask about a statement, or answer for the co-op; the other side gets a mail. A form sent twice says it once."""
    body = {"act": "say_about_statement", "statement": statement_id, "words": words, "is_answer": is_answer}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        statement = session.get(Statement, statement_id)
        if statement is None:
            raise NotFound
        message = StatementMessage(statement_id=statement_id, words=words, is_answer=is_answer, said_by=by, said_at=at)
        session.add(message)
        session.flush()
        values: dict[str, Any] = {
            "artisan": queries.maker_of(session, statement_id),
            "statement": f"{statement.series}-{statement.number}",
            "statement_id": statement_id,
            "words": words,
        }
        if is_answer:
            people.tell_artisan(session, f"statement_answer:{message.id}", "statement_answer", statement.artisan_id, values)  # fmt: skip
        else:
            people.tell_role(session, f"statement_question:{message.id}", "statement_question", roles.TREASURER, values)
        audit.record(session, "answer_about_statement" if is_answer else "ask_about_statement", by=by, subject=("statement", statement_id))  # fmt: skip
        keys.answer(session, by=by, key=key, row_id=message.id)
        return message.id


_WAITING = text("""
SELECT s.id FROM statement s JOIN payout_run r ON r.id = s.run_id AND r.file_made_at IS NOT NULL
 WHERE s.run_id = :run AND NOT EXISTS (SELECT FROM statement_paper p WHERE p.statement_id = s.id)
 ORDER BY s.id LIMIT :most
""")


def _waiting(db: Db, run_id: int) -> list[int]:
    with db() as session:
        return list(session.scalars(_WAITING, {"run": run_id, "most": AT_ONCE}))


def _laid_out(db: Db, statement_id: int, at: datetime) -> StatementPaper:
    with db() as session:
        here = house(session, "http://localhost", at=at)
        title, values = queries.paper_values(session, statement_id, here)
    content = write_paper("statement", values, title=title, made_at=at)
    return StatementPaper(
        statement_id=statement_id, content=content, sha256=hashlib.sha256(content).hexdigest(), made_at=at
    )


def stored_paper(session: Session, statement_id: int) -> bytes:
    """Return a statement's paper as it was laid out, having compared it with its digest. Raises `file_changed`."""
    paper = session.get(StatementPaper, statement_id)
    if paper is None:
        raise NotFound
    if hashlib.sha256(paper.content).hexdigest() != paper.sha256:
        raise RuleBroken("file_changed", "The stored paper is not the one that was made: its digest differs.")
    return paper.content
