"""Persons, households, roles and one-time links, by their rules."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from coop.access import service as access
from coop.core.errors import NotFound, RuleBroken
from coop.people import service as people

AT = datetime(2026, 11, 3, 18, 0, tzinfo=UTC)
PASSWORD = "seven kettles sing at noon"


def a_person(db, name: str = "Ana") -> int:
    with db.begin() as session:
        return people.new_person(session, name=name, email=f"{name.lower()}@example.org", at=AT)


def refused(act: Callable[[], object]) -> str:
    """Return the code that refuses the act, or "" if it is done."""
    try:
        act()
    except RuleBroken as broken:
        return broken.code
    return ""


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do the acts at the same time; return what refused each."""
    with ThreadPoolExecutor(len(acts)) as crew:
        return sorted(crew.map(refused, acts))


def test_who_joins_is_a_person_of_a_household_of_their_own(db):
    person_id = people.join(
        db, name="Ana", email=" Ana@Example.org ", password=PASSWORD, household_name="Ana & Tomas", at=AT
    )
    with db() as session:
        row = session.execute(
            text(
                "SELECT p.email, p.email_key, h.name FROM person p JOIN belonging b ON b.person_id = p.id"
                " JOIN household h ON h.id = b.household_id WHERE p.id = :id"
            ),
            {"id": person_id},
        ).one()
        assert tuple(row) == ("Ana@Example.org", "ana@example.org", "Ana & Tomas")
        assert people.confirm_password(session, person_id, PASSWORD)
        assert not people.confirm_password(session, person_id, PASSWORD + " ")


@pytest.mark.parametrize("email", ["ana@example.org", "ANA@EXAMPLE.ORG", " ana@example.org"])
def test_an_address_belongs_to_one_person_however_it_is_spelled(db, email):
    a_person(db)

    def joining() -> None:
        people.join(db, name="Eve", email=email, password=PASSWORD, household_name="Eve", at=AT)

    assert refused(joining) == "email_taken"


def test_a_weak_password_leaves_nobody_behind(db):

    def joining() -> None:
        people.join(db, name="Eve", email="e@example.org", password="password1234", household_name="E", at=AT)

    assert refused(joining) == "too_common"
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM person")) == 0


def test_nobody_belongs_to_two_households(db):
    person_id = people.join(db, name="Ana", email="a@example.org", password=PASSWORD, household_name="Ana", at=AT)
    with db.begin() as session:
        other = people.new_household(session, "The other")
        with pytest.raises(RuleBroken, match="already_member"):
            people.belong(session, person_id, other, at=AT)


def test_each_person_of_a_household_is_told_and_nobody_twice(db):
    with db.begin() as session:
        household = people.new_household(session, "The Kettles")
        for name in ("Ana", "Tomas", "Gone"):
            person = people.new_person(session, name=name, email=f"{name}@example.org", at=AT)
            people.belong(session, person, household, at=AT)
        session.execute(text("UPDATE belonging SET ended_at = :at WHERE person_id = :gone"), {"at": AT, "gone": person})
    for _ in range(2):
        with db.begin() as session:
            people.tell_household(session, "pool:7:published", "allocation_published", household, {"pool": "November"})
    with db() as session:
        told = session.execute(text("SELECT address, values FROM notice ORDER BY address")).all()
    assert [(row.address, row.values) for row in told] == [
        ("Ana@example.org", {"pool": "November", "name": "Ana"}),
        ("Tomas@example.org", {"pool": "November", "name": "Tomas"}),
    ]


def test_a_household_that_left_acts_no_more(db):
    with db.begin() as session:
        household = people.new_household(session, "The Kettles")
        assert people.lock_household(session, household).name == "The Kettles"
        session.execute(text("UPDATE household SET left_at = :at"), {"at": AT})
        session.expire_all()
        with pytest.raises(RuleBroken, match="household_left"):
            people.lock_household(session, household)
        with pytest.raises(NotFound):
            people.lock_household(session, household + 1)


def test_a_role_given_twice_is_held_once_and_both_acts_are_on_record(db):
    ana = a_person(db)
    first = people.grant_role(db, ana, "treasurer", by=0, at=AT)
    assert people.grant_role(db, ana, "treasurer", by=0, at=AT) == first
    people.end_role(db, first, by=0, at=AT)
    assert people.end_role(db, first, by=0, at=AT) == first
    with db() as session:
        acts = session.execute(text("SELECT act, subject_id, detail FROM audit_record ORDER BY id")).all()
    held = {"role": "treasurer", "artisan_id": None}
    assert [tuple(act) for act in acts] == [("grant_role", ana, held), ("end_role", ana, held)]


@pytest.mark.parametrize(
    ("role", "artisan_id"), [("member", None), ("king", None), ("artisan", None), ("treasurer", 4), ("", None)]
)
def test_only_roles_that_exist_are_given_and_an_artisan_for_a_workshop(db, role, artisan_id):
    ana = a_person(db)
    assert refused(lambda: people.grant_role(db, ana, role, artisan_id=artisan_id, by=0, at=AT)) == "unknown_role"


def test_a_person_may_speak_for_two_workshops(db):
    ana = a_person(db)
    grants = {people.grant_role(db, ana, "artisan", artisan_id=maker, by=0, at=AT) for maker in (4, 5, 4)}
    assert len(grants) == 2


def test_two_admins_who_dismiss_each_other_at_once_leave_one(fresh_db):
    db = fresh_db
    ana, tomas = a_person(db, "Ana"), a_person(db, "Tomas")
    hers, his = (people.grant_role(db, one, "admin", by=0, at=AT) for one in (ana, tomas))
    ends = (lambda: people.end_role(db, his, by=ana, at=AT), lambda: people.end_role(db, hers, by=tomas, at=AT))
    assert at_once(*ends) == ["", "last_admin"]


def test_a_link_followed_twice_at_once_works_once(fresh_db):
    db = fresh_db
    ana = a_person(db)
    with db.begin() as session:
        token = people.issue_token(session, ana, "reset_password", AT)
    follow = lambda: access.reset_password(db, token, PASSWORD, at=AT, origin=None)  # noqa: E731
    assert at_once(follow, follow, follow) == ["", "link_over", "link_over"]


def test_a_wish_to_join_sent_twice_at_once_makes_one_person(fresh_db):
    db = fresh_db
    ask = lambda: access.ask_to_join(db, "ana@example.org", at=AT, origin=None)  # noqa: E731
    assert at_once(ask, ask, ask) == ["", "", ""]
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM person")) == 1


def test_a_link_that_is_too_old_by_a_second_is_refused(db):
    ana = a_person(db)
    with db.begin() as session:
        token = people.issue_token(session, ana, "reset_password", AT)
    late = AT + people.TOKEN_LIVES["reset_password"] + people.timedelta(seconds=1)
    assert refused(lambda: access.reset_password(db, token, PASSWORD, at=late, origin=None)) == "link_over"
    with db() as session:
        assert not people.confirm_password(session, ana, PASSWORD)
