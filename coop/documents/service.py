"""Lay a document out on paper, once, and tell its household."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from coop import jobs
from coop.core.errors import NotFound, RuleBroken
from coop.db import Db
from coop.documents import queries
from coop.documents.queries import KINDS, DocumentPage
from coop.formats.letters import House
from coop.formats.paper import write_paper
from coop.jobs import Lease
from coop.notices.queries import house
from coop.papers.models import DocumentPaper
from coop.people import service as people


def lay_out(db: Db, lease: Lease, *, at: datetime) -> None:
    """Lay out a document that has no paper yet, and write to its household. Repeating it changes nothing."""
    with db() as session:
        made = session.get(DocumentPaper, lease.row_id)
        page = queries.document_page(session, lease.row_id)
        values = paper_values(page, house(session, "http://localhost", at=at))
    content = b"" if made else write_paper("document", values, title=page.title, made_at=page.issued_at)
    with db.begin() as session:
        jobs.still_ours(session, lease)
        if not made:
            digest = hashlib.sha256(content).hexdigest()
            session.add(DocumentPaper(document_id=lease.row_id, content=content, sha256=digest, made_at=at))
            told = {"title": page.title, "document_id": lease.row_id, "amount_minor": page.row.total_minor}
            people.tell_household(session, f"document:{lease.row_id}", "document_issued", page.row.household_id, told)
        jobs.finish(session, lease)


def stored_paper(session: Session, document_id: int) -> bytes:
    """Return a document's paper as it was laid out, having compared it with its digest. Raises `file_changed`."""
    paper = session.get(DocumentPaper, document_id)
    if paper is None:
        raise NotFound("The paper is being laid out; look again in a moment.")
    if hashlib.sha256(paper.content).hexdigest() != paper.sha256:
        raise RuleBroken("file_changed", "The stored paper is not the one that was made: its digest differs.")
    return paper.content


def paper_values(page: DocumentPage, here: House) -> dict[str, Any]:
    """Return what a document's paper tells, all as text."""
    money, day = here.money, here.date
    taxed, fetched = bool(page.rates), not page.is_of_payment
    heads = ["What", "Day", *(["Pieces", "Price"] if fetched else []), *(["Tax"] if taxed else []), "Amount"]
    rows = [
        [
            line.words,
            day(line.happened_on.isoformat()),
            *([f"{line.pieces:,}", money(line.unit_minor)] if fetched else []),
            *([percent(line.rate_bp)] if taxed else []),
            money(line.gross_minor),
        ]
        for line in page.lines
    ]
    rates = [[percent(one.rate_bp), *map(money, (one.net_minor, one.tax_minor, one.gross_minor))] for one in page.rates]
    return {
        "coop": here.name,
        "kind": KINDS[page.row.kind],
        "seller": [page.seller.legal_name, *page.seller.address.splitlines()],
        "tax_number": page.seller.tax_number,
        "addressee": page.addressee.splitlines(),
        "happened": page.happened,
        "written": day(page.row.issued_on.isoformat()),
        "starts": day(page.row.starts.isoformat()),
        "ends": day(page.row.ends.isoformat()),
        "earlier": [f"{KINDS[one.kind].lower()} {one.reference}" for one in page.earlier],
        "reason": page.reason,
        "heads": heads,
        "rows": rows,
        "bill": [[line.label, money(line.amount)] for line in page.bill] if fetched else [],
        "total": money(page.row.total_minor),
        "rates": rates,
        "notes": page.notes,
    }


def percent(basis_points: int) -> str:
    """Write a rate as papers do: 19 %, 5.5 %."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02}".rstrip("0").rstrip(".") + " %"
