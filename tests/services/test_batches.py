"""Batches are planned, reported and released; each refusal stands on both sides of its bound."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from coop.audit.models import AuditRecord
from coop.batches import service as batches
from coop.batches.models import Batch, Release, YieldReport
from coop.core.errors import NotFound, RuleBroken
from tests.builders import NOW, a_batch, a_household, a_pool, a_product, a_season, an_artisan, an_offering

MIA = 7


@pytest.fixture
def jam(db):
    with db.begin() as session:
        return a_batch(session, a_product(session, an_artisan(session)), planned=110)


def report(db, batch_id, pieces, *, key="k1", **more):
    return batches.report_yield(db, batch_id, pieces=pieces, by=MIA, at=NOW, key=key, **more)


def test_the_latest_report_counts_and_a_correction_says_why(db, jam):
    report(db, jam, 104, broken=6, made_on=date(2026, 11, 21), best_before=date(2027, 11, 30))
    report(db, jam, 98, key="k2", reason="six more jars had not set")
    with db() as session:
        assert batches.latest_yields(session, [jam]) == {jam: 98}
        rows = session.execute(select(YieldReport.n, YieldReport.pieces, YieldReport.broken).order_by(YieldReport.n))
        assert [tuple(row) for row in rows] == [(1, 104, 6), (2, 98, 0)]
        acts = session.scalars(select(AuditRecord.act).where(AuditRecord.subject_kind == "batch")).all()
        assert acts == ["report_yield", "report_yield"]


def test_a_form_sent_twice_is_one_report(db, jam):
    assert report(db, jam, 104) == report(db, jam, 104)
    with db() as session:
        assert session.scalars(select(YieldReport.n)).all() == [1]


def test_a_key_is_not_good_for_another_number(db, jam):
    report(db, jam, 104)
    assert refusal(db, jam, 105) == ("key_reused", "")


def refusal(db, batch_id, pieces, **more):
    with pytest.raises(RuleBroken) as refused:
        report(db, batch_id, pieces, **more)
    return refused.value.code, refused.value.field


@pytest.mark.parametrize(
    ("pieces", "more", "said"),
    [
        (-1, {}, ("out_of_range", "pieces")),
        (1_000_001, {}, ("out_of_range", "pieces")),
        (104, {"broken": -1}, ("out_of_range", "broken")),
        (104, {"made_on": date(2026, 11, 25)}, ("future_date", "made_on")),
        (104, {"made_on": date(2026, 11, 21), "best_before": date(2026, 11, 20)}, ("best_before_made", "best_before")),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(db, jam, pieces, more, said):
    assert refusal(db, jam, pieces, **more) == said
    with db() as session:
        assert session.scalars(select(YieldReport.id)).all() == []


@pytest.mark.parametrize(
    ("pieces", "more"),
    [
        (0, {}),
        (1_000_000, {}),
        (104, {"broken": 0}),
        (104, {"made_on": date(2026, 11, 24)}),
        (104, {"made_on": date(2026, 11, 21), "best_before": date(2026, 11, 21)}),
    ],
)
def test_what_just_can_be_is_kept(db, jam, pieces, more):
    report(db, jam, pieces, **more)
    with db() as session:
        assert batches.latest_yields(session, [jam]) == {jam: pieces}


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_a_correction_without_a_reason_is_refused(db, jam, reason):
    report(db, jam, 104)
    assert refusal(db, jam, 98, key="k2", reason=reason) == ("reason_missing", "reason")


def test_a_corrected_yield_never_takes_back_a_piece_handed_over(db):
    with db.begin() as session:
        household, pool = a_household(session), a_pool(session, a_season(session))
        offering = an_offering(session, pool)
        batch = session.scalar(text("SELECT batch_id FROM offering"))
        # hand-overs stand higher on the stair; their rows are enough here
        for statement in (
            f"INSERT INTO household_order (id, pool_id, household_id, placed_at) OVERRIDING SYSTEM VALUE VALUES (1, {pool}, {household}, now())",
            f"INSERT INTO order_line (id, order_id, offering_id, wish, up_to, unit_minor) OVERRIDING SYSTEM VALUE VALUES (1, 1, {offering}, 3, 3, 520)",
            "INSERT INTO hand_over (id, order_id, handed_at, handed_by) OVERRIDING SYSTEM VALUE VALUES (1, 1, now(), 0)",
            "INSERT INTO hand_over_line (hand_over_id, line_id, pieces, fee_minor, tax_minor, net_minor) VALUES (1, 1, 3, 156, 0, 1404)",
        ):
            session.execute(text(statement))
    report(db, batch, 104)
    with pytest.raises(RuleBroken, match="3 pieces of this batch are handed over") as refused:
        report(db, batch, 2, key="k2", reason="miscounted")
    assert (refused.value.code, refused.value.field) == ("below_delivered", "pieces")
    report(db, batch, 3, key="k3", reason="miscounted")


def test_a_release_takes_the_latest_report_and_a_new_version_only_when_it_changes(db, jam):
    with db.begin() as session:
        unreported = a_batch(session, a_product(session, an_artisan(session, "Kiln Street")))
    report(db, jam, 104)
    later = NOW + timedelta(hours=1)
    with db.begin() as session:
        assert batches.release_latest(session, [jam, unreported], by=1, at=NOW) == (2, 1)
    with db.begin() as session:
        assert batches.release_latest(session, [jam, unreported], by=1, at=later) == (0, 1)
        assert batches.release(session, jam, 100, by=1, at=later) == 2
    with db() as session:
        rows = session.execute(
            select(Release.batch_id, Release.version, Release.pieces).order_by(Release.batch_id, Release.version)
        )
        assert sorted(map(tuple, rows)) == [(jam, 1, 104), (jam, 2, 100), (unreported, 1, 0)]


def test_a_lot_number_names_one_batch(db, jam):
    with db.begin() as session:
        product = a_product(session, an_artisan(session, "Kiln Street"), "Salt-glaze cup")
    batches.schedule_batch(db, product, lot_number="K-4", planned=36, by=1, key="a")
    with pytest.raises(RuleBroken) as refused:
        batches.schedule_batch(db, product, lot_number="K-4", planned=36, by=1, key="b")
    assert (refused.value.code, refused.value.field) == ("lot_taken", "lot_number")


def test_a_workshop_plans_only_what_it_makes_itself(db):
    with db.begin() as session:
        own, other = an_artisan(session, "Kiln Street"), an_artisan(session, "Orchard Lane")
        product = a_product(session, own)
    with pytest.raises(NotFound):
        batches.schedule_batch(db, product, lot_number="K-5", planned=1, by=1, key="a", artisan_id=other)
    batches.schedule_batch(db, product, lot_number="K-5", planned=1, by=1, key="b", artisan_id=own)


def test_a_maker_may_say_what_to_expect_if_it_goes_badly_but_no_more_than_planned(db):
    with db.begin() as session:
        product = a_product(session, an_artisan(session, "Kiln Street"), "Salt-glaze cup")
    made = batches.schedule_batch(db, product, lot_number="K-8", planned=36, pessimistic=30, by=1, key="a")
    with db() as session:
        assert session.get_one(Batch, made).pessimistic == 30
    with pytest.raises(RuleBroken) as refused:
        batches.schedule_batch(db, product, lot_number="K-9", planned=36, pessimistic=37, by=1, key="b")
    assert (refused.value.code, refused.value.field) == ("pessimistic_above_planned", "pessimistic")
