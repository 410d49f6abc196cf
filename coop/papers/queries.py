"""What of the books stands on no document yet: sales, payments, and what was put right of those that do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session


class Fact(NamedTuple):
    """One line to be written: what happened to an order line or to a household's money, and the fact's own id in one of four columns.

    `artisan_id` is the maker who sells, None where the co-op does. `booked_tax` is None where it is the maker's own.
    `event` holds together what belongs on one document; `earlier` are the documents that it puts right.
    """

    artisan_id: int | None
    event: str
    happened_on: date
    words: str
    pieces: int
    unit_minor: int
    gross_minor: int
    rate_bp: int
    booked_tax: int | None
    fund_minor: int
    deposit_minor: int
    reason: str
    line_id: int | None
    hand_over_id: int | None
    credit_note_id: int | None
    taken_back_id: int | None
    entry_id: int | None
    earlier: list[int]


@dataclass(frozen=True, slots=True)
class SellerNamed:
    """In whose name a document is written."""

    id: int
    legal_name: str
    address: str
    tax_number: str


_SOURCED = """
SELECT CASE t.model WHEN 'resale' THEN NULL ELSE p.artisan_id END AS artisan_id, m.event, e.business_date AS happened_on,
       p.name || ', lot ' || b.lot_number AS words, m.pieces, l.unit_minor, m.gross, t.price_tax_bp AS rate_bp,
       CASE t.model WHEN 'resale' THEN m.tax END AS booked_tax, m.fund, m.deposit_pieces * l.deposit_minor AS deposit,
       coalesce(m.reason, '') AS reason, m.line_id, m.hand_over_id, m.credit_note_id, m.taken_back_id, CAST(NULL AS bigint) AS entry_id,
       m.earlier, o.household_id
  FROM ({moved}) m
  JOIN order_line l ON l.id = m.line_id
  JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = l.offering_id
  JOIN product p ON p.id = f.product_id
  JOIN batch b ON b.id = f.batch_id
  JOIN artisan_terms t ON t.id = f.terms_id
  JOIN entry e ON e.id = m.entry_id
"""

_FETCHED = """
SELECT 'fetched' AS event, h.entry_id, d.line_id, d.pieces, d.pieces * x.unit_minor AS gross, d.tax_minor AS tax, d.fund_minor AS fund,
       d.pieces AS deposit_pieces, '' AS reason, d.hand_over_id, CAST(NULL AS bigint) AS credit_note_id, CAST(NULL AS bigint) AS taken_back_id,
       CAST(ARRAY[] AS bigint[]) AS earlier
  FROM hand_over h JOIN hand_over_line d ON d.hand_over_id = h.id JOIN order_line x ON x.id = d.line_id
 WHERE h.undoes_id IS NULL AND NOT EXISTS (SELECT FROM hand_over u WHERE u.undoes_id = h.id)
   AND NOT EXISTS (SELECT FROM document_line w WHERE w.hand_over_id = h.id AND w.line_id = d.line_id)"""

_PUT_RIGHT = """
SELECT 'undone:' || h.id AS event, h.entry_id, d.line_id, d.pieces, d.pieces * x.unit_minor AS gross, d.tax_minor AS tax,
       d.fund_minor AS fund, d.pieces AS deposit_pieces, r.memo AS reason, d.hand_over_id, CAST(NULL AS bigint) AS credit_note_id,
       CAST(NULL AS bigint) AS taken_back_id, ARRAY[w.document_id] AS earlier
  FROM hand_over h JOIN hand_over_line d ON d.hand_over_id = h.id JOIN order_line x ON x.id = d.line_id
  JOIN document_line w ON w.hand_over_id = h.undoes_id AND w.line_id = d.line_id
  JOIN entry r ON r.id = h.entry_id
 WHERE NOT EXISTS (SELECT FROM document_line y WHERE y.hand_over_id = h.id AND y.line_id = d.line_id)
 UNION ALL
SELECT 'bad:' || n.id, n.entry_id, n.line_id, -n.pieces, -n.gross_minor, -n.tax_minor, -n.fund_minor, 0, n.reason, NULL, n.id, NULL,
       (SELECT array_agg(DISTINCT w.document_id) FROM document_line w JOIN document v ON v.id = w.document_id AND v.kind = 'invoice'
         WHERE w.line_id = n.line_id)
  FROM credit_note n
 WHERE n.entry_id IS NOT NULL AND n.reversed_id IS NULL AND NOT EXISTS (SELECT FROM document_line y WHERE y.credit_note_id = n.id)
   AND EXISTS (SELECT FROM document_line w WHERE w.line_id = n.line_id)"""

_TAKEN_BACK = """
SELECT 'taken_back:' || n.id AS event, n.reversed_id AS entry_id, n.line_id, n.pieces, n.gross_minor AS gross, n.tax_minor AS tax,
       n.fund_minor AS fund, 0 AS deposit_pieces, r.memo AS reason, CAST(NULL AS bigint) AS hand_over_id, CAST(NULL AS bigint) AS credit_note_id,
       n.id AS taken_back_id, ARRAY[w.document_id] AS earlier
  FROM credit_note n JOIN document_line w ON w.credit_note_id = n.id JOIN entry r ON r.id = n.reversed_id
 WHERE NOT EXISTS (SELECT FROM document_line y WHERE y.taken_back_id = n.id)"""

PAID_KINDS: Final = ("top_up", "share_paid", "card_paid", "credit_paid_in")
"""Entries that say a household paid something in, each a receipt."""

_PAID = """
SELECT CAST(NULL AS bigint) AS artisan_id, CASE WHEN e.reverses_id IS NULL THEN 'paid:' ELSE 'reversed:' END || e.id AS event,
       e.business_date AS happened_on,
       CASE WHEN min(a.code) = 2010 THEN 'Season share' WHEN max(a.code) = 2010 THEN 'Season share, the rest as credit' ELSE 'Credit to order with' END
       || CASE WHEN EXISTS (SELECT FROM posting c JOIN account k ON k.id = c.account_id AND k.code = 1050 WHERE c.entry_id = e.id)
               THEN ', by card' ELSE ', by bank' END AS words,
       0 AS pieces, 0 AS unit_minor, -sum(p.amount)::bigint AS gross, 0 AS rate_bp, 0 AS booked_tax, 0 AS fund, 0 AS deposit,
       CASE WHEN e.reverses_id IS NULL THEN '' ELSE coalesce(e.memo, '') END AS reason, CAST(NULL AS bigint) AS line_id,
       CAST(NULL AS bigint) AS hand_over_id, CAST(NULL AS bigint) AS credit_note_id, CAST(NULL AS bigint) AS taken_back_id, e.id AS entry_id,
       coalesce((SELECT array_agg(w.document_id) FROM document_line w WHERE w.entry_id = e.reverses_id), CAST(ARRAY[] AS bigint[])) AS earlier,
       split_part(a.party, ':', 2)::bigint AS household_id
  FROM entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id
 WHERE a.code IN (2000, 2010) AND a.party LIKE 'household:%' AND NOT EXISTS (SELECT FROM document_line w WHERE w.entry_id = e.id)
   AND {which}
 GROUP BY e.id, a.party
"""
_SOLD: Final = _SOURCED.format(moved=_FETCHED)
_CORRECTED: Final = _SOURCED.format(moved=_PUT_RIGHT)
_RESTORED: Final = _SOURCED.format(moved=_TAKEN_BACK)
_PAYMENTS: Final = _PAID.format(
    which="e.kind = ANY(:kinds) AND e.business_date BETWEEN :since AND :until"
    " AND NOT EXISTS (SELECT FROM entry r WHERE r.reverses_id = e.id)"
)
_REVERSED: Final = _PAID.format(
    which="e.reverses_id IN (SELECT entry_id FROM document_line WHERE entry_id IS NOT NULL)"
)

_OF_HOUSEHOLD: Final = "SELECT * FROM ({rows}) s WHERE household_id = :household {more} ORDER BY {order}"
_WHOSE: Final = "SELECT household_id FROM ({rows}) s"
_SOLD_TO: Final = """SELECT household_id FROM ({rows}) s
 WHERE happened_on BETWEEN :sold_since AND :sold_until AND EXISTS (SELECT FROM seller k WHERE k.artisan_id IS NOT DISTINCT FROM s.artisan_id)"""


def sold(session: Session, household_id: int, since: date, until: date) -> list[Fact]:
    """Return what a household fetched in a time and has no invoice of, by seller and day."""
    days, order = (
        "AND happened_on BETWEEN :since AND :until",
        "artisan_id NULLS FIRST, happened_on, hand_over_id, line_id",
    )
    return _facts(session, _SOLD, household_id, days, order, since=since, until=until)


def paid(session: Session, household_id: int, since: date, until: date, *, entry_id: int | None = None) -> list[Fact]:
    """Return what a household paid in a time, or by one entry, and has no receipt of."""
    one = "AND (CAST(:entry AS bigint) IS NULL OR entry_id = :entry)"
    asked = {"since": since, "until": until, "kinds": list(PAID_KINDS), "entry": entry_id}
    return _facts(session, _PAYMENTS, household_id, one, "entry_id", **asked)


def put_right(session: Session, household_id: int) -> list[Fact]:
    """Return what was put right of a household's documents and stands on none yet."""
    lines = _facts(session, _CORRECTED, household_id, "", "event, line_id")
    return lines + _facts(session, _REVERSED, household_id, "", "entry_id")


def taken_back(session: Session, household_id: int) -> list[Fact]:
    """Return the credit notes on a household's documents that were made in error and taken back since."""
    return _facts(session, _RESTORED, household_id, "", "event")


def households_due(
    session: Session, sold_in: tuple[date, date] | None, paid_in: tuple[date, date] | None, *, most: int
) -> list[int]:
    """Return the households of which something is to be written without being asked: put right, or sold and paid in these times."""
    parts = [_WHOSE.format(rows=rows) for rows in (_CORRECTED, _RESTORED, _REVERSED)]
    asked: dict[str, Any] = {"most": most}
    if sold_in is not None:
        parts.append(_SOLD_TO.format(rows=_SOLD))
        asked |= {"sold_since": sold_in[0], "sold_until": sold_in[1]}
    if paid_in is not None:
        parts.append(_WHOSE.format(rows=_PAYMENTS))
        asked |= {"since": paid_in[0], "until": paid_in[1], "kinds": list(PAID_KINDS)}
    return list(session.scalars(text(" UNION ".join(parts) + " ORDER BY household_id LIMIT :most"), asked))


_NAMED = text("""
SELECT DISTINCT ON (coalesce(artisan_id, 0)) artisan_id, id, legal_name, address, tax_number FROM seller
 ORDER BY coalesce(artisan_id, 0), id DESC
""")


def sellers(session: Session) -> dict[int | None, SellerNamed]:
    """Return in whose name documents are written now, by maker; None is the co-op itself."""
    return {artisan_id: SellerNamed(*row) for artisan_id, *row in session.execute(_NAMED)}


_TOLD = text("""
SELECT line_id, sum(gross_minor)::bigint, sum(tax_minor)::bigint FROM document_line WHERE line_id = ANY(:lines) GROUP BY line_id
""")


def told_of(session: Session, line_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return gross and tax of order lines on all documents so far."""
    rows = session.execute(_TOLD, {"lines": list(line_ids)})
    return {line_id: (gross, tax) for line_id, gross, tax in rows}


def _facts(session: Session, rows: str, household_id: int, more: str, order: str, **asked: Any) -> list[Fact]:
    wanted = text(_OF_HOUSEHOLD.format(rows=rows, more=more, order=order))
    return [Fact(*row[:18]) for row in session.execute(wanted, {"household": household_id, **asked})]
