"""A season's memory in the database: sums kept and proved, newcomers, leavers, households that merge or split."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop.allocation.models import AllocationRun
from coop.allocation.queries import proof_of_run
from coop.asking import service as asking
from coop.books import queries as books
from coop.core.errors import RuleBroken
from coop.core.proof import verify_lines
from coop.households import service as households
from coop.places import service as places
from coop.pools import service as pools
from coop.standings.models import StandingEvent
from coop.standings.queries import largest_balances
from tests import rounds
from tests.builders import FIELD_KEY, NOW, a_household, a_pool, a_product, a_season, a_size, an_artisan, an_offering

OPENED = NOW - timedelta(hours=1)
"""When `tests.rounds.order` opens a pool."""


@pytest.fixture
def three(db):
    """Ana, Ben and Cleo with a full share each, in a season that remembers what each was entitled to."""
    return a_co_op(db, memory="season", credit_cap=2)


def a_co_op(db, **terms):
    with db.begin() as session:
        members = [a_household(session, name, credit_minor=90_000) for name in ("Ana", "Ben", "Cleo")]
        season = a_season(session, **terms)
        jam = a_product(session, an_artisan(session))
        size = a_size(session, season, price_minor=0)
    for household in members:
        places.take_share(db, size, household_id=household, by=0, at=OPENED - timedelta(days=1), key=f"s{household}")
    return season, size, jam, members


def a_round(db, season, jam, n, wishes, made, *, do=rounds.publish):
    with db.begin() as session:
        pool = a_pool(session, season, f"Round {n}", closes_at=NOW + timedelta(days=2, hours=n))
        offering = an_offering(session, pool, jam, price_minor=100)
    do(db, pool, {household: {offering: pieces} for household, pieces in wishes.items()}, {offering: made})
    return pool


def standing(db, season):
    with db() as session:
        rows = session.execute(
            text("SELECT household_id, owed_micro, entitled_micro FROM standing WHERE season_id = :season"),
            {"season": season},
        )
        return {row.household_id: (row.owed_micro, row.entitled_micro) for row in rows}


def broken(db):
    with db() as session:
        return {rule.id for rule in books.results(session) if not rule.ok and rule.id not in {"I15", "I19"}}


def proofs(db):
    with db() as session:
        runs = session.scalars(select(AllocationRun).where(AllocationRun.state == "published")).all()
        return [(run, proof_of_run(session, run.id, FIELD_KEY)) for run in runs]


def test_a_season_remembers_entitlements_and_proves_every_pool_anew(db, three):
    season, _, jam, (ana, ben, cleo) = three
    a_round(db, season, jam, 1, {ana: 2, ben: 2}, 3)
    assert {one: entitled for one, (_, entitled) in standing(db, season).items()} == {ana: 1_500_000, ben: 1_500_000}
    a_round(db, season, jam, 2, {ana: 3, ben: 3, cleo: 3}, 4)
    after = standing(db, season)
    # Cleo comes first: she was entitled to nothing yet, so the level rises from her head to that of the others
    assert sorted(entitled for _, entitled in after.values()) == [2_333_333, 2_333_333, 2_333_334]
    assert sum(owed for owed, _ in after.values()) == 0
    for run, proof in proofs(db):
        verdict = verify_lines(proof.splitlines(keepends=True))
        assert verdict["first_difference"] is None
        assert verdict["result_digest"] == run.result_digest
        assert b'"credit_cap":2' in proof
    assert broken(db) == set()


def test_a_newcomer_begins_level_with_the_others_once(db, three):
    season, size, jam, (ana, ben, _) = three
    first = a_round(db, season, jam, 1, {ana: 2, ben: 2}, 3)
    with db.begin() as session:
        dora = a_household(session, "Dora", credit_minor=90_000)
        closed = session.execute(text("SELECT closed_at FROM pool WHERE id = :pool"), {"pool": first}).scalar_one()
    places.take_share(db, size, household_id=dora, by=0, at=closed + timedelta(hours=1), key="dora")
    for n in (2, 3):
        later(db, season, jam, n, {ana: 1, dora: 1}, 1, opened=closed + timedelta(hours=1 + n))
    with db() as session:
        joined = session.scalars(select(StandingEvent).where(StandingEvent.kind == "joined")).all()
    assert [(event.household_id, event.owed_micro, event.entitled_micro) for event in joined] == [(dora, 0, 1_000_000)]
    assert broken(db) == set()


def later(db, season, jam, n, wishes, made, *, opened):
    """A round whose pool opens at an instant after the first round closed."""
    with db.begin() as session:
        pool = a_pool(session, season, f"Round {n}", closes_at=opened + timedelta(hours=8))
        offering = an_offering(session, pool, jam, price_minor=100)
    pools.open_pool(db, pool, by=0, at=opened)
    from coop.orders.service import place_order
    from coop.wishes.service import Wish

    for household, pieces in wishes.items():
        lines = [Wish(offering, pieces, pieces, 100, 0)]
        place_order(
            db, pool, lines, household_id=household, by=0, at=opened + timedelta(hours=1), key=f"r{n}-{household}"
        )
    rounds.share_out(db, pool, {offering: made})


def test_a_leavers_balance_goes_to_those_who_stay(db):
    season, _, jam, (ana, ben, cleo) = a_co_op(db)
    first = a_round(db, season, jam, 1, {ana: 1, ben: 1, cleo: 1}, 1)
    before = standing(db, season)
    with db() as session:
        closed = session.execute(text("SELECT closed_at FROM pool WHERE id = :pool"), {"pool": first}).scalar_one()
        share = session.execute(
            text("SELECT id FROM season_share WHERE household_id = :one"), {"one": cleo}
        ).scalar_one()
    places.give_up_share(db, share, by=0, at=closed + timedelta(hours=1))
    later(db, season, jam, 2, {ana: 1, ben: 1}, 2, opened=closed + timedelta(hours=2))
    after = standing(db, season)
    assert after[cleo][0] == 0
    assert sum(owed for owed, _ in after.values()) == 0
    gained = sorted(after[one][0] - before[one][0] for one in (ana, ben))
    assert sum(gained) == before[cleo][0]
    assert gained[1] - gained[0] <= 1
    assert broken(db) == set()


def test_pieces_that_nobody_fetches_count_as_received(db):
    season, _, jam, (ana, ben, _) = a_co_op(db)
    pool = a_round(db, season, jam, 1, {ana: 1, ben: 1}, 1)
    before = standing(db, season)
    winner = next(one for one, (owed, _) in before.items() if owed < 0)
    lines = rounds.lines_of(db, pool)
    assert before[winner] == (-500_000, 0)
    assert any(household == winner for household, _ in lines)
    a_round(db, season, jam, 2, {ana: 1, ben: 1}, 1)
    assert standing(db, season) == {ana: (0, 0), ben: (0, 0)}


def test_balances_add_when_households_merge_and_are_divided_by_points_when_one_splits(db):
    season, _, jam, (ana, ben, cleo) = a_co_op(db)
    a_round(db, season, jam, 1, {ana: 1, ben: 1, cleo: 1}, 1)
    before = standing(db, season)
    assert households.merge_households(db, season, kept=ana, gone=ben, by=0, at=NOW) == 1
    merged = standing(db, season)
    assert (merged[ana][0], merged[ben][0]) == (before[ana][0] + before[ben][0], 0)
    assert households.split_household(db, season, staying=ana, leaving=ben, by=0, at=NOW) == 1
    parted = standing(db, season)
    assert parted[ana][0] + parted[ben][0] == merged[ana][0]
    assert abs(parted[ana][0] - parted[ben][0]) <= 1
    assert broken(db) == set()
    with db() as session:
        (reach,) = largest_balances(session)
    assert reach.bound_micro == 1_000_000
    assert reach.is_within
    assert not reach.is_promised


@pytest.mark.parametrize(("one", "other", "code"), [(0, 0, "same_household"), (0, 3, "no_points")])
def test_a_split_needs_two_households_with_shares(db, one, other, code):
    season, _, _, members = a_co_op(db)
    with db.begin() as session:
        members.append(a_household(session, "Dora"))
    with pytest.raises(RuleBroken, match=code):
        households.split_household(db, season, staying=members[one], leaving=members[other], by=0, at=NOW)


def test_no_household_merges_while_a_pool_is_being_shared_out(db):
    season, _, jam, (ana, ben, _) = a_co_op(db)

    def only_ask(db, pool, wishes, made):
        rounds.order(db, pool, wishes)
        pools.close_pool(db, pool, by=0, at=NOW + timedelta(days=2, hours=1))
        asking.request_run(db, pool, by=0, at=NOW + timedelta(days=2, hours=1), without_missing=True)

    a_round(db, season, jam, 0, {ana: 1}, 1, do=only_ask)
    with pytest.raises(RuleBroken, match="run_under_way"):
        households.merge_households(db, season, kept=ana, gone=ben, by=0, at=NOW)


def test_the_credit_cap_is_fixed_with_the_first_sharing_out(db, three):
    season, _, jam, (ana, _, _) = three
    a_round(db, season, jam, 1, {ana: 1}, 1)
    with db.begin() as session:
        pool = a_pool(session, season, "Round 2", closes_at=NOW + timedelta(days=3))
        an_offering(session, pool, jam)
    pools.open_pool(db, pool, by=0, at=OPENED)
    pools.close_pool(db, pool, by=0, at=NOW + timedelta(days=4))
    with pytest.raises(RuleBroken, match="credit cap 2"):
        asking.request_run(db, pool, by=0, at=NOW + timedelta(days=4), memory="season", credit_cap=1)


def test_an_event_of_a_standing_is_never_edited(db, three):
    season, _, _, (ana, _, _) = three
    with db.begin() as session:
        session.add(
            StandingEvent(season_id=season, family="", household_id=ana, kind="joined", owed_micro=0, entitled_micro=1, at=NOW, actor_id=0)
        )  # fmt: skip
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError), db.begin() as session:
        session.execute(text("UPDATE standing_event SET entitled_micro = 2"))
