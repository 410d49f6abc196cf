"""The public page of what the town's money did: told, withheld, and not yet; and its publication by an admin."""

from datetime import timedelta

import pytest

from coop.clock import now
from coop.core import impact
from coop.impact import service
from coop.impact.models import Snapshot
from coop.impact.queries import Measured
from tests.builders import a_season

NINE = {maker: 10_000 + 500 * maker for maker in range(1, 10)}
FOUR = dict.fromkeys(range(1, 5), 10000)


@pytest.fixture
def season(db):
    today = now().date()
    with db.begin() as session:
        return a_season(session, starts=today - timedelta(days=30), ends=today + timedelta(days=60))


def show(db, season, by_maker):
    """Publish figures of a season in which each maker earned and was paid so much for two pools."""
    first = {maker: minor // 2 for maker, minor in by_maker.items()}
    second = {maker: minor - first[maker] for maker, minor in by_maker.items()}
    prices = sum(by_maker.values()) * 10 // 9
    found = Measured(by_maker, {"First": first, "Second": second}, by_maker, prices, 0, 90, 100, 12, 20, 40, {9: 30}, 40, len(by_maker), 40)  # fmt: skip
    snapshot = Snapshot(season_id=season, taken_at=now())
    service._write(snapshot, service._figures(found, ten=1000, as_of=now().date()), found, None)
    with db.begin() as session:
        session.add(snapshot)


def test_before_anything_is_published_the_page_says_what_it_will_show(visitor):
    page = visitor.get("/impact")
    assert page.status_code == 200
    assert "Nothing is published yet" in page.text


def test_figures_of_nine_makers_are_told_with_their_parts_and_pools(db, season, visitor):
    show(db, season, NINE)
    text = visitor.get("/impact").text
    assert "€1,125.00 reached the makers" in text
    assert "€9.00" in text
    assert "€1.00" in text
    assert "Paid to makers, by pool" in text
    assert impact.WITHHELD not in text


def test_with_four_makers_the_money_is_withheld_and_the_rest_is_told(db, season, visitor):
    show(db, season, FOUR)
    text = visitor.get("/impact").text
    assert "€400.00" not in text
    assert impact.WITHHELD in text
    assert "4 makers, 40 households, one season" in text
    assert "90%" in text
    assert "Paid to makers, by pool" not in text


def test_only_an_admin_publishes(db, season, client_as):
    admin = client_as("admin")
    assert "Publish the figures of today" in admin.get("/impact").text
    assert "Publish the figures of today" not in client_as("treasurer").get("/impact").text


def test_publishing_makes_a_snapshot_that_anyone_can_read(season, client_as, visitor):
    admin = client_as("admin")
    answer = admin.fill("/impact", action=f"/seasons/{season}/snapshots")
    assert (answer.status_code, answer.location) == (303, "/impact")
    assert "not yet" in visitor.get("/impact").text
    assert client_as("packer").press(f"/seasons/{season}/snapshots").status_code == 403


def test_a_snapshot_that_is_not_there_is_a_404(visitor):
    assert visitor.get("/impact/999").status_code == 404
