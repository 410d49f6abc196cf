"""What a document says, which a household has or may ask for, and all of them for the treasurer."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import roles
from coop.core.documents import RateSum, sums_by_rate
from coop.core.errors import NotFound
from coop.core.paging import Slice, anywhere
from coop.core.roles import Viewer
from coop.core.season import month_of
from coop.papers import queries as papers
from coop.papers import service as writing
from coop.papers.queries import SellerNamed
from coop.papers.service import Habit
from coop.statements.queries import BillLine

A_PAGE: Final = 50
KINDS: Final = {"invoice": "Invoice", "receipt": "Receipt", "credit_note": "Credit note"}
PAYMENTS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class DocumentRow:
    id: int
    kind: str
    reference: str
    seller: str
    household: str
    household_id: int
    issued_on: date
    starts: date
    ends: date
    gross_minor: int
    tax_minor: int
    fund_minor: int
    deposit_minor: int

    @property
    def total_minor(self) -> int:
        """What it comes to for the household, deposits with it."""
        return self.gross_minor - self.fund_minor + self.deposit_minor


class DocumentLine(NamedTuple):
    words: str
    happened_on: date
    pieces: int
    unit_minor: int
    gross_minor: int
    rate_bp: int
    tax_minor: int


class Earlier(NamedTuple):
    """A document that another puts right, or that puts it right."""

    id: int
    kind: str
    reference: str


@dataclass(frozen=True, slots=True)
class DocumentPage:
    row: DocumentRow
    issued_at: datetime
    artisan_id: int | None
    seller: SellerNamed
    addressee: str
    reason: str
    paper_sha256: str
    lines: list[DocumentLine]
    earlier: list[Earlier]
    later: list[Earlier]

    @property
    def title(self) -> str:
        """What it is called: Invoice INV-2026-7."""
        return f"{KINDS[self.row.kind]} {self.row.reference}"

    @property
    def happened(self) -> str:
        """What happened on its days, as the words before them."""
        if self.earlier:
            return "Put right"
        return "Paid in" if self.is_of_payment else "Fetched"

    @property
    def is_of_payment(self) -> bool:
        """Whether it is about money that was paid in, and not about pieces."""
        return all(not line.pieces for line in self.lines)

    @property
    def rates(self) -> list[RateSum]:
        """Its tax by rate, each sum of its lines; none where nothing on it bears tax."""
        sums = sums_by_rate((line.rate_bp, line.gross_minor, line.tax_minor) for line in self.lines)
        return sums if any(one.rate_bp for one in sums) else []

    @property
    def bill(self) -> list[BillLine]:
        """What stands between the price of all and what the household bears."""
        row = self.row
        fund = (
            "The hardship fund bears"
            if row.fund_minor * row.gross_minor >= 0
            else "Your solidarity, to the hardship fund"
        )
        more = ((fund, -row.fund_minor), ("Deposits on jars and bottles", row.deposit_minor))
        return [BillLine("Price of all", row.gross_minor), *(BillLine(*one) for one in more if one[1])]

    @property
    def notes(self) -> list[str]:
        """What has to be said beside the figures."""
        if self.is_of_payment:
            return []
        notes = []
        if self.artisan_id is not None:
            notes.append(f"{self.seller.legal_name} sells; the co-op hands over, takes the price, and writes this in the maker's name.")  # fmt: skip
        if not self.rates:
            notes.append("No tax is in the price." if self.seller.tax_number else "No tax is in the price: the seller is not liable for it.")  # fmt: skip
        if self.row.deposit_minor:
            notes.append("Deposits are no part of the price; the co-op holds them until the jars and bottles are back.")
        return notes


@dataclass(frozen=True, slots=True)
class OpenMonth:
    """A month with pieces that stand on no invoice; it may be asked for once one of those who sold them is named."""

    first: date
    lines: int
    gross_minor: int
    may_be_asked: bool


@dataclass(frozen=True, slots=True)
class MinePage:
    habit: Habit
    address: str
    rows: list[DocumentRow]
    part: Slice
    months: list[OpenMonth]
    payments: list[papers.Fact]


@dataclass(frozen=True, slots=True)
class Sought:
    """What the treasurer looks for; None and "" ask for nothing."""

    kind: str = ""
    words: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class AllPage:
    rows: list[DocumentRow]
    part: Slice


class SellerRow(NamedTuple):
    artisan_id: int | None
    name: str
    seller: SellerNamed | None


@dataclass(frozen=True, slots=True)
class HabitPage:
    habit: Habit
    sellers: list[SellerRow]


_ROWS = """
SELECT d.id, d.kind, d.series || '-' || d.number AS reference, s.legal_name, h.name, d.household_id, d.issued_on, d.starts, d.ends,
       d.gross_minor, d.tax_minor, d.fund_minor, d.deposit_minor, count(*) OVER () AS total
  FROM document d JOIN seller s ON s.id = d.seller_id JOIN household h ON h.id = d.household_id
"""
_NEWEST = " ORDER BY d.id DESC LIMIT :most OFFSET :skipped"

_FOUND = text(
    _ROWS
    + " WHERE (:kind = '' OR d.kind = :kind) AND (CAST(:since AS date) IS NULL OR d.issued_on >= :since)"
    + " AND (CAST(:until AS date) IS NULL OR d.issued_on <= :until)"
    + " AND (h.name ILIKE :like OR d.series || '-' || d.number ILIKE :like OR s.legal_name ILIKE :like)"
    + _NEWEST
)

_WHOLE = text("""
SELECT d.issued_at, s.artisan_id, s.id, s.legal_name, s.address, s.tax_number, d.addressee, d.reason, coalesce(w.sha256, '')
  FROM document d JOIN seller s ON s.id = d.seller_id LEFT JOIN document_paper w ON w.document_id = d.id WHERE d.id = :id
""")
_LINES = text(
    "SELECT words, happened_on, pieces, unit_minor, gross_minor, rate_bp, tax_minor FROM document_line WHERE document_id = :id ORDER BY n"
)
_REFERENCES = """
SELECT d.id, d.kind, d.series || '-' || d.number FROM document_reference r JOIN document d ON d.id = r.{other}
 WHERE r.{own} = :id ORDER BY d.id
"""


def mine_page(session: Session, household_id: int, *, number: int, at: datetime) -> MinePage:
    """Return a household's documents, the latest first, and what it may ask for."""
    habit = writing.habit(session, at=at)
    asked = {"household": household_id, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    rows = session.execute(text(f"{_ROWS} WHERE d.household_id = :household{_NEWEST}"), asked).all()
    paid = papers.paid(session, household_id, habit.since, date.max) if habit.receipts != "none" else []
    latest = "SELECT address FROM invoice_address WHERE household_id = :household ORDER BY id DESC LIMIT 1"
    return MinePage(
        habit,
        session.scalar(text(latest), asked) or "",
        [DocumentRow(*row[:13]) for row in rows],
        Slice(number, A_PAGE, rows[0].total if rows else 0),
        _months(session, household_id, habit) if habit.invoices != "none" else [],
        paid[: -PAYMENTS_SHOWN - 1 : -1],
    )


def _months(session: Session, household_id: int, habit: Habit) -> list[OpenMonth]:
    named = set(papers.sellers(session))
    found: dict[date, list[papers.Fact]] = {}
    for fact in papers.sold(session, household_id, habit.since, date.max):
        found.setdefault(month_of(fact.happened_on).starts, []).append(fact)
    return [
        OpenMonth(
            first, len(facts), sum(fact.gross_minor for fact in facts), any(fact.artisan_id in named for fact in facts)
        )
        for first, facts in sorted(found.items(), reverse=True)
    ]


def all_page(session: Session, sought: Sought, *, number: int, most: int = A_PAGE) -> AllPage:
    """Return fifty documents of all households that are looked for, the latest first."""
    asked: dict[str, Any] = {
        "kind": sought.kind,
        "like": anywhere(sought.words),
        "since": sought.since,
        "until": sought.until,
    }
    rows = session.execute(_FOUND, asked | {"most": most, "skipped": most * (number - 1)}).all()
    return AllPage([DocumentRow(*row[:13]) for row in rows], Slice(number, most, rows[0].total if rows else 0))


def document_page(session: Session, document_id: int) -> DocumentPage:
    """Return a document whole."""
    row = session.execute(text(f"{_ROWS} WHERE d.id = :id"), {"id": document_id}).first()
    if row is None:
        raise NotFound
    issued_at, artisan_id, *seller, addressee, reason, sha256 = session.execute(_WHOLE, {"id": document_id}).one()
    return DocumentPage(
        DocumentRow(*row[:13]),
        issued_at,
        artisan_id,
        SellerNamed(*seller),
        addressee,
        reason,
        sha256,
        [DocumentLine(*one) for one in session.execute(_LINES, {"id": document_id})],
        _references(session, document_id, own="document_id", other="earlier_id"),
        _references(session, document_id, own="earlier_id", other="document_id"),
    )


def _references(session: Session, document_id: int, *, own: str, other: str) -> list[Earlier]:
    return [
        Earlier(*row) for row in session.execute(text(_REFERENCES.format(own=own, other=other)), {"id": document_id})
    ]


def habit_page(session: Session, *, at: datetime) -> HabitPage:
    """Return which documents are written, and in whose names: the co-op's first, then the makers' who sell themselves."""
    named = papers.sellers(session)
    makers = session.execute(
        text("SELECT id, name FROM artisan WHERE left_at IS NULL ORDER BY lower(name), id LIMIT 500")
    )
    rows = [SellerRow(None, "The co-op itself", named.get(None))]
    rows += [SellerRow(row.id, row.name, named.get(row.id)) for row in makers]
    return HabitPage(writing.habit(session, at=at), rows)


def seller_row(session: Session, artisan_id: int) -> SellerRow:
    """Return in whose name a maker's documents are written; 0 is the co-op itself."""
    named = papers.sellers(session)
    if not artisan_id:
        return SellerRow(None, "The co-op itself", named.get(None))
    name = session.scalar(text("SELECT name FROM artisan WHERE id = :id"), {"id": artisan_id})
    if name is None:
        raise NotFound
    return SellerRow(artisan_id, name, named.get(artisan_id))


def may_read(session: Session, viewer: Viewer, /, *, document_id: int) -> bool:
    """Whether a document is the viewer's household's, or the viewer may see all."""
    household_id = session.scalar(text("SELECT household_id FROM document WHERE id = :id"), {"id": document_id})
    return household_id is not None and (roles.may_handle_money(viewer) or viewer.household_id == household_id)
