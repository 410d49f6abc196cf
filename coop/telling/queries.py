"""One statement, line by line: sales by lot, and all else that moved the maker's account."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import roles
from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.core.roles import Viewer
from coop.formats.letters import House
from coop.statements.queries import FATE, BillLine

A_PAGE: Final = 50
EVERY_LOT: Final = 100_000
_BACK: Final = {"payout_returned": "A payment that came back", "payout_rejected": "A payment that the bank refused"}
_OTHERWISE: Final = _BACK | {"set_off": "Taken off earlier against what was owed or advanced"}


class SoldLine(NamedTuple):
    """What one lot brought: in how many hand-overs, pieces, price, fee with the tax inside it, and what is the maker's."""

    product: str
    lot_number: str
    hand_overs: int
    pieces: int
    sold_minor: int
    fee_minor: int
    tax_minor: int
    net_minor: int


class OtherLine(NamedTuple):
    """What moved the maker's account and is no sale: a payment that came back, or a correction."""

    kind: str
    booked_on: date
    minor: int

    @property
    def words(self) -> str:
        """What it is, as the maker is told."""
        return _OTHERWISE.get(self.kind, "Correction")


class Message(NamedTuple):
    words: str
    is_answer: bool
    said_by: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class StatementPage:
    id: int
    artisan_id: int
    reference: str
    maker: str
    through: date
    made_at: datetime
    fate: str
    fate_on: date | None
    account_ending: str
    sold_minor: int
    fee_minor: int
    tax_minor: int
    set_off_minor: int
    recouped_minor: int
    payable_minor: int
    carried_minor: int
    carried_from: date | None
    deposit_minor: int
    paper_sha256: str
    others: list[OtherLine]
    rows: list[SoldLine]
    part: Slice
    messages: list[Message]

    @property
    def bill(self) -> list[BillLine]:
        """What it comes to, line by line."""
        back = sum(one.minor for one in self.others if one.kind in _BACK)
        corrected = sum(one.minor for one in self.others) - back
        taken_off = self.set_off_minor + self.recouped_minor
        resold = self.payable_minor + taken_off - self.sold_minor + self.fee_minor - back - corrected
        lines = [BillLine("Sold", self.sold_minor), BillLine("Co-op fee", -self.fee_minor)]
        more = (
            ("Payments that came back", back),
            ("Corrections", corrected),
            ("The part of the co-op where it resells", resold),
            ("What you owed the co-op", -self.set_off_minor),
            ("Your advance, paid back", -self.recouped_minor),
        )
        return lines + [BillLine(label, minor) for label, minor in more if minor]


_STATEMENT = text(f"""
SELECT s.id, s.artisan_id, s.series || '-' || s.number AS reference, m.name AS maker, r.through, r.computed_at AS made_at, {FATE},
       b.iban_ending AS account_ending, s.sold_minor, s.fee_minor, s.tax_minor, s.set_off_minor, s.recouped_minor, s.payable_minor,
       s.carried_minor, before.through AS carried_from, s.deposit_minor, coalesce(w.sha256, '') AS paper_sha256
  FROM statement s
  JOIN payout_run r ON r.id = s.run_id
  JOIN artisan m ON m.id = s.artisan_id
  JOIN payment p ON p.statement_id = s.id
  JOIN bank_details b ON b.id = p.bank_details_id
  LEFT JOIN statement_paper w ON w.statement_id = s.id
  LEFT JOIN LATERAL (SELECT max(x.through) AS through FROM payout_run x WHERE x.id < r.id AND x.state NOT IN ('cancelled', 'failed')) before ON true
 WHERE s.id = :id
""")  # noqa: S608 - put together from constants only

_SOLD = text("""
SELECT pr.name, b.lot_number, t.hand_overs, t.pieces, t.sold, t.fee, t.tax, t.net, t.total
  FROM (SELECT offering_id, count(*) AS hand_overs, sum(pieces)::bigint AS pieces, sum(sold_minor)::bigint AS sold,
               sum(fee_minor)::bigint AS fee, sum(tax_minor)::bigint AS tax, sum(amount_minor)::bigint AS net, count(*) OVER () AS total
          FROM statement_line WHERE statement_id = :id AND offering_id IS NOT NULL
         GROUP BY offering_id ORDER BY offering_id LIMIT :most OFFSET :skipped) t
  JOIN offering f ON f.id = t.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product pr ON pr.id = f.product_id
 ORDER BY t.offering_id
""")

_OTHERS = text("""
SELECT e.kind, e.business_date, s.amount_minor FROM statement_line s JOIN entry e ON e.id = s.entry_id
 WHERE s.statement_id = :id AND s.offering_id IS NULL ORDER BY e.id LIMIT 200
""")

_MESSAGES = text("""
SELECT m.words, m.is_answer, coalesce(p.name, '') AS said_by, m.said_at FROM statement_message m
  LEFT JOIN person p ON p.id = m.said_by WHERE m.statement_id = :id ORDER BY m.id LIMIT 200
""")


def statement_page(session: Session, statement_id: int, *, number: int, lots: int = A_PAGE) -> StatementPage:
    """Return a statement with fifty of its lots, and what was asked about it."""
    row = session.execute(_STATEMENT, {"id": statement_id}).first()
    if row is None:
        raise NotFound
    sold = session.execute(_SOLD, {"id": statement_id, "most": lots, "skipped": lots * (number - 1)}).all()
    return StatementPage(
        **row._asdict(),
        others=[OtherLine(*one) for one in session.execute(_OTHERS, {"id": statement_id})],
        rows=[SoldLine(*one[:-1]) for one in sold],
        part=Slice(number, lots, sold[0].total if sold else 0),
        messages=[Message(*one) for one in session.execute(_MESSAGES, {"id": statement_id})],
    )


def may_read(session: Session, viewer: Viewer, /, *, statement_id: int) -> bool:
    """Whether a statement is one of the viewer's workshops', or the viewer may see all."""
    artisan_id = session.scalar(text("SELECT artisan_id FROM statement WHERE id = :id"), {"id": statement_id})
    return artisan_id is not None and roles.may_see_statement(viewer, artisan_id)


def maker_of(session: Session, statement_id: int) -> str:
    """Return the name of a statement's maker."""
    found = "SELECT m.name FROM statement s JOIN artisan m ON m.id = s.artisan_id WHERE s.id = :id"
    return str(session.scalar(text(found), {"id": statement_id}))


def paper_values(session: Session, statement_id: int, here: House) -> tuple[str, dict[str, Any]]:
    """Return the title of a statement's paper, and what it tells: all as text. What may still change, such as its payment, is left out."""
    page = statement_page(session, statement_id, number=1, lots=EVERY_LOT)
    money, day = here.money, here.date
    taxed = page.tax_minor != 0
    heads = ["Product and lot", "Hand-overs", "Pieces", "Sold", "Co-op fee", *(["Tax in it"] if taxed else []), "Yours"]
    rows = [
        [
            f"{one.product}, lot {one.lot_number}",
            f"{one.hand_overs:,}",
            f"{one.pieces:,}",
            *map(money, (one.sold_minor, one.fee_minor, *((one.tax_minor,) if taxed else ()), one.net_minor)),
        ]
        for one in page.rows
    ]
    notes = [f"The co-op fee holds {money(page.tax_minor)} of tax."] if taxed else []
    if page.carried_minor and page.carried_from:
        waited = "Carried forward: {} of what you earned was handed over up to {} and waited for this payout."
        notes.append(waited.format(money(page.carried_minor), day(page.carried_from.isoformat())))
    if page.deposit_minor:
        notes.append(f"Deposits of {money(page.deposit_minor)} on jars and bottles are apart: the co-op holds them for those who bring them back.")  # fmt: skip
    return f"Statement {page.reference}", {
        "coop": here.name,
        "maker": page.maker,
        "through": day(page.through.isoformat()),
        "written": day(page.made_at.isoformat()),
        "account": page.account_ending,
        "heads": heads,
        "rows": rows,
        "others": [[one.words, day(one.booked_on.isoformat()), money(one.minor)] for one in page.others],
        "bill": [[line.label, money(line.amount)] for line in page.bill],
        "payable": money(page.payable_minor),
        "notes": notes,
    }
