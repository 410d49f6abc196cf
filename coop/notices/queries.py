"""A notice as its letter."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.formats.letters import House
from coop.notices.models import Notice
from coop.policy import service as policy


@dataclass(frozen=True, slots=True)
class NoticeToSend:
    id: int
    person_id: int
    address: str
    template: str
    values: dict[str, Any]
    is_sent: bool


def notice_to_send(session: Session, notice_id: int) -> NoticeToSend:
    """Return one notice; raise NotFound where it was deleted, with the person it was for."""
    row = session.get(Notice, notice_id)
    if row is None:
        raise NotFound("The notice is gone.")
    return NoticeToSend(row.id, row.person_id, row.address, row.template, row.values, row.sent_at is not None)


def house(session: Session, base_url: str, *, at: datetime) -> House:
    """Return what every letter says alike, as the co-op's policies stand."""
    words = policy.all_current(session, at=at)
    return House(
        name=words["coop_name"],
        base_url=base_url,
        currency=words["currency"],
        locale=words["locale"],
        zone=words["zone"],
    )
