"""Move standings for every reason that is not a batch: who left, who joined, who merged or split. Each move is a row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from coop.core.belonging import opening_sum, part_by_points, spread_equally
from coop.core.tickets import ticket, tie_key
from coop.db import bigints, copy_rows
from coop.pools.models import Pool
from coop.seasons import service as seasons
from coop.seasons.models import Season


class Move(NamedTuple):
    """A change of one standing, in micro-units."""

    family: str
    household_id: int
    kind: str
    owed: int
    entitled: int


def settle(session: Session, season: Season, pool: Pool, *, by: int, at: datetime) -> None:
    """Before a pool is shared out, spread what leavers were owed over those who stay, and let newcomers begin level.

    Who is in the season is read as of the pool's opening, like the weights. Repeating it changes nothing.
    """
    if season.memory == "none":
        return
    assert pool.opened_at is not None
    gone = session.execute(_GONE, {"season": season.id, "pool": pool.id, "opened": pool.opened_at}).all()
    if not gone and season.memory != "season":
        return
    members = seasons.weights(session, season.id, at=pool.opened_at)
    moves = _leaving(season, pool, members, [row for row in gone if row.household_id not in members])
    if season.memory == "season":
        moves += _joining(session, season, members)
    record(session, season.id, moves, pool_id=pool.id, by=by, at=at)


def may_need_settling(session: Session, season: Season, pool: Pool) -> bool:
    """Whether `settle` may find anything to do, wherever the pools before will leave everybody standing."""
    if season.memory != "rounding":
        return season.memory == "season"
    return bool(session.scalar(_ANYBODY_GONE, {"season": season.id, "opened": pool.opened_at}))


def merge(session: Session, season_id: int, *, kept: int, gone: int, by: int, at: datetime) -> int:
    """Add a household's balances of a season to those of the one it merges into; return how many moved."""
    moved = _balances(session, season_id, [gone])
    moves = [
        move
        for (family, _), (owed, entitled) in sorted(moved.items())
        if owed or entitled
        for move in (Move(family, gone, "merged", -owed, -entitled), Move(family, kept, "merged", owed, entitled))
    ]
    record(session, season_id, moves, by=by, at=at)
    return len(moves) // 2


def split(
    session: Session, season_id: int, *, staying: tuple[int, int], leaving: tuple[int, int], by: int, at: datetime
) -> int:
    """Divide a household's balances of a season by share points with the one that splits off; return how many moved.

    Both are given as (household, share points).
    """
    moves = []
    for (family, _), (owed, entitled) in sorted(_balances(session, season_id, [staying[0]]).items()):
        parts = [part_by_points(balance, leaving[1], staying[1]) for balance in (owed, entitled)]
        if any(parts):
            moves.append(Move(family, staying[0], "split", -parts[0], -parts[1]))
            moves.append(Move(family, leaving[0], "split", parts[0], parts[1]))
    record(session, season_id, moves, by=by, at=at)
    return len(moves) // 2


def record(
    session: Session, season_id: int, moves: Sequence[Move], *, by: int, at: datetime, pool_id: int | None = None
) -> None:
    """Write moves as events, and add them to the standings kept."""
    if not moves:
        return
    copy_rows(
        session,
        "standing_event",
        ("season_id", "family", "household_id", "kind", "owed_micro", "entitled_micro", "pool_id", "at", "actor_id"),
        ((season_id, *move, pool_id, at, by) for move in moves),
    )
    changes: dict[tuple[str, int], tuple[int, int]] = {}
    for move in moves:
        owed, entitled = changes.get((move.family, move.household_id), (0, 0))
        changes[move.family, move.household_id] = owed + move.owed, entitled + move.entitled
    session.execute(
        text(
            "INSERT INTO standing (season_id, family, household_id, owed_micro, entitled_micro)"
            " SELECT :season, * FROM unnest(CAST(:families AS text[]), CAST(:households AS bigint[]),"
            " CAST(:owed AS bigint[]), CAST(:entitled AS bigint[]))"
            " ON CONFLICT (season_id, family, household_id) DO UPDATE SET"
            " owed_micro = standing.owed_micro + excluded.owed_micro,"
            " entitled_micro = standing.entitled_micro + excluded.entitled_micro"
        ),
        {
            "season": season_id,
            "families": [family for family, _ in changes],
            "households": bigints([household_id for _, household_id in changes]),
            "owed": bigints([owed for owed, _ in changes.values()]),
            "entitled": bigints([entitled for _, entitled in changes.values()]),
        },
    )


# households that gave up a share, or left the co-op, and ask for nothing in the pool at hand; some may hold another share
_GONE = text("""
SELECT s.family, s.household_id, s.owed_micro
  FROM standing s
 WHERE s.season_id = :season AND s.owed_micro <> 0
   AND s.household_id IN (
         SELECT id FROM household WHERE left_at <= :opened
          UNION ALL
         SELECT x.household_id FROM season_share x JOIN share_size z ON z.id = x.size_id
          WHERE z.season_id = :season AND x.ended_at <= :opened)
   AND NOT EXISTS (SELECT FROM household_order o JOIN order_line l ON l.order_id = o.id
                    WHERE o.pool_id = :pool AND o.household_id = s.household_id AND l.up_to > 0)
 ORDER BY s.family, s.household_id
""")

_ANYBODY_GONE = text("""
SELECT EXISTS (SELECT FROM household WHERE left_at <= :opened)
    OR EXISTS (SELECT FROM season_share x JOIN share_size z ON z.id = x.size_id WHERE z.season_id = :season AND x.ended_at <= :opened)
""")

# members whose first share of the season came after its first closing, and who were not reckoned in before
_NEWCOMERS = text("""
SELECT x.household_id FROM season_share x JOIN share_size z ON z.id = x.size_id
 WHERE z.season_id = :season AND x.household_id = ANY(CAST(:members AS bigint[]))
   AND NOT EXISTS (SELECT FROM standing_event e WHERE e.season_id = :season AND e.household_id = x.household_id
                    AND e.kind IN ('joined', 'split', 'merged'))
 GROUP BY x.household_id
HAVING min(x.taken_at) > (SELECT min(closed_at) FROM pool WHERE season_id = :season)
 ORDER BY x.household_id
""")

_FAMILIES = text("SELECT DISTINCT family FROM standing WHERE season_id = :season ORDER BY family")

_BALANCES = text(
    "SELECT family, household_id, owed_micro, entitled_micro FROM standing"
    " WHERE season_id = :season AND household_id = ANY(CAST(:households AS bigint[]))"
)


def _leaving(season: Season, pool: Pool, members: Mapping[int, int], left: Sequence[Row[Any]]) -> list[Move]:
    if not left or not members:
        return []
    key = tie_key(bytes.fromhex(season.secret_hash), pool.name)
    ranks = {household_id: ticket(key, str(household_id)) for household_id in sorted(members)}
    totals: dict[str, int] = {}
    for row in left:
        totals[row.family] = totals.get(row.family, 0) + row.owed_micro
    moves = [Move(row.family, row.household_id, "left", -row.owed_micro, 0) for row in left]
    for family, total in totals.items():
        parts = spread_equally(total, ranks)
        moves += [Move(family, household_id, "spread", part, 0) for household_id, part in parts.items() if part]
    return moves


def _joining(session: Session, season: Season, members: Mapping[int, int]) -> list[Move]:
    values = {"season": season.id, "members": bigints(list(members))}
    newcomers = set(session.scalars(_NEWCOMERS, values))
    if not newcomers:
        return []
    kept = _balances(session, season.id, list(members))
    moves = []
    for family in session.scalars(_FAMILIES, {"season": season.id}):
        so_far = {household_id: kept.get((family, household_id), (0, 0))[1] for household_id in members}
        others = {one: (so_far[one], weight) for one, weight in members.items() if one not in newcomers}
        moves += [
            Move(family, one, "joined", 0, opening_sum(members[one], so_far[one], others)) for one in sorted(newcomers)
        ]
    return moves


def _balances(session: Session, season_id: int, households: Sequence[int]) -> dict[tuple[str, int], tuple[int, int]]:
    rows = session.execute(_BALANCES, {"season": season_id, "households": bigints(households)})
    return {(row.family, row.household_id): (row.owed_micro, row.entitled_micro) for row in rows}
