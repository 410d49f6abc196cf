"""What is published of a season equals the books, and shows no single maker."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop.clock import now
from coop.core.errors import NotFound
from coop.db import connect
from coop.impact import queries
from coop.impact.models import Snapshot
from coop.impact.service import publish_snapshot
from coop.seasons.models import Season
from tests.builders import NOW, a_season


@pytest.fixture
def shown(riverside):
    """Sessions on the demo co-op, which has published its figures once."""
    db = connect(riverside.app_url)
    yield db
    db.kw["bind"].dispose()


def figures(db):
    with db() as session:
        return {one["name"]: one for one in session.scalars(select(Snapshot)).first().figures}


def asked(db, query):
    with db() as session:
        return session.scalar(text(query))


def test_paid_to_makers_is_what_left_the_bank(shown):
    confirmed = asked(
        shown,
        "SELECT -sum(p.amount) FROM posting p JOIN account a ON a.id = p.account_id AND a.code = 1000"
        " JOIN entry e ON e.id = p.entry_id AND e.kind = 'payout_settled'",
    )
    assert figures(shown)["paid_to_makers"]["value"] == confirmed > 0


def test_the_makers_part_is_their_earnings_over_the_prices_of_what_was_handed_over(shown):
    nets, prices = (
        asked(shown, f"SELECT sum({what}) FROM hand_over_line h JOIN order_line l ON l.id = h.line_id")
        for what in ("h.net_minor", "h.pieces * l.unit_minor")
    )
    part = figures(shown)["makers_part_of_ten"]
    assert part["value"] == (2 * 1000 * nets + prices) // (2 * prices)
    assert part["coverage"] == "9 of 9 makers"


def test_fill_and_service_count_wishes_of_the_published_pool_alone(shown):
    lines = "FROM award a JOIN order_line l ON l.id = a.line_id"
    awarded = asked(shown, f"SELECT sum(least(a.pieces, l.wish)) {lines}")
    wished = asked(shown, f"SELECT sum(l.wish) {lines}")
    assert figures(shown)["fill_rate"]["value"] == (2 * 10_000 * awarded + wished) // (2 * wished)
    assert figures(shown)["fill_rate"]["coverage"] == "10 batches"


def test_makers_are_paid_nine_days_after_the_pickup(shown):
    """The demo's pickup is 33 days back, and its bank confirms 24 days back."""
    assert figures(shown)["pay_speed"]["value"] == 9


def test_heads_are_counted_once(shown):
    assert figures(shown)["makers"]["value"] == 9
    assert figures(shown)["members"]["value"] == 40


def test_parts_of_each_ten_add_up_to_ten(shown):
    with shown() as session:
        page = queries.impact_page(session, None, at=now())
    assert sum(part.size for part in page.of_ten) == 1000


def test_publishing_again_changes_no_earlier_row(shown):
    before = figures(shown)
    with shown() as session:
        season_id = session.scalar(select(Season.id))
    again = publish_snapshot(shown, season_id, by=1, at=now() + timedelta(hours=1), key="again")
    assert publish_snapshot(shown, season_id, by=1, at=now() + timedelta(hours=1), key="again") == again
    assert figures(shown) == before
    with shown() as session:
        page = queries.impact_page(session, again, at=now())
        assert page.figure("paid_to_makers").value == before["paid_to_makers"]["value"]
        assert len(page.earlier) == 1


def test_a_sum_whose_change_would_show_one_maker_stays_as_it_was(shown):
    """Since the demo's snapshot one more maker's pay is made up to have been confirmed: the difference would be its pay."""
    with shown() as session:
        was = session.scalars(select(Snapshot).order_by(Snapshot.id)).first()
        found = queries.measured(session, was.season_id)
    one = min(found.paid)
    later = found._replace(paid=found.paid | {one: found.paid[one] + 5_000})
    fresh = written(later, was)
    assert fresh.figures[0]["value"] == was.figures[0]["value"]
    assert fresh.figures[0]["as_of"] == was.figures[0]["as_of"]
    assert fresh.behind["paid_to_makers"] == was.behind["paid_to_makers"]


def test_a_sum_that_all_makers_add_to_moves_on(shown):
    with shown() as session:
        was = session.scalars(select(Snapshot).order_by(Snapshot.id)).first()
        found = queries.measured(session, was.season_id)
    more = {maker: minor + 5_000 for maker, minor in found.paid.items()}
    assert written(found._replace(paid=more), was).figures[0]["value"] == sum(more.values())


def test_four_makers_are_too_few_to_tell_a_sum_of(shown):
    with shown() as session:
        found = queries.measured(session, session.scalar(select(Season.id)))
    few = found._replace(paid={1: 5_000, 2: 5_000, 3: 5_000, 4: 5_000}, paid_by_pool={})
    fresh = written(few, None)
    assert fresh.figures[0]["value"] is None
    assert "single maker" in fresh.figures[0]["withheld"]
    assert "paid_to_makers" not in fresh.behind
    assert fresh.by_pool == []


def test_a_pool_that_would_show_a_maker_hides_all_pools(shown):
    with shown() as session:
        found = queries.measured(session, session.scalar(select(Season.id)))
    one = min(found.paid)
    split = {"first": found.paid | {one: found.paid[one] - 100}, "second": {one: 100}}
    assert written(found._replace(paid_by_pool=split), None).by_pool == []


def test_the_app_cannot_change_what_was_published(shown):
    from sqlalchemy.exc import ProgrammingError

    with pytest.raises(ProgrammingError, match="permission denied"), shown.begin() as session:
        session.execute(text("UPDATE snapshot SET figures = '[]'"))


def test_a_season_without_pools_says_not_yet(db):
    with db.begin() as session:
        season_id = a_season(session)
    publish_snapshot(db, season_id, by=0, at=NOW)
    with db() as session:
        page = queries.impact_page(session, None, at=NOW)
    assert page.figure("fill_rate").value is None
    assert page.figure("makers").value == 0


def test_nothing_is_published_of_a_season_that_is_not_there(db):
    with pytest.raises(NotFound):
        publish_snapshot(db, 999, by=0, at=NOW)


def written(found, before):
    from coop.impact import service

    fresh = Snapshot(season_id=1, taken_at=NOW)
    service._write(fresh, service._figures(found, ten=1000, as_of=NOW.date() + timedelta(days=7)), found, before)
    return fresh
