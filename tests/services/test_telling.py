"""A statement is laid out on paper once, whatever happens after, and makers ask about theirs."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop import jobs
from coop.core.errors import RuleBroken
from coop.formats.letters import House
from coop.payouts.models import Statement
from coop.telling import queries
from coop.telling import service as telling
from coop.telling.models import StatementPaper
from tests.builders import a_person, a_role
from tests.rounds import PICKUP, compute_payouts, fetch, work_off
from tests.services.test_bank import bring_in
from tests.services.test_payouts import Coop, approve, make_file, sent

HERE = House(name="Riverside", base_url="http://localhost", currency="EUR", locale="en_IE", zone="Europe/Dublin")


@pytest.fixture
def coop(db):
    return Coop(db)


def write(db, run_id, *, at=PICKUP):
    work_off(db, jobs.WRITE_STATEMENTS, run_id, lambda d, lease: telling.write_papers(d, lease, at=at))


def papers(db):
    with db() as session:
        return [(one.statement_id, one.content, one.sha256) for one in session.scalars(select(StatementPaper))]


def statement_of(db, run_id):
    with db() as session:
        return session.scalar(select(Statement.id).where(Statement.run_id == run_id))


def test_a_paper_is_made_once_the_file_is_and_is_tagged_for_screen_readers(db, coop):
    fetch(db, coop.anas_mugs, 3)
    run = compute_payouts(db, by=coop.jun)
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox WHERE job = 'payouts.papers'")) == 0
    approve(db, run, coop.petra)
    make_file(db, run)
    write(db, run)
    ((statement_id, content, sha256),) = papers(db)
    assert (statement_id, hashlib.sha256(content).hexdigest()) == (statement_of(db, run), sha256)
    assert content.startswith(b"%PDF-")
    assert re.search(rb"<pdfuaid:part>1</pdfuaid:part>", content)
    assert re.search(rb"/MarkInfo\s*<<\s*/Marked true", content)
    assert b"/Lang(en)" in content
    assert b"Statement 2026-1" in content  # the title, in the metadata


def test_asking_once_more_lays_nothing_out_anew(db, coop):
    fetch(db, coop.anas_mugs, 3)
    run = sent(db, coop)
    write(db, run)
    before = papers(db)
    with db.begin() as session:
        session.execute(text("UPDATE artisan SET name = name || ' & Sons'"))
        jobs.request(session, jobs.WRITE_STATEMENTS, run, dedup="again")
    write(db, run, at=PICKUP + timedelta(days=1))
    assert papers(db) == before


def test_a_changed_paper_is_not_given_out(db, coop):
    fetch(db, coop.anas_mugs, 3)
    run = sent(db, coop)
    write(db, run)
    with db.begin() as session:
        session.execute(text("UPDATE statement_paper SET content = content || ' '"))
    with db() as session, pytest.raises(RuleBroken) as refused:
        telling.stored_paper(session, statement_of(db, run))
    assert refused.value.code == "file_changed"


def test_the_paper_tells_lots_fee_and_what_came_back(db, coop):
    fetch(db, coop.anas_mugs, 2)
    first = sent(db, coop)
    with db() as session:
        end_to_end = session.scalar(text("SELECT end_to_end_id FROM payment"))
    bring_in(db, ("B1", -4500, end_to_end, ""), ("B2", 4500, end_to_end, "AC04"))
    fetch(db, coop.anas_mugs, 1, key="later")
    second = sent(db, coop)
    with db() as session:
        _, one = queries.paper_values(session, statement_of(db, first), HERE)
        title, two = queries.paper_values(session, statement_of(db, second), HERE)
    ((lot, *figures),) = one["rows"]
    assert lot.startswith("Mug, lot ")
    assert figures == ["1", "2", "€50.00", "€5.00", "€45.00"]
    assert one["bill"] == [["Sold", "€50.00"], ["Co-op fee", "-€5.00"]]
    assert (title, two["payable"]) == ("Statement 2026-2", "€67.50")
    assert two["others"] == [["A payment that came back", "1 December 2026", "€45.00"]]
    assert two["bill"] == [["Sold", "€25.00"], ["Co-op fee", "-€2.50"], ["Payments that came back", "€45.00"]]


def test_what_waited_for_this_payout_is_named_as_carried_forward(db, coop):
    fetch(db, coop.anas_jam, 1)  # 4.68, under the minimum of 10.00
    fetch(db, coop.anas_mugs, 3)
    sent(db, coop)
    later = PICKUP + timedelta(days=1)
    fetch(db, coop.anas_jam, 1, key="later", at=later)
    run = compute_payouts(db, by=coop.jun, at=later, minimum_minor=900)
    with db() as session:
        page = queries.statement_page(session, statement_of(db, run), number=1)
        _, told = queries.paper_values(session, page.id, HERE)
    assert (page.payable_minor, page.carried_minor, page.carried_from) == (936, 468, PICKUP.date())
    assert told["notes"] == [
        "Carried forward: €4.68 of what you earned was handed over up to 1 December 2026 and waited for this payout."
    ]


def test_a_question_goes_to_the_treasurers_and_its_answer_to_the_makers_people(db, coop):
    with db.begin() as session:
        a_role(session, mia := a_person(session, "Mia"), "artisan", artisan_id=coop.mia)
        a_role(session, coop.petra, "treasurer")
    fetch(db, coop.anas_mugs, 3)
    statement_id = statement_of(db, sent(db, coop))
    ask = {"is_answer": False, "by": mia, "at": PICKUP, "key": "k" * 16}
    assert telling.say(db, statement_id, "Where are the mugs?", **ask) == telling.say(db, statement_id, "Where are the mugs?", **ask)  # fmt: skip
    telling.say(db, statement_id, "On the next.", is_answer=True, by=coop.petra, at=PICKUP, key="l" * 16)
    with db() as session:
        told = session.execute(text("SELECT template, person_id FROM notice WHERE template LIKE 'statement_%' ORDER BY id")).all()  # fmt: skip
        page = queries.statement_page(session, statement_id, number=1)
    assert [tuple(row) for row in told] == [("statement_question", coop.petra), ("statement_answer", mia)]
    assert [(one.words, one.is_answer, one.said_by) for one in page.messages] == [
        ("Where are the mugs?", False, "Mia"),
        ("On the next.", True, "Petra"),
    ]
