"""What there is to divide, among whom, by which bylaw; and what was decided before."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.dividend import SHARE_HOLDERS, STAKE_HOLDERS, Bylaw, Trade
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import ALLOCATED_EQUITY, MEMBER_CAPITAL, household_party
from coop.core.paging import Slice
from coop.core.season import local_day
from coop.policy import service as policy

BYLAW: Final = "dividend_bylaw"
A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class BylawRow:
    """A version of the bylaw: in force from a day, noted at an instant by a person."""

    version: int
    in_force_from: date
    noted_at: datetime
    noted_by: int
    bylaw: Bylaw


def bylaws(session: Session, *, at: datetime) -> list[BylawRow]:
    """Return every version of the bylaw, the latest in force first."""
    zone = policy.current(session, "zone", at=at)
    return [
        BylawRow(value["version"], local_day(since, zone), noted_at, by, bylaw_of(value))
        for since, noted_at, by, value in policy.versions(session, BYLAW)
    ]


def bylaw_of(value: dict[str, Any]) -> Bylaw:
    """Read a bylaw as it is stored."""
    return Bylaw(**{name: value[name] for name in Bylaw._fields})


def stored_bylaw(bylaw: Bylaw, version: int) -> dict[str, Any]:
    """Write a bylaw as it is stored."""
    return {"version": version, **bylaw._asdict()}


def bylaw_over(session: Session, starts: date, ends: date, *, at: datetime) -> BylawRow:
    """Return the bylaw that was in force on the first day. Raises `no_bylaw`, and `bylaw_changed` where another came in between."""
    known = bylaws(session, at=at)
    row = next((one for one in known if one.in_force_from <= starts), None)
    if row is None:
        raise RuleBroken("no_bylaw", f"No bylaw was in force on {starts:%d %B %Y}, so nobody was promised a dividend of what was earned from then on.")  # fmt: skip
    later = [one.in_force_from for one in known if starts < one.in_force_from <= ends]
    if later:
        raise RuleBroken("bylaw_changed", f"The bylaw changed on {min(later):%d %B %Y}. Divide what was earned before that day by itself.")  # fmt: skip
    return row


@dataclass(frozen=True, slots=True)
class Undivided:
    """The closed months that no dividend covers: from the first day, up to each month's last day."""

    starts: date | None
    months: list[date]


def undivided(session: Session) -> Undivided:
    """Return the months that were closed one after another since the last dividend."""
    since = session.scalar(text("SELECT max(ends) FROM dividend WHERE state = 'done'"))
    rows = session.execute(
        text(
            "SELECT starts, ends, closed_at FROM period WHERE CAST(:since AS date) IS NULL OR starts > :since ORDER BY starts"
        ),
        {"since": since},
    ).all()
    months: list[date] = []
    for row in rows:
        if row.closed_at is None:
            break
        months.append(row.ends)
    starts = since + timedelta(days=1) if since else rows[0].starts if rows else None
    return Undivided(starts, months)


def result_of(session: Session, starts: date, ends: date) -> int:
    """Return the result of the closed months of a time: income less expense, a loss negative."""
    return int(session.scalar(_RESULT, {"starts": starts, "ends": ends}) or 0)


_RESULT = text("""
SELECT coalesce(-sum(p.amount), 0) FROM entry e
  JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id AND a.code = 3900
  LEFT JOIN entry r ON r.id = e.reverses_id
 WHERE e.business_date BETWEEN :starts AND :ends AND (e.kind = 'close' OR r.kind = 'close')
""")


def holds_due(session: Session, through: date) -> int:
    """Count the lines whose pickup day is past and whose money is still held: their sale is neither earned nor given back."""
    return int(session.scalar(_HOLDS_DUE, {"through": through}) or 0)


_HOLDS_DUE = text("""
SELECT count(*) FROM (
  SELECT p.line_id FROM pool o
    JOIN offering f ON f.pool_id = o.id
    JOIN order_line l ON l.offering_id = f.id
    JOIN posting p ON p.line_id = l.id
    JOIN account a ON a.id = p.account_id AND a.code = 2020
   WHERE o.pickup_on <= :through GROUP BY p.line_id HAVING sum(p.amount) <> 0) held
""")


@dataclass(frozen=True, slots=True)
class Traded:
    """Who traded in a time: members in the order of their names, what others bought, and makers in the order of theirs."""

    members: list[Trade]
    outside: int
    makers: list[Trade]


def traded(session: Session, starts: date, ends: date, patrons: str) -> Traded:
    """Return what each household bought at full price, less credit notes, and what each maker earned."""
    asked = {"starts": starts, "ends": ends}
    bought = session.execute(_BOUGHT, asked | {"patrons": patrons}).all()
    makers = session.execute(_EARNED, asked).all()
    return Traded(
        [Trade(row.party, int(row.minor)) for row in bought if row.is_patron],
        sum(int(row.minor) for row in bought if not row.is_patron),
        [Trade(row.party, int(row.minor)) for row in makers],
    )


# A hand-over lets the price leave the hold, the deposit apart; a credit note gives it back as credit, and the fund its part.
_BOUGHT = text(f"""
WITH sold AS (
  SELECT e.id, coalesce(r.kind, e.kind) AS kind FROM entry e LEFT JOIN entry r ON r.id = e.reverses_id
   WHERE e.business_date BETWEEN :starts AND :ends AND coalesce(r.kind, e.kind) IN ('pickup', 'credit_note')),
per_entry AS (
  SELECT s.id, max(a.party) FILTER (WHERE a.party LIKE 'household:%') AS party, sum(p.amount) AS minor
    FROM sold s JOIN posting p ON p.entry_id = s.id JOIN account a ON a.id = p.account_id
   WHERE a.code IN (2020, 2200) AND s.kind = 'pickup' OR a.code IN (2000, 1170, 2300) AND s.kind = 'credit_note'
   GROUP BY s.id),
per_household AS (SELECT party, sum(minor) AS minor FROM per_entry GROUP BY party HAVING sum(minor) <> 0)
SELECT b.party, b.minor, CASE :patrons
         WHEN '{SHARE_HOLDERS}' THEN EXISTS (
           SELECT FROM season_share s JOIN share_size z ON z.id = s.size_id JOIN season n ON n.id = z.season_id
            WHERE s.household_id = h.id AND n.starts <= :ends AND n.ends >= :starts
              AND s.taken_at::date <= :ends AND (s.ended_at IS NULL OR s.ended_at::date >= :starts))
         WHEN '{STAKE_HOLDERS}' THEN EXISTS (
           SELECT FROM account a JOIN posting p ON p.account_id = a.id JOIN entry e ON e.id = p.entry_id
            WHERE a.code = 3000 AND a.party = b.party AND e.business_date <= :ends HAVING sum(p.amount) < 0)
         ELSE true END AS is_patron
  FROM per_household b JOIN household h ON h.id = split_part(b.party, ':', 2)::bigint
 ORDER BY h.name COLLATE "C", h.id
""")  # noqa: S608 - put together from constants only

_EARNED = text("""
SELECT a.party, -sum(p.amount) AS minor FROM entry e LEFT JOIN entry r ON r.id = e.reverses_id
  JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id AND a.code IN (2100, 1150)
  JOIN artisan m ON m.id = split_part(a.party, ':', 2)::bigint
 WHERE e.business_date BETWEEN :starts AND :ends AND coalesce(r.kind, e.kind) IN ('pickup', 'credit_note', 'fee_changed')
 GROUP BY a.party, m.name, m.id HAVING sum(p.amount) <> 0 ORDER BY m.name COLLATE "C", m.id
""")


def covers(session: Session, day: date) -> bool:
    """Tell whether a dividend that is proposed or posted covers a day."""
    asked = text("SELECT EXISTS (SELECT FROM dividend WHERE state <> 'withdrawn' AND :day BETWEEN starts AND ends)")
    return bool(session.scalar(asked, {"day": day}))


def letter(session: Session, person_id: int, values: dict[str, Any]) -> dict[str, Any]:
    """Return what the mail about a dividend says to a person: the part of their household."""
    row = session.execute(
        text(
            "SELECT t.cash_minor, t.retained_minor FROM belonging b"
            " JOIN dividend_part t ON t.party = 'household:' || b.household_id AND t.dividend_id = :dividend"
            " WHERE b.person_id = :person AND b.ended_at IS NULL"
        ),
        {"dividend": values["dividend_id"], "person": person_id},
    ).first()
    cash, retained = (row.cash_minor, row.retained_minor) if row else (0, 0)
    return {"cash_minor": cash, "retained_minor": retained, "amount_minor": cash + retained}


@dataclass(frozen=True, slots=True)
class DividendRow:
    """A dividend, or a loss that the reserve bore: what was decided, and who did."""

    id: int
    starts: date
    ends: date
    result_minor: int
    reserve_minor: int
    from_outside_minor: int
    other_minor: int
    cash_minor: int
    retained_minor: int
    bylaw_version: int
    bylaw_from: date
    state: str
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    paid_at: datetime | None
    minimum_minor: int | None
    is_viewers: bool


@dataclass(frozen=True, slots=True)
class DividendsPage:
    rows: list[DividendRow]
    bylaws: list[BylawRow]
    starts: date | None
    months: list[date]
    """Last days of the closed months that wait to be divided."""
    result_minor: int
    """The result of all of them."""
    is_waiting: bool


_DIVIDENDS = """
SELECT d.id, d.starts, d.ends, d.result_minor, d.reserve_minor, d.from_outside_minor, d.other_minor,
       coalesce(t.cash, 0)::bigint AS cash, coalesce(t.retained, 0)::bigint AS retained, d.bylaw_version, d.bylaw_from, d.state,
       coalesce(a.name, 'the command line') AS asked_by, d.asked_at, coalesce(b.name, 'the command line') AS decided_by,
       d.decided_at, d.paid_at, d.minimum_minor, d.asked_by = :viewer AS is_viewers
  FROM dividend d LEFT JOIN person a ON a.id = d.asked_by LEFT JOIN person b ON b.id = d.decided_by
  LEFT JOIN LATERAL (SELECT sum(cash_minor) AS cash, sum(retained_minor) AS retained FROM dividend_part WHERE dividend_id = d.id) t ON true
"""


def dividends_page(session: Session, viewer_id: int, *, at: datetime) -> DividendsPage:
    """Return every dividend, the latest first, with the bylaws and the closed months that wait."""
    rows = session.execute(text(f"{_DIVIDENDS} ORDER BY d.id DESC"), {"viewer": viewer_id})
    shown = [DividendRow(*row) for row in rows]
    left = undivided(session)
    result = result_of(session, left.starts, left.months[-1]) if left.starts and left.months else 0
    waiting = any(row.state == "waiting" for row in shown)
    return DividendsPage(shown, bylaws(session, at=at), left.starts, left.months, result, waiting)


@dataclass(frozen=True, slots=True)
class PartRow:
    """What one household or maker gets, with what it is worked out from; `fate` of the cash: waits, sent, settled or credited."""

    party: str
    name: str
    trade_minor: int
    cash_minor: int
    retained_minor: int
    fate: str


@dataclass(frozen=True, slots=True)
class DividendPage:
    dividend: DividendRow
    rows: list[PartRow]
    part: Slice


_PARTS = text("""
SELECT t.party, coalesce(h.name, m.name, t.party) AS name, t.trade_minor, t.cash_minor, t.retained_minor,
       CASE WHEN t.entry_id IS NULL THEN 'waits' WHEN t.payment_id IS NULL THEN 'credited'
            WHEN y.settled_on IS NULL THEN 'sent' ELSE 'settled' END AS fate, count(*) OVER () AS total
  FROM dividend_part t
  LEFT JOIN household h ON t.party = 'household:' || h.id LEFT JOIN artisan m ON t.party = 'artisan:' || m.id
  LEFT JOIN household_payment y ON y.id = t.payment_id
 WHERE t.dividend_id = :dividend ORDER BY t.n LIMIT :most OFFSET :skipped
""")


def dividend_page(session: Session, dividend_id: int, viewer_id: int, *, number: int) -> DividendPage:
    """Return a dividend with fifty of its parts. Raises NotFound."""
    row = session.execute(text(f"{_DIVIDENDS} WHERE d.id = :id"), {"viewer": viewer_id, "id": dividend_id}).first()
    if row is None:
        raise NotFound
    asked = {"dividend": dividend_id, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    parts = session.execute(_PARTS, asked).all()
    rows = [PartRow(*one[:-1]) for one in parts]
    return DividendPage(DividendRow(*row), rows, Slice(number, A_PAGE, parts[0].total if parts else 0))


@dataclass(frozen=True, slots=True)
class OwnPart:
    """A household's part of a dividend, with the figures that it follows from."""

    starts: date
    ends: date
    decided_at: datetime
    result_minor: int
    kept_minor: int
    members_minor: int
    all_trade_minor: int
    trade_minor: int
    cash_minor: int
    retained_minor: int
    cash_bp: int
    bylaw_version: int
    bylaw_from: date
    fate: str


@dataclass(frozen=True, slots=True)
class OwnPage:
    rows: list[OwnPart]
    capital_minor: int
    retained_minor: int


_OWN = text("""
SELECT d.starts, d.ends, d.decided_at, d.result_minor, d.reserve_minor + d.other_minor + s.makers AS kept, s.members, s.trade AS all_trade,
       t.trade_minor, t.cash_minor, t.retained_minor, (d.bylaw ->> 'cash_bp')::int AS cash_bp, d.bylaw_version, d.bylaw_from,
       CASE WHEN t.entry_id IS NULL THEN 'waits' WHEN t.payment_id IS NULL THEN 'credited'
            WHEN y.settled_on IS NULL THEN 'sent' ELSE 'settled' END AS fate
  FROM dividend_part t JOIN dividend d ON d.id = t.dividend_id AND d.state = 'done'
  LEFT JOIN household_payment y ON y.id = t.payment_id
  JOIN LATERAL (
    SELECT coalesce(sum(x.cash_minor + x.retained_minor) FILTER (WHERE x.party LIKE 'household:%'), 0)::bigint AS members,
           coalesce(sum(x.cash_minor + x.retained_minor) FILTER (WHERE x.party LIKE 'artisan:%'), 0)::bigint AS makers,
           coalesce(sum(x.trade_minor) FILTER (WHERE x.party LIKE 'household:%'), 0)::bigint AS trade
      FROM dividend_part x WHERE x.dividend_id = d.id) s ON true
 WHERE t.party = :party ORDER BY d.id DESC
""")


def own_page(session: Session, household_id: int) -> OwnPage:
    """Return what a household got of each dividend, and what it has in the co-op."""
    party = household_party(household_id)
    held = {
        code: -amount
        for code, amount in session.execute(
            text(
                "SELECT a.code, b.amount FROM account a JOIN balance b ON b.account_id = a.id WHERE a.party = :party AND a.code IN (3000, 3100)"
            ),
            {"party": party},
        )
    }
    rows = [OwnPart(*row) for row in session.execute(_OWN, {"party": party})]
    return OwnPage(rows, held.get(MEMBER_CAPITAL, 0), held.get(ALLOCATED_EQUITY, 0))
