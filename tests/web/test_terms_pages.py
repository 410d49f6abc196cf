"""An admin chooses what a season shares out by, members read it, and from the first opening on it stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.clock import now
from coop.core.errors import RuleBroken
from coop.pools import service as pools
from coop.terms import service as terms
from tests.builders import a_pool, a_product, a_season, an_artisan, an_offering


@pytest.fixture
def season(db, local_settings):
    today = now().date()
    with db.begin() as session:
        return a_season(
            session,
            starts=today - timedelta(days=3),
            ends=today + timedelta(days=60),
            field_key=local_settings.field_key,
        )


def versions(db, season):
    with db() as session:
        rows = session.execute(
            text("SELECT version, rule, memory, credit_cap FROM season_rule WHERE season_id = :s ORDER BY 1"),
            {"s": season},
        )
        return [tuple(row) for row in rows]


def a_pool_with_gin(db, season, **offering):
    with db.begin() as session:
        pool = a_pool(session, season, "November pool", closes_at=now() + timedelta(days=1))
        an_offering(session, pool, a_product(session, an_artisan(session)), **offering)
    return pool


FIRST = (1, "cea/standing@1", "rounding", None)


def test_a_rule_chosen_before_orders_open_is_a_new_version_and_members_read_it(db, client_as, season, visitor):
    admin = client_as("admin")
    path = f"/seasons/{season}/rule"
    answer = admin.fill(path, {"rule": "proportional/largest_remainder@1"})
    assert (answer.status_code, answer.location) == (303, path)
    # a rule without a standing has no memory, whatever the form said
    assert versions(db, season) == [FIRST, (2, "proportional/largest_remainder@1", "none", None)]
    assert "In proportion to the wishes" in visitor.get("/season").text
    answer = admin.fill(path, {"rule": "cea/standing@1", "memory": "season", "credit_cap": "1"})
    assert versions(db, season)[2:] == [(3, "cea/standing@1", "season", 1)]


def test_once_a_pool_has_opened_the_rule_stands(db, client_as, season):
    pool = a_pool_with_gin(db, season)
    pools.open_pool(db, pool, by=0, at=now())
    with pytest.raises(RuleBroken) as refused:
        terms.choose_rule(db, season, rule="lottery", memory="none", by=0, key="late")
    assert refused.value.code == "rule_fixed"
    assert versions(db, season) == [FIRST]
    page = client_as("admin").get(f"/seasons/{season}/rule").text
    assert "this rule stands to the end of the season" in page
    assert "Share out by this rule" not in page


def test_a_standing_that_an_offering_relies_on_is_not_given_up(db, season):
    a_pool_with_gin(db, season, rule="cea/standing@1")
    with pytest.raises(RuleBroken) as refused:
        terms.choose_rule(db, season, rule="lottery", memory="none", by=0, key="give-up")
    assert refused.value.code == "no_memory"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"rule": "cea/wishful", "memory": "none"}, "unknown_rule"),
        ({"rule": "cea/standing", "memory": "rounding", "credit_cap": 2}, "credit_cap_not_allowed"),
        ({"rule": "cea/standing", "memory": "everything"}, "unknown_memory"),
    ],
)
def test_what_is_no_rule_is_refused_by_code(db, season, said, code):
    with pytest.raises(RuleBroken) as refused:
        terms.choose_rule(db, season, **said, by=0, key=code)
    assert refused.value.code == code
    assert versions(db, season) == [FIRST]


def test_a_season_is_planned_with_its_rule(db, client_as):
    typed = {"name": "Spring", "starts": "2027-03-01", "ends": "2027-05-31", "rule": "cea/webster@1"}
    assert client_as("admin").fill("/seasons/new", typed).status_code == 303
    with db() as session:
        season = session.scalar(text("SELECT id FROM season WHERE name = 'Spring'"))
    assert versions(db, season) == [(1, "cea/webster@1", "none", None)]


def test_members_read_the_rule_of_a_pool_and_the_own_rule_of_a_batch_while_they_order(db, client_as, season):
    pool = a_pool_with_gin(db, season, rule="lottery@1")
    pools.open_pool(db, pool, by=0, at=now())
    page = client_as("member").get(f"/pools/{pool}").text
    assert "shared out to the same level by weight, and whom rounding left short comes first the next time" in page
    assert "if short, shared out by a draw, with as many tickets as share points" in page
