"""The closed equation at the end of a day: what the co-op has is what it owes, what is its own, and what it has earned since."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.ledger import CHART, AccountType
from coop.core.season import local_day
from coop.policy import service as policy


@dataclass(frozen=True, slots=True)
class Figure:
    """What stands on the accounts of one number, on their normal side; `account_id` where it is one account of the co-op's own."""

    code: int
    name: str
    minor: int
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Time:
    """A month or a season one may look at the end of."""

    name: str
    ends: date


@dataclass(frozen=True, slots=True)
class SeasonFlow:
    """Where the money went that was held for a season's orders: ordered = back + earned + still held."""

    name: str
    ordered_minor: int
    back_minor: int
    makers_minor: int
    fee_minor: int
    tax_minor: int
    deposits_minor: int
    resale_minor: int
    held_minor: int

    @property
    def is_closed(self) -> bool:
        """Whether the parts make the whole."""
        parts = self.makers_minor + self.fee_minor + self.tax_minor + self.deposits_minor + self.resale_minor
        return self.ordered_minor == self.back_minor + parts + self.held_minor


@dataclass(frozen=True, slots=True)
class EquationPage:
    through: date
    has: list[Figure]
    owes: list[Figure]
    own: list[Figure]
    earned: list[Figure]
    spent: list[Figure]
    months: list[Time]
    seasons: list[Time]
    season: SeasonFlow | None

    @property
    def has_minor(self) -> int:
        """All that the co-op has."""
        return sum(one.minor for one in self.has)

    @property
    def owes_minor(self) -> int:
        """All that it owes."""
        return sum(one.minor for one in self.owes)

    @property
    def own_minor(self) -> int:
        """All that is its members' and its own."""
        return sum(one.minor for one in self.own)

    @property
    def result_minor(self) -> int:
        """What it has earned less what it spent in months that are not closed."""
        return sum(one.minor for one in self.earned) - sum(one.minor for one in self.spent)

    @property
    def is_closed(self) -> bool:
        """Whether both sides come to the same."""
        return self.has_minor == self.owes_minor + self.own_minor + self.result_minor


_AT = text("""
SELECT a.code, sum(p.amount)::bigint AS minor, CASE WHEN count(DISTINCT a.id) = 1 THEN min(a.id) END AS account_id
  FROM account a JOIN posting p ON p.account_id = a.id JOIN entry e ON e.id = p.entry_id
 WHERE e.business_date <= :through GROUP BY a.code HAVING sum(p.amount) <> 0 ORDER BY a.code
""")


def equation_page(session: Session, through: date | None, *, at: datetime) -> EquationPage:
    """Return where all the money was at the end of a day, today's without one; of a season's last day with the season's own flow."""
    day = through or local_day(at, policy.current(session, "zone", at=at))
    figures: dict[AccountType, list[Figure]] = {kind: [] for kind in AccountType}
    for row in session.execute(_AT, {"through": day}):
        kind = CHART[row.code]
        account_id = None if kind.per_party else row.account_id
        figures[kind.type].append(Figure(row.code, kind.name, kind.normal_sign * row.minor, account_id))
    months = session.execute(text("SELECT to_char(starts, 'FMMonth YYYY') AS name, ends FROM period ORDER BY starts DESC")).all()  # fmt: skip
    seasons = session.execute(text("SELECT id, name, ends FROM season ORDER BY ends DESC")).all()
    chosen = next((row for row in seasons if row.ends == through), None)
    return EquationPage(
        day,
        figures[AccountType.ASSET],
        figures[AccountType.LIABILITY],
        figures[AccountType.EQUITY],
        figures[AccountType.INCOME],
        figures[AccountType.EXPENSE],
        [Time(row.name, row.ends) for row in months],
        [Time(row.name, row.ends) for row in seasons],
        _flow(session, chosen.id, chosen.name) if chosen else None,
    )


# A hand-over and what corrects one belong to the lines they name; fee, tax and cost stand on the entry as a whole.
_FLOW = text("""
WITH of_season AS MATERIALIZED (
  SELECT l.id FROM pool o JOIN offering f ON f.pool_id = o.id JOIN order_line l ON l.offering_id = f.id WHERE o.season_id = :season),
holds AS (
  SELECT p.entry_id, p.amount, coalesce(r.kind, e.kind) = 'pickup' AS is_earned, coalesce(r.kind, e.kind) = 'order' AS is_order
    FROM of_season l JOIN posting p ON p.line_id = l.id JOIN account a ON a.id = p.account_id AND a.code = 2020
    JOIN entry e ON e.id = p.entry_id LEFT JOIN entry r ON r.id = e.reverses_id),
earned AS (
  SELECT a.code, sum(p.amount) AS minor
    FROM (SELECT DISTINCT entry_id FROM holds WHERE is_earned) h
    JOIN posting p ON p.entry_id = h.entry_id JOIN account a ON a.id = p.account_id GROUP BY a.code)
SELECT (SELECT coalesce(-sum(amount) FILTER (WHERE NOT is_earned AND amount < 0), 0) FROM holds) AS ordered,
       (SELECT coalesce(sum(amount) FILTER (WHERE NOT is_earned AND amount > 0), 0) FROM holds) AS back,
       (SELECT coalesce(-sum(amount), 0) FROM holds) AS held,
       (SELECT coalesce(-sum(minor) FILTER (WHERE code = 2100), 0) FROM earned) AS makers,
       (SELECT coalesce(-sum(minor) FILTER (WHERE code = 4000), 0) FROM earned) AS fee,
       (SELECT coalesce(-sum(minor) FILTER (WHERE code = 2400), 0) FROM earned) AS tax,
       (SELECT coalesce(-sum(minor) FILTER (WHERE code = 2200), 0) FROM earned) AS deposits,
       (SELECT coalesce(-sum(minor) FILTER (WHERE code NOT IN (2020, 2100, 4000, 2400, 2200)), 0) FROM earned) AS resale
""")


def _flow(session: Session, season_id: int, name: str) -> SeasonFlow:
    row = session.execute(_FLOW, {"season": season_id}).one()
    parts = (row.ordered, row.back, row.makers, row.fee, row.tax, row.deposits, row.resale, row.held)
    return SeasonFlow(name, *(int(part) for part in parts))
