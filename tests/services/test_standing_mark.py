"""The mark under which forecasts are kept: another after whatever moves a standing or a weight, and nobody waits for it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.builders import NOW, a_household, a_pool, a_product, a_season, a_size, an_artisan, an_offering

MOVES = (
    "INSERT INTO standing (season_id, family, household_id, owed_micro) VALUES (:season, 'wool', :ana, 1)",
    "UPDATE standing SET entitled_micro = 2",
    "DELETE FROM standing",
    "INSERT INTO season_share (size_id, household_id, taken_at, taken_by) VALUES (:size, :ben, :at, 0)",
    "UPDATE season_share SET ended_at = :at",
    "DELETE FROM season_share",
    "UPDATE share_size SET weight = 3",
    "UPDATE season SET memory = 'none'",
    "UPDATE season SET memory = 'season', credit_cap = 2",
    "UPDATE season SET guest_weight = 2",
    "UPDATE pool SET opened_at = :at",
    "UPDATE product SET family = 'pots'",
    "UPDATE offering SET product_id = :cups",
    "UPDATE household_order SET household_id = :ben",
)
"""One after the other, each of which may change what a wish would come to, though nobody wished for anything else."""

MARK = text("SELECT array_agg(version ORDER BY version) FROM standing_mark")


@pytest.fixture
def named(fresh_db):
    """A season with a pool of bowls that Ana ordered from, and what the moves name."""
    with fresh_db.begin() as session:
        season = a_season(session)
        size, pool, potter = a_size(session, season), a_pool(session, season), an_artisan(session, "Pottery")
        an_offering(session, pool, a_product(session, potter, "bowl"))
        ana, ben = a_household(session), a_household(session, "Ben")
        session.execute(
            text("INSERT INTO household_order (pool_id, household_id, placed_at) VALUES (:pool, :ana, :at)"),
            {"pool": pool, "ana": ana, "at": NOW},
        )
        cups = a_product(session, potter, "cup")
    return {"season": season, "size": size, "ana": ana, "ben": ben, "cups": cups, "at": NOW}


def mark(db):
    with db() as session:
        return tuple(session.scalars(MARK).one())


def test_each_move_brings_a_mark_that_never_was(fresh_db, named):
    seen = [mark(fresh_db)]
    for move in MOVES:
        with fresh_db.begin() as session:
            session.execute(text(move), {name: value for name, value in named.items() if f":{name}" in move})
        seen.append(mark(fresh_db))
    assert len(set(seen)) == len(MOVES) + 1
    assert [len(one) for one in seen] == [1] * len(seen)


def test_two_moves_side_by_side_wait_for_neither_and_each_changes_the_mark(fresh_db, named):
    first, second = fresh_db(), fresh_db()
    start = mark(fresh_db)
    for session, household in ((first, named["ana"]), (second, named["ben"])):
        session.execute(text("SET LOCAL lock_timeout = '1s'"))
        session.execute(text(MOVES[0]), {"season": named["season"], "ana": household})
    assert mark(fresh_db) == start, "neither has been committed"
    second.commit()
    between = mark(fresh_db)
    first.commit()
    end = mark(fresh_db)
    assert len({start, between, end}) == 3
    first.close()
    second.close()
    with fresh_db.begin() as session:
        session.execute(text("DELETE FROM standing"))
    assert len(mark(fresh_db)) == 1, "the next move clears away what was left"


def test_what_is_undone_leaves_the_mark_as_it_was(fresh_db, named):
    before = mark(fresh_db)
    with fresh_db() as session:
        session.execute(text("UPDATE season SET guest_weight = 7"))
        session.rollback()
    assert mark(fresh_db) == before
