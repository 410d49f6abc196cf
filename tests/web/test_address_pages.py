"""A mail address is changed by a link sent to the new one, the old one can take it back, and nobody learns whose an address is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.addresses import service as addresses
from coop.clock import now
from coop.core.errors import RuleBroken
from coop.people import service as people
from tests.web.conftest import PASSWORD

CHANGE = "/account/mail-address"


@pytest.fixture
def ana(client_as):
    return client_as("member")


def email(db, person):
    with db() as session:
        return session.scalar(text("SELECT email FROM person WHERE id = :id"), {"id": person})


def letters(db):
    with db() as session:
        asked = "SELECT template, address, values FROM notice WHERE template LIKE '%address%' ORDER BY id"
        return [tuple(row) for row in session.execute(text(asked))]


def link_of(db, template, *, at=None):
    """Make the link of the last such letter as the worker does when it is sent; return its path."""
    told, _, values = next(one for one in reversed(letters(db)) if one[0] == template)
    with db.begin() as session:
        person = session.scalar(
            text("SELECT person_id FROM address_change WHERE id = :id"), {"id": values["change_id"]}
        )
        token = people.issue_token(session, person, values["one_time"], at or now())
    return f"/mail-address/{values['change_id']}{'/back' if told == 'address_gone' else ''}/{token}"


def sign_ins(db, person):
    with db() as session:
        return session.scalar(
            text("SELECT count(*) FROM sign_in WHERE person_id = :id AND ended_at IS NULL"), {"id": person}
        )


def ask(browser, address="new@example.org", **typed):
    return browser.fill(CHANGE, {"email": address, "password": PASSWORD} | typed)


def test_the_new_address_confirms_and_the_old_one_is_told(ana, visitor, db):
    old = email(db, ana.person_id)
    done = ask(ana)
    assert (done.status_code, done.location) == (303, "/mail-sent")
    assert email(db, ana.person_id) == old
    assert [one[:2] for one in letters(db)] == [("new_address", "new@example.org"), ("address_asked", old)]
    link = link_of(db, "new_address")
    page = visitor.get(link)
    assert (page.status_code, email(db, ana.person_id)) == (200, old)  # looking changes nothing
    assert "new@example.org takes the place of" in page.text
    assert visitor.fill(link).location == "/sign-in"
    assert email(db, ana.person_id) == "new@example.org"
    assert sign_ins(db, ana.person_id) == 0
    assert [one[:2] for one in letters(db)[2:]] == [("address_gone", old), ("address_changed", "new@example.org")]
    assert visitor.get(link).status_code == 422
    sent = visitor.fill("/sign-in", {"email": "new@example.org", "password": PASSWORD})
    assert sent.status_code == 303
    with db() as session:
        acts = session.scalars(text("SELECT act FROM audit_record WHERE act LIKE '%address' ORDER BY id")).all()
    assert acts == ["ask_for_address", "change_address"]


def test_the_old_address_takes_it_back_whatever_followed(ana, visitor, db):
    old = email(db, ana.person_id)
    ask(ana, "thief@example.org")
    visitor.fill(link_of(db, "new_address"))
    back = link_of(db, "address_gone")
    addresses.ask(db, ana.person_id, "lair@example.org", PASSWORD, at=now(), origin=None)
    visitor.fill(link_of(db, "new_address"))
    thiefs = link_of(db, "address_gone")
    assert email(db, ana.person_id) == "lair@example.org"
    assert visitor.get(back).status_code == 200
    assert visitor.fill(back).location == "/password/forgotten"
    assert email(db, ana.person_id) == old
    assert sign_ins(db, ana.person_id) == 0
    assert [one[:2] for one in letters(db)[-2:]] == [("address_back", old), ("address_back", "lair@example.org")]
    # the thief's own way back is closed
    token = thiefs.rpartition("/")[2]
    with pytest.raises(RuleBroken) as refused:
        addresses.undo(db, int(thiefs.split("/")[2]), token, at=now(), origin=None)
    assert (refused.value.code, email(db, ana.person_id)) == ("link_over", old)


def test_whose_an_address_is_nobody_learns(ana, someone, db):
    tomas = someone("member")
    free, taken = ask(ana), ask(ana, tomas.email)
    assert (free.status_code, free.location) == (taken.status_code, taken.location)
    assert [one[:2] for one in letters(db)][2:] == [
        ("address_in_use", tomas.email),
        ("address_asked", email(db, ana.person_id)),
    ]


def test_an_address_that_somebody_took_in_between_is_not_taken_from_them(ana, visitor, db, someone):
    ask(ana)
    link = link_of(db, "new_address")
    with db.begin() as session:
        people.new_person(session, name="Ben", email="new@example.org", at=now())
    assert visitor.fill(link).status_code == 422
    assert email(db, ana.person_id) != "new@example.org"


def test_an_older_letter_does_not_confirm_a_later_wish(ana, visitor, db):
    old = email(db, ana.person_id)
    ask(ana, "first@example.org")
    first = link_of(db, "new_address")
    ask(ana, "second@example.org")
    assert visitor.post(first, data={"csrf_token": visitor.token(), "key": "k" * 16}).status_code == 422
    assert email(db, ana.person_id) == old
    number = first.split("/")[2]
    other = link_of(db, "new_address").rpartition("/")[2]
    assert visitor.get(f"/mail-address/{number}/{other}").status_code == 422  # a token counts for its own change alone
    visitor.fill(link_of(db, "new_address"))
    assert email(db, ana.person_id) == "second@example.org"


@pytest.mark.parametrize(
    ("letter", "lives"), [("new_address", timedelta(hours=2)), ("address_gone", timedelta(days=7))]
)
def test_links_do_not_live_for_ever(ana, visitor, db, letter, lives):
    ask(ana)
    if letter == "address_gone":
        visitor.fill(link_of(db, "new_address"))
    assert visitor.get(link_of(db, letter, at=now() - lives + timedelta(minutes=1))).status_code == 200
    assert visitor.get(link_of(db, letter, at=now() - lives - timedelta(minutes=1))).status_code == 422


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"password": "not my password at all"}, "This is not your present password."),
        ({"password": ""}, "Please fill in: Your password."),
        ({"email": ""}, "Please give a mail address."),
        ({"email": "ana"}, "write it like ana@example.org"),
        ({"email": "a@b..org"}, "write it like ana@example.org"),
        ({"email": "x" * 250 + "@example.org"}, "please keep to 254"),
    ],
)
def test_what_cannot_be_is_said_and_tells_nobody(ana, db, typed, sentence):
    answer = ask(ana, **typed)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert letters(db) == []


def test_the_address_one_has_is_no_new_one(ana, db):
    answer = ask(ana, email(db, ana.person_id).upper())
    assert (answer.status_code, "This is the address you have." in answer.text) == (422, True)
    with pytest.raises(RuleBroken) as refused:
        addresses.ask(db, ana.person_id, email(db, ana.person_id), PASSWORD, at=now(), origin=None)
    assert (refused.value.code, refused.value.field) == ("same_address", "email")


def test_a_link_that_never_was_is_over(visitor):
    for path in ("/mail-address/1/nothing", "/mail-address/1/back/nothing"):
        assert visitor.get(path).status_code == 422
