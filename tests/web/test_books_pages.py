"""Those who keep the books see whether they hold, what stopped, and every posting."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select, text

from coop import jobs
from coop.audit.models import AuditRecord
from coop.books import service as books
from coop.books.models import INVARIANTS
from coop.core.errors import RuleBroken
from coop.health import service as health
from coop.web.words import STATES
from tests.builders import a_household, give_credit

MOST_QUERIES = 12


@pytest.fixture
def tess(client_as):
    return client_as("treasurer")


@pytest.fixture
def queries_of(_shared_engine):
    """Count what a page asks of the database, but for savepoints and settings of the session."""
    asked = []

    def note(connection, cursor, statement, *rest):
        if statement.startswith(("SELECT", "\nSELECT", "WITH")):
            asked.append(statement)

    def count(browser, path):
        asked.clear()
        assert browser.get(path).status_code == 200
        return len(asked)

    event.listen(_shared_engine, "before_cursor_execute", note)
    yield count
    event.remove(_shared_engine, "before_cursor_execute", note)


def a_dead_job(db, job=jobs.DELIVER_NOTICE, row=12, why="mail_server_away: the mail server did not take it"):
    with db.begin() as session:
        job_id = jobs.request(session, job, row)
        dead = "UPDATE outbox SET dead_at = now(), attempts = 10, last_error = :why WHERE id = :id"
        session.execute(text(dead), {"id": job_id, "why": why})
    return job_id


def acts(db, act):
    with db() as session:
        return [row.detail for row in session.scalars(select(AuditRecord).where(AuditRecord.act == act))]


def test_before_the_first_check_the_page_says_so(tess):
    page = tess.get("/books/health").text
    assert "not checked yet" in page
    assert "never yet" in page


def test_a_clean_check_is_shown_with_every_rule(tess, db):
    books.run_checks(db)
    page = tess.get("/books/health").text
    assert "all rules hold" in page
    assert page.count(">holds<") == len(INVARIANTS)


def test_a_broken_rule_is_shown_with_its_rows_until_a_check_finds_it_mended(tess, db):
    books.run_checks(db)
    job = a_dead_job(db)
    books.run_checks(db)
    page = tess.get("/books/health").text
    assert "needs attention" in page
    assert "1 broken" in page
    assert f"job id {job}" in page
    assert "job notices.deliver" in page
    assert "never yet" not in page


def test_the_books_are_checked_on_request_once_a_click(tess, db):
    assert tess.fill("/books/health", action="/books/checks").status_code == 303
    with db() as session:
        assert session.scalars(text("SELECT job FROM outbox WHERE done_at IS NULL")).all() == [jobs.CHECK_BOOKS]
    assert "Being checked" in tess.get("/books/health").text


def test_a_job_that_stopped_is_tried_again_and_who_did_it_is_kept(tess, db):
    job = a_dead_job(db)
    assert tess.fill("/books/health", action=f"/books/jobs/{job}/retry").status_code == 303
    with db() as session:
        assert tuple(jobs.state_of(session, jobs.DELIVER_NOTICE, 12))[:1] == (0,)
        assert jobs.state_of(session, jobs.DELIVER_NOTICE, 12).dead_at is None
    assert [detail["row"] for detail in acts(db, "try_job_again")] == [12]
    assert tess.press(f"/books/jobs/{job}/retry").status_code == 404


def test_a_job_of_a_failed_run_is_not_tried_again_behind_its_run(tess, db):
    job = a_dead_job(db, jobs.COMPUTE_ALLOCATION, 3)
    assert f"/books/jobs/{job}/retry" not in tess.get("/books/health").text
    assert tess.press(f"/books/jobs/{job}/retry").status_code == 422
    with pytest.raises(RuleBroken) as refused:
        health.try_again(db, job, by=1)
    assert refused.value.code == "ask_anew"
    assert "Ask for it anew on its own page" in tess.get(f"/books/jobs/{job}").text


def test_a_job_is_put_aside_with_a_reason_only(tess, db):
    job = a_dead_job(db)
    path = f"/books/jobs/{job}"
    assert tess.fill(path, {"reason": " "}, action="").status_code == 422
    assert tess.fill(path, {"reason": "she has left the co-op"}, action="").status_code == 303
    assert [detail["reason"] for detail in acts(db, "put_job_aside")] == ["she has left the co-op"]
    assert "No job has stopped." in tess.get("/books/health").text
    assert tess.get(path).status_code == 404


def test_every_job_has_words():
    named = {value for name, value in vars(jobs).items() if name.isupper() and isinstance(value, str) and "." in value}
    assert named - {jobs.SWEEP} == STATES["job"].keys()


def test_the_trial_balance_leads_to_every_posting(tess, db):
    with db.begin() as session:
        ana = a_household(session, "Ana Mill", credit_minor=12_345)
        give_credit(session, ana, 55)
        account = session.scalar(
            text("SELECT id FROM account WHERE code = 2000 AND party = :p"), {"p": f"household:{ana}"}
        )
    trial = tess.get("/books/trial-balance").text
    assert "both sides agree" in trial
    assert trial.count("€124.00") == 4  # bank and credit, and the sum of either side
    chart = tess.get("/books/chart/2000", query_string={"q": "mill"}).text
    assert f"/books/accounts/{account}" in chart
    page = tess.get(f"/books/accounts/{account}").text
    assert "Ana Mill" in page
    assert page.index("-€124.00") < page.index("-€123.45")


def test_postings_come_fifty_at_a_time(tess, db):
    with db.begin() as session:
        ana = a_household(session, "Ana")
        for minor in range(1, 53):
            give_credit(session, ana, minor)
        account = session.scalar(text("SELECT id FROM account WHERE code = 2000"))
    first = tess.get(f"/books/accounts/{account}").text
    second = tess.get(f"/books/accounts/{account}?page=2").text
    assert [page.count('<th scope="row">') for page in (first, second)] == [50, 2]
    assert "€0.02" in second
    assert tess.get("/books/accounts/999999").status_code == 404
    assert tess.get("/books/chart/1234").status_code == 404


def test_the_pages_ask_little_of_the_database(tess, db, queries_of):
    with db.begin() as session:
        a_household(session, "Ana", credit_minor=500)
        account = session.scalar(text("SELECT id FROM account WHERE code = 2000"))
    books.run_checks(db)
    a_dead_job(db)
    paths = ["/books/health", "/books/trial-balance", "/books/chart/2000", f"/books/accounts/{account}"]
    assert {path: count for path in paths if (count := queries_of(tess, path)) > MOST_QUERIES} == {}
