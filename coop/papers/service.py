"""Write documents: number them without gaps, each fact on one document only, and say in whose name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import jobs, keys
from coop.audit import service as audit
from coop.catalog.models import Artisan
from coop.core.documents import Kind, Line, series_of, taxes_of
from coop.core.errors import NotFound, RuleBroken
from coop.core.season import local_day, month_of
from coop.db import Db
from coop.papers import queries
from coop.papers.models import Document, DocumentLine, DocumentReference, InvoiceAddress, Seller
from coop.papers.queries import Fact
from coop.people.models import Household
from coop.policy import service as policy

WHEN: Final = ("none", "on_request", "always")
HOUSEHOLDS_AT_ONCE: Final = 500
"""How many households the clock writes for in one go; the rest follow in the next."""

ADDRESS_LINES: Final = 6


@dataclass(frozen=True, slots=True)
class Habit:
    """Which documents a co-op writes, each none, on_request or always, for what happened from a day on."""

    invoices: str
    receipts: str
    since: date


def habit(session: Session, *, at: datetime) -> Habit:
    """Return which documents the co-op writes now."""
    agreed = policy.all_current(session, at=at)
    since = agreed["member_papers_since"]
    return Habit(agreed["member_invoices"], agreed["member_receipts"], date.fromisoformat(since) if since else date.max)


def settle_habit(db: Db, wanted: Habit, *, by: int, at: datetime, key: str) -> None:
    """Decide which documents are written. Raises `no_seller` where the co-op has not said in whose name."""
    told = {"member_invoices": wanted.invoices, "member_receipts": wanted.receipts, "member_papers_since": wanted.since.isoformat()}  # fmt: skip
    with db.begin() as session:
        if keys.spend(session, by=by, key=key, body={"act": "settle_member_papers"} | told) is not None:
            return
        session.execute(text("LOCK TABLE policy IN SHARE ROW EXCLUSIVE MODE"))
        assert {wanted.invoices, wanted.receipts} <= set(WHEN)
        if {wanted.invoices, wanted.receipts} != {"none"} and None not in queries.sellers(session):
            raise RuleBroken("no_seller", "First say below in whose name the co-op writes: its legal name and address.", field="invoices")  # fmt: skip
        agreed = policy.all_current(session, at=at)
        for name, value in told.items():
            if value != agreed[name]:
                policy.change(session, name, value, by=by, at=at)
        keys.answer(session, by=by, key=key, row_id=0)


def name_seller(
    db: Db, artisan_id: int | None, *, legal_name: str, address: str, tax_number: str, by: int, at: datetime, key: str
) -> int:
    """Say in whose name documents are written from now on; for a maker, that it agreed to it. Raises `too_many_lines`."""
    said = {"artisan": artisan_id, "legal_name": legal_name, "address": address, "tax_number": tax_number}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body={"act": "name_seller"} | said)) is not None:
            return spent
        if artisan_id is not None and session.get(Artisan, artisan_id) is None:
            raise NotFound("There is no such maker.")
        _check_lines(address)
        seller = Seller(artisan_id=artisan_id, legal_name=legal_name, address=address, tax_number=tax_number, set_by=by, set_at=at)  # fmt: skip
        session.add(seller)
        session.flush()
        audit.record(session, "name_seller", by=by, subject=("artisan", artisan_id or 0), detail={"seller": seller.id})
        keys.answer(session, by=by, key=key, row_id=seller.id)
        return seller.id


def say_address(db: Db, household_id: int, address: str, *, by: int, at: datetime, key: str) -> None:
    """Say what stands under a household's name on documents from now on. Raises `too_many_lines`."""
    with db.begin() as session:
        body = {"act": "invoice_address", "household": household_id, "address": address}
        if keys.spend(session, by=by, key=key, body=body) is not None:
            return
        _check_lines(address)
        session.add(InvoiceAddress(household_id=household_id, address=address, set_by=by, set_at=at))
        audit.record(session, "invoice_address", by=by, subject=("household", household_id))
        keys.answer(session, by=by, key=key, row_id=0)


def ask_invoices(db: Db, household_id: int, month: date, *, by: int, at: datetime, key: str) -> int:
    """Write the invoices of what a household fetched in a month and has none of; return the first.

    Raises `not_offered`, `nothing_to_write`, and `no_seller` where those who sold it have not agreed to it.
    """
    with db.begin() as session:
        body = {"act": "ask_invoices", "household": household_id, "month": month.isoformat()}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        wanted = habit(session, at=at)
        if wanted.invoices == "none":
            raise RuleBroken("not_offered", "The co-op writes no invoices.")
        _hold(session, household_id)
        facts = queries.sold(session, household_id, max(month, wanted.since), month_of(month).ends)
        if not facts:
            raise RuleBroken("nothing_to_write", "Nothing of this month is without an invoice.")
        made = _write_sold(session, household_id, facts, by=by, at=at)
        if not made:
            raise RuleBroken("no_seller", "The makers who sold this have not agreed yet that the co-op writes invoices in their name.")  # fmt: skip
        keys.answer(session, by=by, key=key, row_id=made[0])
        return made[0]


def ask_receipt(db: Db, household_id: int, entry_id: int, *, by: int, at: datetime, key: str) -> int:
    """Write the receipt of one payment of a household and return it. Raises `not_offered` or `nothing_to_write`."""
    with db.begin() as session:
        body = {"act": "ask_receipt", "household": household_id, "entry": entry_id}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        wanted = habit(session, at=at)
        if wanted.receipts == "none":
            raise RuleBroken("not_offered", "The co-op writes no receipts.")
        _hold(session, household_id)
        facts = queries.paid(session, household_id, wanted.since, date.max, entry_id=entry_id)
        if not facts:
            raise RuleBroken("nothing_to_write", "There is no such payment without a receipt.")
        (made,) = _write(session, Kind.RECEIPT, household_id, facts, by=by, at=at)
        keys.answer(session, by=by, key=key, row_id=made)
        return made


def issue_due(db: Db, *, at: datetime) -> int:
    """Write what needs no asking, and return how many documents: invoices of whole months and receipts, where always; and what was put right of any."""
    with db() as session:
        wanted = habit(session, at=at)
        today = local_day(at, policy.current(session, "zone", at=at))
        months = (wanted.since, today.replace(day=1) - timedelta(days=1)) if wanted.invoices == "always" else None
        days = (wanted.since, today) if wanted.receipts == "always" else None
        households = queries.households_due(session, months, days, most=HOUSEHOLDS_AT_ONCE)
    return sum(_issue_of(db, one, months, days, at=at) for one in households)


def _issue_of(
    db: Db, household_id: int, months: tuple[date, date] | None, days: tuple[date, date] | None, *, at: datetime
) -> int:
    with db.begin() as session:
        _hold(session, household_id)
        made = []
        if months is not None:
            made += _write_sold(session, household_id, queries.sold(session, household_id, *months), by=0, at=at)
        if days is not None:
            for fact in queries.paid(session, household_id, *days):
                made += _write(session, Kind.RECEIPT, household_id, [fact], by=0, at=at)
        for event in _together(queries.put_right(session, household_id)):
            made += _write(session, Kind.CREDIT_NOTE, household_id, event, by=0, at=at)
        for event in _together(queries.taken_back(session, household_id)):
            made += _write(session, Kind.INVOICE, household_id, event, by=0, at=at)
        return len(made)


def _write_sold(session: Session, household_id: int, facts: Sequence[Fact], *, by: int, at: datetime) -> list[int]:
    """Write an invoice for each seller and month."""
    made = []
    for _, month in groupby(facts, key=lambda fact: (fact.artisan_id, month_of(fact.happened_on))):
        made += _write(session, Kind.INVOICE, household_id, list(month), by=by, at=at)
    return made


def _together(facts: Iterable[Fact]) -> list[list[Fact]]:
    """Gather what is told on one document: of one event, in the name of one seller."""
    ordered = sorted(facts, key=lambda fact: (fact.event, fact.artisan_id or 0))
    return [list(some) for _, some in groupby(ordered, key=lambda fact: (fact.event, fact.artisan_id or 0))]


def _write(
    session: Session, kind: Kind, household_id: int, facts: Sequence[Fact], *, by: int, at: datetime
) -> list[int]:
    """Write one document of facts of one seller, and ask for its paper; none where the seller is not named."""
    artisan_id = facts[0].artisan_id
    seller = queries.sellers(session).get(artisan_id)
    if seller is None:
        return []
    taxes = taxes_of(map(_line, facts), queries.told_of(session, [fact.line_id for fact in facts if fact.line_id]))
    today = local_day(at, policy.current(session, "zone", at=at))
    series = series_of(kind, artisan_id, today.year)
    document = Document(
        kind=kind.value,
        series=series,
        number=take_number(session, series),
        seller_id=seller.id,
        household_id=household_id,
        addressee=_addressee(session, household_id),
        starts=min(fact.happened_on for fact in facts),
        ends=max(fact.happened_on for fact in facts),
        issued_on=today,
        issued_at=at,
        issued_by=by,
        reason=facts[0].reason,
        gross_minor=sum(fact.gross_minor for fact in facts),
        tax_minor=sum(taxes),
        fund_minor=sum(fact.fund_minor for fact in facts),
        deposit_minor=sum(fact.deposit_minor for fact in facts),
    )
    session.add(document)
    session.flush()
    told = zip(facts, taxes, strict=True)
    session.add_all(_written(document.id, n, fact, tax) for n, (fact, tax) in enumerate(told, 1))
    earlier = sorted({one for fact in facts for one in fact.earlier})
    session.add_all(DocumentReference(document_id=document.id, earlier_id=one) for one in earlier)
    session.flush()
    audit.record(session, "issue_document", by=by, subject=("document", document.id), detail={"number": f"{series}-{document.number}"})  # fmt: skip
    jobs.request(session, jobs.WRITE_DOCUMENT, document.id)
    return [document.id]


def _written(document_id: int, n: int, fact: Fact, tax: int) -> DocumentLine:
    same = ("happened_on", "words", "pieces", "unit_minor", "gross_minor", "rate_bp", "fund_minor", "deposit_minor")
    facts = ("line_id", "hand_over_id", "credit_note_id", "taken_back_id", "entry_id")
    values = {name: getattr(fact, name) for name in (*same, *facts)}
    return DocumentLine(document_id=document_id, n=n, tax_minor=tax, **values)


def _line(fact: Fact) -> Line:
    return Line(fact.line_id, fact.gross_minor, fact.rate_bp, fact.booked_tax)


def take_number(session: Session, series: str) -> int:
    """Take the next number and hold the series until commit: an undone transaction takes its number back."""
    taken = text(
        "INSERT INTO document_series AS s (series, last_number) VALUES (:series, 1)"
        " ON CONFLICT (series) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number"
    )
    return int(session.execute(taken, {"series": series}).scalar_one())


def _addressee(session: Session, household_id: int) -> str:
    name = session.get_one(Household, household_id).name
    latest = select(InvoiceAddress.address).where(InvoiceAddress.household_id == household_id)
    address = session.scalar(latest.order_by(InvoiceAddress.id.desc()).limit(1))
    return f"{name}\n{address}" if address else name


def _hold(session: Session, household_id: int) -> None:
    """Hold a household, also one that has left, so that each fact is written about once."""
    if session.get(Household, household_id, with_for_update=True) is None:
        raise NotFound


def _check_lines(address: str) -> None:
    if len(address.splitlines()) > ADDRESS_LINES:
        raise RuleBroken("too_many_lines", f"Give the address in at most {ADDRESS_LINES} lines.", field="address")
