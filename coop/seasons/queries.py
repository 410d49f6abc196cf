"""What the pages about seasons show: a season's shares to a household, and seasons to the admin who plans them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.policy import service as policy


@dataclass(frozen=True, slots=True)
class RecipeRow:
    id: int
    words: str


@dataclass(frozen=True, slots=True)
class RecipePart:
    """One thing that a recipe asks for, with what may serve it, the best liked first."""

    number: int
    rows: list[RecipeRow]

    @property
    def words(self) -> str:
        """Say what it asks for."""
        return " or ".join(row.words for row in self.rows)


@dataclass(frozen=True, slots=True)
class RecipePage:
    """A size's recipe and what may be put into it; `products` are (id, name)."""

    size_id: int
    size: str
    season_id: int
    season: str
    recipe: list[RecipePart]
    products: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class SizeRow:
    """A size of share as one household sees it: how many are left for it, and its own place."""

    id: int
    name: str
    line: str
    weight: int
    price_minor: int
    price_min_minor: int | None
    price_max_minor: int | None
    cap: int | None
    taken: int
    waiting: int
    share_id: int | None
    owed_minor: int
    place: int | None
    recipe: list[RecipePart]

    @property
    def is_own_choice(self) -> bool:
        """Whether each household chooses its own price."""
        return self.price_min_minor is not None or self.price_max_minor is not None

    @property
    def least_minor(self) -> int:
        """The least that a household pays."""
        return self.price_minor if self.price_min_minor is None else self.price_min_minor

    @property
    def most_minor(self) -> int:
        """The most that a household may pay."""
        return self.price_minor if self.price_max_minor is None else self.price_max_minor

    @property
    def left(self) -> int | None:
        """How many this household could take: those not taken, less those kept for others who waited longer."""
        if self.cap is None:
            return None
        ahead = self.waiting if self.place is None else self.place - 1
        return max(0, self.cap - self.taken - ahead)


@dataclass(frozen=True, slots=True)
class SeasonPage:
    """A season; `late` says what the co-op chose for shares taken from now on, once the first day is over."""

    id: int
    name: str
    starts: date
    ends: date
    is_over: bool
    late: str
    rule: str
    memory: str
    guests_may_order: bool
    guest_weight: int
    secret_hash: str
    sizes: list[SizeRow]


@dataclass(frozen=True, slots=True)
class SeasonRow:
    id: int
    name: str
    starts: date
    ends: date
    sizes: int
    shares: int
    secret_is_due: bool


@dataclass(frozen=True, slots=True)
class SeasonsPage:
    rows: list[SeasonRow]


_SIZES = text("""
SELECT z.id, z.name, z.line, z.weight, z.price_minor, z.price_min_minor, z.price_max_minor, z.cap,
       (SELECT count(*) FROM season_share h WHERE h.size_id = z.id AND h.ended_at IS NULL) AS taken,
       (SELECT count(*) FROM share_wait w WHERE w.size_id = z.id AND w.ended_at IS NULL) AS waiting,
       mine.id AS share_id, coalesce(mine.owed, 0) AS owed_minor,
       (SELECT count(*) FROM share_wait w JOIN share_wait me ON me.size_id = z.id AND me.household_id = :household
          AND me.ended_at IS NULL WHERE w.size_id = z.id AND w.ended_at IS NULL AND w.id <= me.id) AS place
  FROM share_size z
  LEFT JOIN LATERAL (SELECT h.id, (SELECT sum(i.amount_minor) FROM instalment i
         WHERE i.share_id = h.id AND i.released_at IS NULL) AS owed FROM season_share h
     WHERE h.size_id = z.id AND h.household_id = :household AND h.ended_at IS NULL) mine ON true
 WHERE z.season_id = :season ORDER BY z.weight, z.price_minor, z.id
""")


_SEASON = "SELECT id, name, starts, ends, rule, memory, guests_may_order, guest_weight, secret_hash FROM season"

CURRENT: Final = (
    " ORDER BY CASE WHEN starts <= :today AND ends >= :today THEN 0 WHEN starts > :today THEN 1 ELSE 2 END,"
    " CASE WHEN starts > :today THEN starts END, ends DESC, id DESC LIMIT 1"
)
"""The SQL that takes of `season` the one that runs now, else the next to start, else the last that ended."""

_ONE_SEASON = text(_SEASON + " WHERE id = :season")
_CURRENT_SEASON = text(_SEASON + CURRENT)
_CURRENT_ID = text("SELECT id FROM season" + CURRENT)  # noqa: S608 - put together from constants only


def current_season_id(session: Session, *, today: date) -> int | None:
    """Return the season that runs now, else the next to start, else the last that ended."""
    found: int | None = session.scalar(_CURRENT_ID, {"today": today})
    return found


def current_season_page(session: Session, household_id: int | None, *, today: date) -> SeasonPage | None:
    """Return the season that runs now, or is nearest, with its sizes; None where none was ever planned."""
    season = session.execute(_CURRENT_SEASON, {"today": today}).first()
    return None if season is None else _season_page(session, season, household_id, today=today)


def season_page(session: Session, season_id: int, household_id: int | None, *, today: date) -> SeasonPage:
    """Return a season with its sizes, as a household sees them, or as a visitor does."""
    season = session.execute(_ONE_SEASON, {"season": season_id}).first()
    if season is None:
        raise NotFound
    return _season_page(session, season, household_id, today=today)


def _season_page(session: Session, season: Any, household_id: int | None, *, today: date) -> SeasonPage:
    found = session.execute(_SIZES, {"season": season.id, "household": household_id or 0}).all()
    recipes = _recipes(session, [row.id for row in found])
    return SeasonPage(
        id=season.id,
        name=season.name,
        starts=season.starts,
        ends=season.ends,
        is_over=today > season.ends,
        late=policy.current(session, "late_shares", at=datetime.combine(today, time.max, UTC))
        if today > season.starts
        else "",
        rule=season.rule,
        memory=season.memory,
        guests_may_order=season.guests_may_order,
        guest_weight=season.guest_weight,
        secret_hash=season.secret_hash,
        sizes=[
            SizeRow(
                id=row.id,
                name=row.name,
                line=row.line,
                weight=row.weight,
                price_minor=row.price_minor,
                price_min_minor=row.price_min_minor,
                price_max_minor=row.price_max_minor,
                cap=row.cap,
                taken=row.taken,
                waiting=row.waiting,
                share_id=row.share_id,
                owed_minor=int(row.owed_minor),
                place=row.place or None,
                recipe=recipes.get(row.id, []),
            )
            for row in found
        ],
    )


def size_page(session: Session, size_id: int, household_id: int, *, today: date) -> SizeRow:
    """Return one size of share, as a household sees it that chooses its price."""
    season_id = session.scalar(text("SELECT season_id FROM share_size WHERE id = :id"), {"id": size_id})
    if season_id is None:
        raise NotFound
    return next(size for size in season_page(session, season_id, household_id, today=today).sizes if size.id == size_id)


def seasons_page(session: Session, *, today: date) -> SeasonsPage:
    """Return all seasons, the latest first; the secret of one that is over is due until it is told."""
    rows = session.execute(
        text(
            "SELECT s.id, s.name, s.starts, s.ends, count(DISTINCT z.id) AS sizes,"
            " count(h.id) FILTER (WHERE h.ended_at IS NULL) AS shares,"
            " s.ends < :today AND NOT EXISTS (SELECT FROM season_secret t WHERE t.season_id = s.id) AS due FROM season s"
            " LEFT JOIN share_size z ON z.season_id = s.id LEFT JOIN season_share h ON h.size_id = z.id"
            " GROUP BY s.id ORDER BY s.starts DESC, s.id DESC"
        ),
        {"today": today},
    )
    return SeasonsPage(
        [SeasonRow(row.id, row.name, row.starts, row.ends, row.sizes, row.shares, row.due) for row in rows]
    )


_RECIPES = text("""
SELECT l.id, l.size_id, l.part, l.pieces, d.name
  FROM recipe_line l JOIN product d ON d.id = l.product_id
 WHERE l.size_id = ANY(:sizes) ORDER BY l.size_id, l.part, l.rank
""")

_PRODUCTS = text("""
SELECT d.id, d.name || ', ' || a.name FROM product d JOIN artisan a ON a.id = d.artisan_id ORDER BY lower(d.name), d.id
""")


def recipe_page(session: Session, size_id: int) -> RecipePage:
    """Return what a size of share asks of each pool by itself."""
    size = session.execute(
        text(
            "SELECT z.id, z.name, s.id AS season_id, s.name AS season FROM share_size z"
            " JOIN season s ON s.id = z.season_id WHERE z.id = :size"
        ),
        {"size": size_id},
    ).first()
    if size is None:
        raise NotFound
    products = [(n, name) for n, name in session.execute(_PRODUCTS)]
    recipe = _recipes(session, [size_id]).get(size_id, [])
    return RecipePage(size.id, size.name, size.season_id, size.season, recipe, products)


def _recipes(session: Session, sizes: list[int]) -> dict[int, list[RecipePart]]:
    """Gather the recipes of some sizes of share, part by part."""
    found: dict[int, list[RecipePart]] = {}
    for row in session.execute(_RECIPES, {"sizes": sizes}):
        parts = found.setdefault(row.size_id, [])
        if not parts or parts[-1].number != row.part:
            parts.append(RecipePart(row.part, []))
        parts[-1].rows.append(RecipeRow(row.id, f"{row.pieces} \N{MULTIPLICATION SIGN} {row.name}"))
    return found
