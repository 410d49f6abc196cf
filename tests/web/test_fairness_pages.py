"""The report for the members' assembly: an admin has it worked out, members read it without names, outsiders not at all."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from coop import jobs
from coop.core.errors import RuleBroken
from coop.fairness import service as fairness
from tests.builders import (
    FIELD_KEY,
    NOW,
    a_household,
    a_pool,
    a_product,
    a_season,
    an_artisan,
    an_offering,
    give_credit,
)
from tests.rounds import publish, work_off
from tests.web.test_sharing_pages import words

NAMES = ("Nora", "Tomas", "Mia", "Lea", "Jonas", "Ida")


@pytest.fixture
def season(db):
    """Six households of one weight: a pool of 4 jars for 6 wished, and one of 9 jars for 6 wished."""
    with db.begin() as session:
        season = a_season(session)
        orchard = an_artisan(session, "Orchard Lane Preserves", craft="jams")
        households = [a_household(session, name) for name in NAMES]
        for household in households:
            give_credit(session, household, 50_000)
        first, second = a_pool(session, season, "September"), a_pool(session, season, "October")
        jam, quince = (an_offering(session, pool, a_product(session, orchard, name)) for pool, name in ((first, "Jam"), (second, "Quince")))  # fmt: skip
    publish(db, first, {one: {jam: 1} for one in households}, {jam: 4})
    publish(db, second, {one: {quince: 1} for one in households}, {quince: 9})
    return season


def work_out(db, season):
    report = fairness.request_report(db, season, by=0, at=NOW)
    work_off(db, jobs.COMPUTE_FAIRNESS, report, lambda d, lease: fairness.carry_out(d, lease, at=NOW, field_key=FIELD_KEY))  # fmt: skip
    return report


def test_an_admin_asks_for_the_report_and_reads_it_by_name(db, client_as, season):
    admin = client_as("admin")
    assert "No report yet" in admin.get(f"/seasons/{season}/fairness").text
    assert admin.press(f"/seasons/{season}/fairness").status_code == 303
    assert "Waiting for a worker" in admin.get(f"/seasons/{season}/fairness").text
    assert "Waiting for a worker" in admin.get(f"/seasons/{season}/fairness/status").text
    work_out(db, season)
    assert "The report is ready." in admin.get(f"/seasons/{season}/fairness/status").text
    page = words(admin.get(f"/seasons/{season}/fairness").text)
    # 4 + 6 of 12 wished; four households got both, two got one of two and nothing of the short batch.
    assert "83.3 % 10 of 12 pieces" in page
    assert "Fully served 4 of 6 members" in page
    assert "Jain index 0.9259" in page  # (4 x 1 + 2 x 1/2)^2 / (6 x (4 + 2/4))
    assert sum(name in page for name in NAMES) == 2
    assert page.count("50.0 %") >= 2
    assert "Level filling with standing as it was" in page
    for other in ("In proportion to the wishes", "First come, first served", "Level filling, each batch by itself"):
        assert other.lower() in page.lower()
    assert "September 6 4 66.7 %" in page
    assert "October 6 6 100.0 %" in page
    assert "jams 12 10 83.3 %" in page


def test_members_read_it_without_names_and_without_a_craft_of_one_maker(db, client_as, season):
    work_out(db, season)
    member = client_as("member")
    page = words(member.get(f"/seasons/{season}/fairness").text)
    assert "83.3 % 10 of 12 pieces" in page
    assert not any(name in page for name in NAMES)
    assert "under 11 1" in page  # two members had a row of one short batch with nothing
    assert "jams 12" not in page
    assert "Crafts of fewer than five makers are left out" in page
    assert "PDF with names" not in page
    assert "Work it out anew" not in page


def test_a_report_of_fewer_than_five_members_is_for_admins_alone(db, client_as, season):
    work_out(db, season)
    with db.begin() as session:
        session.execute(text("UPDATE fairness_report SET figures = jsonb_set(figures, '{rules,0,members}', '4')"))
    member = client_as("member")
    page = member.get(f"/seasons/{season}/fairness").text
    assert "Too few members to tell" in page
    assert "83.3" not in page
    assert member.get(f"/seasons/{season}/fairness.pdf").status_code == 404
    assert "83.3 %" in client_as("admin").get(f"/seasons/{season}/fairness").text


def test_the_report_is_a_pdf_too_with_names_for_admins_alone(db, client_as, season):
    work_out(db, season)
    member, admin = client_as("member"), client_as("admin")
    told = member.get(f"/seasons/{season}/fairness.pdf")
    assert (told.status_code, told.mimetype) == (200, "application/pdf")
    assert told.data.startswith(b"%PDF-")
    assert told.headers["Content-Disposition"] == f'inline; filename="fairness-{season}-1.pdf"'
    assert member.get(f"/seasons/{season}/fairness-by-name.pdf").status_code == 403
    assert admin.get(f"/seasons/{season}/fairness-by-name.pdf").data.startswith(b"%PDF-")


def test_a_bound_that_is_no_longer_promised_says_so_on_the_page_and_in_the_pdf(db, client_as, season):
    work_out(db, season)
    member, paper = client_as("member"), f"/seasons/{season}/fairness.pdf"
    promised = member.get(paper).data
    assert "(not promised)" not in member.get(f"/seasons/{season}/fairness").text
    with db.begin() as session:
        session.execute(
            text("UPDATE fairness_report SET figures = jsonb_set(figures, '{reach,0,is_promised}', 'false')")
        )
    page = member.get(f"/seasons/{season}/fairness").text
    assert "(not promised)" in page
    assert "an award was changed by hand, or a batch went by a rule of its own" in page
    assert member.get(paper).data != promised  # the same values would be the same bytes


def test_every_column_of_the_histogram_says_how_many_members_it_stands_for(db, client_as, season):
    work_out(db, season)
    page = client_as("member").get(f"/seasons/{season}/fairness").text
    numbers = re.findall(r"<text[^>]*>(\d+)</text>", page)
    assert numbers == ["2", "4"]  # two members got one of two, four got all; the empty columns stay silent


def test_outsiders_and_other_roles_see_nothing_of_it(db, client_as, visitor, season):
    work_out(db, season)
    for path in ("fairness", "fairness.pdf", "fairness-by-name.pdf", "fairness/status"):
        assert visitor.get(f"/seasons/{season}/{path}").location.startswith("/sign-in"), path
        assert client_as("packer").get(f"/seasons/{season}/{path}").status_code == 403, path
    assert client_as("member").press(f"/seasons/{season}/fairness").status_code == 403
    assert client_as("admin").get("/seasons/999999/fairness").status_code == 404


def test_there_is_nothing_to_report_before_a_pool_was_published(db, client_as):
    with db.begin() as session:
        season = a_season(session, "Winter")
    with pytest.raises(RuleBroken, match=r"nothing_published: No pool of this season"):
        fairness.request_report(db, season, by=0, at=NOW)
    refused = client_as("admin").press(f"/seasons/{season}/fairness")
    assert refused.status_code == 422
    assert "No pool of this season has been shared out" in refused.text


def test_there_is_nothing_to_report_where_nobody_wished(db):
    with db.begin() as session:
        season = a_season(session, "Spring")
        pool = a_pool(session, season, "March")
        jam = an_offering(session, pool, a_product(session, an_artisan(session), "Jam"))
    publish(db, pool, {}, {jam: 4})
    report = fairness.request_report(db, season, by=0, at=NOW)
    with pytest.raises(RuleBroken) as refused:
        work_off(db, jobs.COMPUTE_FAIRNESS, report, lambda d, lease: fairness.carry_out(d, lease, at=NOW, field_key=FIELD_KEY))  # fmt: skip
    assert refused.value.code == "nothing_wished"


def test_asking_twice_is_asking_once_and_each_report_is_a_version(db, season):
    first = fairness.request_report(db, season, by=0, at=NOW)
    assert fairness.request_report(db, season, by=0, at=NOW) == first
    fairness_states = "SELECT version, state FROM fairness_report ORDER BY version"
    work_off(db, jobs.COMPUTE_FAIRNESS, first, lambda d, lease: fairness.carry_out(d, lease, at=NOW, field_key=FIELD_KEY))  # fmt: skip
    second = fairness.request_report(db, season, by=0, at=NOW)
    with db.begin() as session:
        fairness.fail(session, second, "Its worker vanished.")
    with db() as session:
        assert session.execute(text(fairness_states)).all() == [(1, "ready"), (2, "failed")]


def test_a_report_that_failed_says_why_and_leaves_the_one_before(db, client_as, season):
    work_out(db, season)
    failed = fairness.request_report(db, season, by=0, at=NOW)
    with db.begin() as session:
        fairness.fail(session, failed, "Its worker vanished.")
    page = client_as("admin").get(f"/seasons/{season}/fairness").text
    assert "Its worker vanished." in page
    assert re.search(r"Version\s+1", page)


def test_the_page_costs_few_queries(db, client_as, season, queries_of):
    work_out(db, season)
    admin = client_as("admin")
    assert queries_of(lambda: admin.get(f"/seasons/{season}/fairness")) <= 12
