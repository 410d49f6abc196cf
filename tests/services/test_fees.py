"""What the co-op takes of a maker's sales: agreed by two people, from a day to come, and told to the maker."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from coop.agreements import service as agreements
from coop.audit.models import AuditRecord
from coop.core.errors import NotFound, RuleBroken
from coop.fees import service as fees
from coop.fees.models import ArtisanTerms, AskedTerms
from coop.policy import service as policy
from tests.builders import NOW, a_person, a_role, an_artisan
from tests.races import at_once
from tests.refusals import refused

JUN, ADA, KAY = 9001, 9002, 9003
NEXT_WEEK = NOW + timedelta(days=7)


@pytest.fixture
def kiln(db):
    with db.begin() as session:
        return an_artisan(session, "Kiln Street Pottery")


def ask(db, artisan, *, begins=NEXT_WEEK, fee_bp=1200, by=JUN, at=NOW, key="form", **more):
    return fees.ask_terms(db, artisan, effective_from=begins, fee_bp=fee_bp, by=by, at=at, key=key, **more)


def fee_on(db, artisan, day: datetime) -> int:
    """The fee that whatever is offered at that instant is made under."""
    with db() as session:
        return session.get_one(ArtisanTerms, fees.current_terms(session, artisan, day)).fee_bp


def test_terms_count_once_a_second_person_has_let_them(db, kiln):
    asked = ask(db, kiln)
    assert fee_on(db, kiln, NEXT_WEEK) == 1000
    assert refused(fees.approve_terms, db, asked, by=JUN, at=NOW)[0] == "second_person"
    assert fee_on(db, kiln, NEXT_WEEK) == 1000
    assert fees.approve_terms(db, asked, by=ADA, at=NOW) == kiln
    assert (fee_on(db, kiln, NOW), fee_on(db, kiln, NEXT_WEEK)) == (1000, 1200)
    assert fees.approve_terms(db, asked, by=ADA, at=NOW) == kiln
    assert refused(fees.approve_terms, db, asked, by=KAY, at=NOW)[0] == "not_waiting"
    assert refused(fees.withdraw_terms, db, asked, by=JUN, at=NOW)[0] == "not_waiting"
    with db() as session:
        assert len(session.scalars(select(ArtisanTerms.id)).all()) == 2


def test_nobody_of_the_workshop_lets_its_terms_count(db, kiln):
    with db.begin() as session:
        kay = a_person(session, "Kay")
        a_role(session, kay, "artisan", artisan_id=kiln)
    asked = ask(db, kiln, fee_bp=0)
    assert refused(fees.approve_terms, db, asked, by=kay, at=NOW)[0] == "second_person"
    assert fee_on(db, kiln, NEXT_WEEK) == 1000


def test_terms_taken_back_never_count_and_their_day_is_free_again(db, kiln):
    first = ask(db, kiln)
    assert fees.withdraw_terms(db, first, by=JUN, at=NOW) == kiln
    assert fees.withdraw_terms(db, first, by=ADA, at=NOW) == kiln
    assert refused(fees.approve_terms, db, first, by=ADA, at=NOW)[0] == "not_waiting"
    second = ask(db, kiln, fee_bp=900, key="anew")
    fees.withdraw_terms(db, second, by=ADA, at=NOW)
    assert fee_on(db, kiln, NEXT_WEEK) == 1000
    with pytest.raises(NotFound):
        fees.approve_terms(db, 999_999, by=ADA, at=NOW)


def test_a_form_sent_twice_asks_once(db, kiln):
    assert ask(db, kiln) == ask(db, kiln)
    assert refused(ask, db, kiln, fee_bp=900)[0] == "key_reused"
    with db() as session:
        assert len(session.scalars(select(AskedTerms.id)).all()) == 1


def test_terms_wait_side_by_side_for_different_days_alone(db, kiln):
    january, july = ask(db, kiln), ask(db, kiln, begins=NOW + timedelta(days=190), fee_bp=800, key="later")
    assert refused(ask, db, kiln, fee_bp=900, key="same day") == ("terms_wait", "effective_from")
    fees.approve_terms(db, july, by=ADA, at=NOW)
    fees.approve_terms(db, january, by=ADA, at=NOW)
    assert [fee_on(db, kiln, NOW + timedelta(days=days)) for days in (6, 7, 189, 190)] == [1000, 1200, 1200, 800]
    assert refused(ask, db, kiln, fee_bp=900, key="agreed day") == ("terms_exist", "effective_from")


def test_what_should_have_begun_while_it_waited_is_not_let_in_afterwards(db, kiln):
    asked = ask(db, kiln)
    with pytest.raises(RuleBroken, match="Take them back, and ask for them anew from a day to come") as broken:
        fees.approve_terms(db, asked, by=ADA, at=NEXT_WEEK + timedelta(seconds=1))
    assert broken.value.code == "in_the_past"
    assert fee_on(db, kiln, NOW + timedelta(days=30)) == 1000
    fees.approve_terms(db, asked, by=ADA, at=NEXT_WEEK)
    assert fee_on(db, kiln, NEXT_WEEK) == 1200


def test_terms_begin_on_a_day_to_come(db, kiln):
    assert refused(ask, db, kiln, begins=NOW - timedelta(seconds=1)) == ("in_the_past", "effective_from")


def test_nobody_agrees_with_a_workshop_that_left(db, kiln):
    asked = ask(db, kiln)
    with db.begin() as session:
        session.execute(text("UPDATE artisan SET left_at = :at WHERE id = :id"), {"at": NOW, "id": kiln})
    with pytest.raises(NotFound):
        ask(db, kiln, key="left")
    with pytest.raises(NotFound):
        fees.approve_terms(db, asked, by=ADA, at=NOW)


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"fee_bp": -1}, ("out_of_range", "fee")),
        ({"fee_bp": 5001}, ("out_of_range", "fee")),
        ({"model": "resale", "fee_bp": 1}, ("fee_of_resale", "fee")),
        ({"model": "resale", "fee_bp": 0, "fee_tax_bp": 1900}, ("fee_of_resale", "fee_tax")),
    ],
)
def test_terms_against_themselves_are_not_asked_for(db, kiln, terms, refusal):
    assert refused(ask, db, kiln, **terms) == refusal
    with db() as session:
        assert session.scalars(select(AskedTerms.id)).all() == []


@pytest.mark.parametrize("fee", [0, 5000])
def test_a_fee_at_its_bounds_is_taken(db, kiln, fee):
    fees.approve_terms(db, ask(db, kiln, fee_bp=fee), by=ADA, at=NOW)
    assert fee_on(db, kiln, NEXT_WEEK) == fee


def test_there_are_no_terms_before_the_first_and_a_welcomed_maker_has_them_at_once(db, kiln):
    with db() as session:
        assert refused(fees.current_terms, session, kiln, NOW - timedelta(days=366))[0] == "no_terms"
    told = {"craft": "gin", "town": "", "distance_km": 4, "story": "", "by": JUN, "at": NOW}
    marsh = agreements.welcome_artisan(db, "Marsh & Alder Distillery", fee_bp=1500, **told, key="a")
    assert fee_on(db, marsh, NOW) == 1500
    assert refused(agreements.welcome_artisan, db, "Heather", fee_bp=5001, **told, key="b") == ("out_of_range", "fee")


def test_a_makers_people_are_told_once_terms_count(db, kiln):
    with db.begin() as session:
        policy.settle(session, "zone", "Europe/Berlin", by=0)
        a_role(session, a_person(session, "Kay"), "artisan", artisan_id=kiln)
        a_role(session, a_person(session, "Eve"), "artisan", artisan_id=an_artisan(session, "Orchard Lane"))
    letters = "SELECT p.name, n.\"values\" FROM notice n JOIN person p ON p.id = n.person_id WHERE n.template = 'terms_agreed'"
    december = datetime.fromisoformat("2026-12-01T00:00:00+01:00")  # still November in UTC
    asked = ask(db, kiln, begins=december, fee_tax_bp=1900, price_tax_bp=700)
    withdrawn = ask(db, kiln, begins=december + timedelta(days=31), key="b")
    fees.withdraw_terms(db, withdrawn, by=JUN, at=NOW)
    with db() as session:
        assert session.execute(text(letters)).all() == []
    fees.approve_terms(db, asked, by=ADA, at=NOW)
    fees.approve_terms(db, asked, by=ADA, at=NOW)
    with db() as session:
        told = session.execute(text(letters)).all()
    rates = {"model": "agent", "fee_bp": 1200, "fee_tax_bp": 1900, "price_tax_bp": 700}
    assert [tuple(row) for row in told] == [
        ("Kay", {"artisan": "Kiln Street Pottery", "begins": "2026-12-01", **rates})
    ]


def test_asking_letting_count_and_taking_back_are_recorded(db, kiln):
    asked = ask(db, kiln)
    ask(db, kiln)
    fees.approve_terms(db, asked, by=ADA, at=NOW)
    other = ask(db, kiln, begins=NEXT_WEEK + timedelta(days=1), key="b")
    fees.withdraw_terms(db, other, by=KAY, at=NOW)
    with db() as session:
        acts = session.execute(
            select(AuditRecord.act, AuditRecord.actor_id, AuditRecord.subject_id, AuditRecord.detail)
            .where(AuditRecord.act.like("%terms"))
            .order_by(AuditRecord.id)
        ).all()
    rates = {"model": "agent", "fee_bp": 1200, "fee_tax_bp": 0, "price_tax_bp": 0}
    first = {"row": asked, "from": NEXT_WEEK.isoformat(), **rates}
    second = {"row": other, "from": (NEXT_WEEK + timedelta(days=1)).isoformat(), **rates}
    assert [tuple(act) for act in acts] == [
        ("ask_terms", JUN, kiln, first),
        ("approve_terms", ADA, kiln, first),
        ("ask_terms", JUN, kiln, second),
        ("withdraw_terms", KAY, kiln, second),
    ]


def test_of_those_who_decide_at_once_one_does(fresh_db):
    with fresh_db.begin() as session:
        kiln = an_artisan(session, "Kiln Street Pottery")
    asked = ask(fresh_db, kiln)
    answers = at_once(
        lambda: fees.approve_terms(fresh_db, asked, by=ADA, at=NOW),
        lambda: fees.approve_terms(fresh_db, asked, by=KAY, at=NOW),
        lambda: fees.withdraw_terms(fresh_db, asked, by=JUN, at=NOW),
    )
    assert sorted(map(str, answers)) == sorted([str(kiln), "not_waiting", "not_waiting"])
    with fresh_db() as session:
        state, terms_id = session.execute(select(AskedTerms.state, AskedTerms.terms_id)).one()
    assert (state, terms_id is not None) in {("done", True), ("withdrawn", False)}


@pytest.mark.parametrize(
    ("done", "constraint"),
    [
        ("state = 'done', terms_id = (SELECT min(id) FROM artisan_terms), decided_by = asked_by", "second_person"),
        ("state = 'done', decided_by = 9002", "ck_asked_terms_terms"),
        ("terms_id = (SELECT min(id) FROM artisan_terms)", "ck_asked_terms_terms"),
        ("state = 'agreed'", "ck_asked_terms_state"),
    ],
)
def test_the_database_itself_refuses_terms_that_one_person_lets_count(db, kiln, done, constraint):
    ask(db, kiln)
    with pytest.raises(DBAPIError, match=constraint), db.begin() as session:
        session.execute(text(f"UPDATE asked_terms SET {done}"))
