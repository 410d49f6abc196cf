"""The latest balances from outside, each against what the books say of the same day."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.ledger import BANK, CARD_TRANSIT, CHART, DEPOSITS_HELD

COUNTED: Final = (BANK, CARD_TRANSIT, DEPOSITS_HELD)
"""Accounts of which something outside tells the same: the bank, the card provider, the containers that are out."""

OLD_AFTER_DAYS: Final = 7
LATEST: Final = 20


@dataclass(frozen=True, slots=True)
class CountRow:
    """A balance from outside and the books at the end of its day, both on the account's normal side.

    `source` is `statement` or `counted`. `explained_minor` is what the bank shows and nobody matched: it is not in the books.
    """

    code: int
    account: str
    source: str
    counted_on: date
    outside_minor: int
    books_minor: int
    explained_minor: int
    note: str
    noted_by: str

    @property
    def differs_by_minor(self) -> int:
        """How much more is outside than in the books, beyond what is explained."""
        return self.outside_minor - self.books_minor - self.explained_minor


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest balance from outside of an account; `row` is None where there never was one, `age_days` counts from its day."""

    code: int
    account: str
    row: CountRow | None
    age_days: int
    is_in_use: bool

    @property
    def is_old(self) -> bool:
        """Whether an account in use was not held against the outside for more than a week."""
        return self.is_in_use and (self.row is None or self.age_days > OLD_AFTER_DAYS)


@dataclass(frozen=True, slots=True)
class PieceRow:
    """Empty containers of one kind counted at the co-op, and how many should have stood there: those counted before and brought back since."""

    kind: str
    pieces: int
    expected: int
    counted_at: datetime
    note: str
    counted_by: str

    @property
    def differs_by(self) -> int:
        """How many more there are than there should be."""
        return self.pieces - self.expected


@dataclass(frozen=True, slots=True)
class CountsPage:
    balances: list[CountRow]
    pieces: list[PieceRow]


_OUTSIDE = text("""
SELECT o.code, o.source, o.counted_on, o.outside, o.note, coalesce(p.name, 'the command line') AS noted_by,
       coalesce((SELECT sum(x.amount) FROM posting x JOIN entry e ON e.id = x.entry_id JOIN account a ON a.id = x.account_id
                  WHERE a.code = o.code AND e.business_date <= o.counted_on), 0) AS books,
       CASE WHEN o.code = 1000 THEN coalesce((SELECT sum(amount_minor) FROM bank_line
              WHERE entry_id IS NULL AND booked_on <= o.counted_on), 0) ELSE 0 END AS unmatched
  FROM (SELECT * FROM (
          SELECT account_code AS code, 'counted' AS source, counted_on, amount_minor AS outside, note, noted_by AS person, noted_at AS at
            FROM counted_balance
           UNION ALL
          SELECT 1000, 'statement', closes_on, closing_minor, statement_reference, imported_by, imported_at FROM bank_statement) every
         ORDER BY counted_on DESC, at DESC LIMIT :most) o
  LEFT JOIN person p ON p.id = o.person
 ORDER BY o.counted_on DESC
""")


def counts(session: Session, *, most: int = LATEST) -> list[CountRow]:
    """Return the latest balances from outside, statements of the bank among them, each with the books of its day."""
    return [
        CountRow(
            row.code,
            CHART[row.code].name,
            row.source,
            row.counted_on,
            row.outside,
            CHART[row.code].normal_sign * int(row.books),
            int(row.unmatched),
            row.note,
            row.noted_by,
        )
        for row in session.execute(_OUTSIDE, {"most": most})
    ]


def counts_page(session: Session) -> CountsPage:
    """Return the latest balances from outside, and the latest counts of containers by the piece."""
    rows = session.execute(_PIECES, {"most": LATEST})
    return CountsPage(counts(session), [PieceRow(*row) for row in rows])


_PIECES = text("""
SELECT t.name, c.pieces, c.expected, c.counted_at, c.note, coalesce(p.name, 'the command line')
  FROM container_count c JOIN container_type t ON t.id = c.type_id LEFT JOIN person p ON p.id = c.counted_by
 ORDER BY c.id DESC LIMIT :most
""")


def latest(session: Session, *, today: date) -> list[Latest]:
    """Return for each account that is counted its latest balance from outside, and how old it is."""
    known = counts(session, most=500)
    in_use = set(session.scalars(text("SELECT DISTINCT a.code FROM account a WHERE EXISTS (SELECT FROM posting p WHERE p.account_id = a.id)")))  # fmt: skip
    newest = {code: next((row for row in known if row.code == code), None) for code in COUNTED}
    return [
        Latest(code, CHART[code].name, row, (today - row.counted_on).days if row else 0, code in in_use)
        for code, row in newest.items()
    ]
