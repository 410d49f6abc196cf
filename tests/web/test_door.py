"""Signing in and out, being signed in, and the links that lead back in."""

from __future__ import annotations

import re
import time
from statistics import median

import pytest
import time_machine
from sqlalchemy import text

from coop.access import queries, service
from coop.people import service as people
from tests.web.conftest import PASSWORD, headings, set_up_app

NEW = "four quiet ladles drumming"


def sign_in(browser, email, password=PASSWORD, **named):
    return browser.fill("/sign-in", {"email": email, "password": password}, **named)


def link_for(db, at, person_id: int, purpose: str) -> str:
    """Make a link as the delivery of its mail does."""
    with db.begin() as session:
        return people.issue_token(session, person_id, purpose, at)


def told(db) -> list[tuple[str, str]]:
    with db() as session:
        return [
            (row.template, row.address)
            for row in session.execute(text("SELECT template, address FROM notice ORDER BY id"))
        ]


def test_a_member_signs_in_and_out(visitor, someone):
    ana = someone("member")
    assert sign_in(visitor, ana.email.upper()).location == "/"
    assert "Ana Member" in visitor.get("/account/sign-ins").text
    out = visitor.press("/sign-out")
    assert (out.status_code, out.location) == (303, "/")
    assert visitor.get("/account/sign-ins").status_code == 303


def test_the_session_ends_at_the_server_and_a_kept_cookie_is_worth_nothing(app, visitor, someone):
    sign_in(visitor, someone("member").email)
    kept = visitor.get_cookie("coop").value
    visitor.press("/sign-out")
    thief = app.test_client()
    thief.set_cookie("coop", kept)
    assert thief.get("/account/sign-ins").status_code == 303


def test_signing_in_starts_a_new_session_with_nothing_of_the_one_before(visitor, someone):
    visitor.get("/sign-in")
    with visitor.session_transaction() as before:
        before["planted"] = "by somebody else"
        token = before["csrf_token"]
    sign_in(visitor, someone("member").email)
    with visitor.session_transaction() as after:
        assert "planted" not in after
        assert after.get("csrf_token") != token
        assert len(after["_user_id"]) >= 43  # 256 bits


def test_giving_the_password_again_renews_the_session(app, visitor, someone):
    sign_in(visitor, someone("admin").email)
    kept = visitor.get_cookie("coop").value
    assert visitor.fill("/confirm", {"password": PASSWORD}).status_code == 303
    thief = app.test_client()
    thief.set_cookie("coop", kept)
    assert thief.get("/account/sign-ins").status_code == 303
    assert visitor.get("/account/sign-ins").status_code == 200


def test_the_database_keeps_no_token_that_would_open_a_session(visitor, someone, db):
    sign_in(visitor, someone("member").email)
    with visitor.session_transaction() as cookie:
        token = cookie["_user_id"]
    with db() as session:
        assert bytes(session.scalar(text("SELECT token_hash FROM sign_in"))) == people.token_hash(token)
        assert token not in session.scalar(text("SELECT string_agg(s::text, '') FROM sign_in s"))


@pytest.mark.parametrize(
    ("role", "idle", "still_in"),
    [
        ("member", {"days": 13, "hours": 23}, True),
        ("member", {"days": 14, "minutes": 1}, False),
        ("treasurer", {"hours": 11, "minutes": 59}, True),
        ("treasurer", {"hours": 12, "minutes": 1}, False),
        ("admin", {"hours": 12, "minutes": 1}, False),
    ],
)
def test_an_idle_session_ends_sooner_where_money_is(client_as, sign_in_age, role, idle, still_in):
    browser = client_as(role)
    sign_in_age(browser.person_id, **idle)
    assert (browser.get("/account/sign-ins").status_code == 200) == still_in


def test_a_session_in_daily_use_ends_after_thirty_days(client_as, db):
    browser = client_as("member")
    with db.begin() as session:
        session.execute(text("UPDATE sign_in SET started_at = started_at - interval '29 days 23 hours'"))
    assert browser.get("/account/sign-ins").status_code == 200
    with db.begin() as session:
        session.execute(text("UPDATE sign_in SET started_at = started_at - interval '2 hours'"))
    assert browser.get("/account/sign-ins").status_code == 303


def test_when_a_session_was_last_used_is_written_once_a_minute_at_most(client_as, db):
    browser = client_as("member")
    seen = text("SELECT seen_at FROM sign_in")
    with db() as session:
        begun = session.scalar(seen)
    with time_machine.travel(begun + queries.timedelta(seconds=50), tick=False):
        browser.get("/account/sign-ins")
        with db() as session:
            assert session.scalar(seen) == begun
    later = begun + queries.timedelta(seconds=70)
    with time_machine.travel(later, tick=False):
        browser.get("/account/sign-ins")
        with db() as session:
            assert session.scalar(seen) == later


def test_who_has_left_is_a_visitor_at_once_and_cannot_come_back(client_as, visitor, db, someone):
    ana, browser = someone("member"), client_as("member")
    with db.begin() as session:
        session.execute(text("UPDATE person SET left_at = clock_timestamp()"))
    assert browser.get("/account/sign-ins").status_code == 303
    assert sign_in(visitor, ana.email).status_code == 422


def test_one_sees_where_one_is_signed_in_and_ends_it(app, someone, db):
    ana = someone("member")
    phone, desk = app.test_client(), app.test_client()
    sign_in(phone, ana.email, headers={"User-Agent": "Phone <b>"})
    sign_in(desk, ana.email, headers={"User-Agent": "Desk"})
    page = desk.get("/account/sign-ins").text
    assert "Phone &lt;b&gt;" in page
    (end,) = set(re.findall(r"/account/sign-ins/\d+/end", page))
    assert desk.fill("/account/sign-ins", action=end).status_code == 303
    assert phone.get("/account/sign-ins").status_code == 303
    assert desk.get("/account/sign-ins").status_code == 200


def test_one_button_signs_out_all_other_devices(app, someone):
    ana = someone("member")
    browsers = [app.test_client() for _ in range(3)]
    for browser in browsers:
        sign_in(browser, ana.email)
    assert browsers[0].fill("/account/sign-ins", action="/account/sign-ins/end").status_code == 303
    assert [browser.get("/account/sign-ins").status_code for browser in browsers] == [200, 303, 303]


def test_an_admin_signs_somebody_out_everywhere(client_as):
    ana, tomas = client_as("admin"), client_as("treasurer")
    assert ana.press(f"/people/{tomas.person_id}/sign-ins/end").status_code == 303
    assert tomas.get("/account/sign-ins").status_code == 303
    assert ana.get("/account/sign-ins").status_code == 200


def test_a_changed_password_ends_the_other_sessions_and_the_owner_is_told(app, someone, db):
    ana = someone("member")
    phone, desk = app.test_client(), app.test_client()
    sign_in(phone, ana.email)
    sign_in(desk, ana.email)
    assert desk.fill("/account/password", {"present": "not this one, no", "password": NEW}).status_code == 422
    assert desk.fill("/account/password", {"present": PASSWORD, "password": NEW}).status_code == 303
    assert phone.get("/account/sign-ins").status_code == 303
    assert desk.get("/account/sign-ins").status_code == 200
    assert told(db) == [("password_changed", ana.email)]
    assert sign_in(app.test_client(), ana.email).status_code == 422
    assert sign_in(app.test_client(), ana.email, NEW).status_code == 303


def test_a_reset_link_works_once_and_ends_all_sessions(app, client_as, visitor, db, at):
    ana = client_as("member")
    token = link_for(db, at, ana.person_id, "reset_password")
    assert visitor.fill(f"/password/new/{token}", {"password": "short"}).status_code == 422
    assert visitor.fill(f"/password/new/{token}", {"password": NEW}).status_code == 303
    assert visitor.get("/account/sign-ins").status_code == 200
    assert ana.get("/account/sign-ins").status_code == 303
    again = app.test_client().get(f"/password/new/{token}")
    assert again.status_code == 422
    assert "used already, or is too old" in again.text


@pytest.mark.parametrize(
    ("age", "status"), [({"minutes": 9, "seconds": 59}, 200), ({"minutes": 10, "seconds": 1}, 422)]
)
def test_a_reset_link_is_good_for_ten_minutes(visitor, someone, db, at, age, status):
    token = link_for(db, at - queries.timedelta(**age), someone("member").id, "reset_password")
    assert visitor.get(f"/password/new/{token}").status_code == status


def test_a_used_reset_link_takes_its_brothers_along(visitor, someone, db, at):
    ana = someone("member")
    first, second = (link_for(db, at, ana.id, "reset_password") for _ in range(2))
    visitor.fill(f"/password/new/{first}", {"password": NEW})
    assert visitor.get(f"/password/new/{second}").status_code == 422


def test_a_link_for_one_purpose_does_not_serve_another(visitor, someone, db, at):
    token = link_for(db, at, someone("member").id, "reset_password")
    assert visitor.get(f"/join/{token}").status_code == 422
    assert visitor.get(f"/first-admin/{token}").status_code == 422


def test_looking_at_a_link_does_not_use_it_up(visitor, someone, db, at):
    token = link_for(db, at, someone("member").id, "reset_password")
    assert [visitor.get(f"/password/new/{token}").status_code for _ in range(3)] == [200, 200, 200]


def test_asking_for_a_link_tells_nobody_who_is_known_here(visitor, someone, db):
    ana = someone("member")
    known = visitor.fill("/password/forgotten", {"email": ana.email.upper()})
    unknown = visitor.fill("/password/forgotten", {"email": "nobody@example.org"})
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location) == (303, "/mail-sent")
    assert told(db) == [("reset_password", ana.email), ("reset_unknown", "nobody@example.org")]


def test_no_link_that_works_once_rests_in_the_database(visitor, someone, db, at):
    ana = someone("member")
    visitor.fill("/password/forgotten", {"email": ana.email})
    token = link_for(db, at, ana.id, "reset_password")
    with db() as session:
        assert session.scalar(text("SELECT values FROM notice")) == {
            "name": "Ana Member1",
            "one_time": "reset_password",
        }
        assert token not in session.scalar(text("SELECT string_agg(t::text, '') FROM one_time_token t"))


def test_joining_tells_nobody_who_is_known_here(visitor, someone, db):
    ana = someone("member")
    known, unknown = (visitor.fill("/join", {"email": one}) for one in (ana.email, "tomas@example.org"))
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location) == (303, "/mail-sent")
    assert told(db) == [("already_joined", ana.email), ("finish_joining", "tomas@example.org")]


def test_who_finishes_joining_is_a_member_with_a_household(visitor, db, at):
    visitor.fill("/join", {"email": "tomas@example.org"})
    with db() as session:
        person_id = session.scalar(text("SELECT id FROM person WHERE email = 'tomas@example.org'"))
    token = link_for(db, at, person_id, "confirm_email")
    answer = visitor.fill(f"/join/{token}", {"name": "Tomas", "password": NEW})
    assert answer.status_code == 303
    assert visitor.get("/account/sign-ins").status_code == 200
    with db() as session:
        household = text(
            "SELECT h.name FROM household h JOIN belonging b ON b.household_id = h.id WHERE b.person_id = :id"
        )
        assert session.scalar(household, {"id": person_id}) == "Tomas"


def test_until_joining_is_finished_there_is_no_household_and_no_way_in(visitor, db):
    visitor.fill("/join", {"email": "tomas@example.org"})
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM household")) == 0
    assert sign_in(visitor, "tomas@example.org", NEW).status_code == 422


def test_there_is_no_admin_until_the_command_line_names_one(app, visitor, db, at):
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM person")) == 0
    token = service.first_admin(db, "ana@example.org", at=at)
    assert visitor.fill(f"/first-admin/{token}", {"name": "Ana", "password": NEW}).status_code == 303
    assert visitor.get("/people").location == "/account/second-step?next=/people"
    set_up_app(visitor)
    assert headings(visitor.get("/people").text) == ["People"]
    assert app.test_client().get(f"/first-admin/{token}").status_code == 422


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(visitor, someone):
    ana = someone("member")
    known, unknown = (sign_in(visitor, email, "not the password at all") for email in (ana.email, "eve@example.org"))
    assert known.status_code == unknown.status_code == 422

    def neutral(answer, email):
        return re.sub(
            r'name="(key|csrf_token)"[^>]*value="[^"]*"|value="[^"]*"[^>]*name="(key|csrf_token)"', "", answer.text
        ).replace(email, "")

    assert neutral(known, ana.email) == neutral(unknown, "eve@example.org")


def test_a_wrong_password_and_an_unknown_address_take_the_same_time(db, someone, full, at):
    ana, tries = someone("member"), 200 if full else 24
    spent: dict[str, list[float]] = {ana.email: [], "eve@example.org": []}
    for _ in range(tries):
        for email, times in spent.items():
            begun = time.perf_counter()
            with pytest.raises(people.RuleBroken, match="wrong_password"):
                service.sign_in(db, email, "not the password at all", at=at, device="", origin=None)
            times.append(time.perf_counter() - begun)
    known, unknown = (median(times) for times in spent.values())
    assert abs(known - unknown) < 0.4 * max(known, unknown)  # without the hashing in vain it would be nearly all of it


def test_a_password_counts_to_its_last_character(visitor, someone, db, at):
    ana = someone("member")
    long = "\u00e9t\u00e9 \U0001f375 " + "abcdefghij klmno pqrst " * 3 + "kettle"
    assert len(long) >= 80 - 5
    with db.begin() as session:
        people.set_password(session, ana.id, long + " x", at=at)
    assert sign_in(visitor, ana.email, long + " y").status_code == 422
    assert sign_in(visitor, ana.email, long + " ").status_code == 422
    assert sign_in(visitor, ana.email, (long + " x").upper()).status_code == 422
    assert sign_in(visitor, ana.email, long + " x").status_code == 303


def test_what_is_kept_of_a_password_is_argon2id_of_the_strength_agreed(someone, db, at):
    ana = someone("member")
    with db.begin() as session:
        people.set_password(session, ana.id, NEW, at=at)
        kept = session.get_one(people.Person, ana.id).password_hash
    shape = re.fullmatch(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$.*", kept)
    memory, rounds, lanes = (int(part) for part in shape.groups())
    assert memory >= 19 * 1024
    assert rounds >= 2
    assert lanes == 1


def test_a_hash_of_older_strength_is_renewed_when_its_owner_signs_in(visitor, someone, db):
    from pwdlib.hashers.argon2 import Argon2Hasher

    ana = someone("member")
    weak = Argon2Hasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with db.begin() as session:
        session.get_one(people.Person, ana.id).password_hash = weak
    assert sign_in(visitor, ana.email).status_code == 303
    with db() as session:
        assert "m=19456,t=2,p=1" in session.get_one(people.Person, ana.id).password_hash


def test_signing_in_leads_on_to_where_one_was_going(visitor, someone):
    asked = visitor.get("/account/password")
    assert asked.location == "/sign-in?next=/account/password"
    ana = someone("member")
    assert visitor.fill(asked.location, {"email": ana.email, "password": PASSWORD}).location == "/account/password"
