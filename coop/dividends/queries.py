"""What there is to divide, among whom, by which bylaw; and what was decided before."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.dividend import SHARE_HOLDERS, STAKE_HOLDERS, Bylaw, Trade
from coop.core.errors import RuleBroken
from coop.core.season import local_day
from coop.policy import service as policy

BYLAW: Final = "dividend_bylaw"


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
    since = session.scalar(text("SELECT max(ends) FROM dividend WHERE state = 'posted'"))
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
