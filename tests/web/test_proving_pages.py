"""The second step: who needs one, how it is taken and set up, and that neither a link nor a late form gets around it."""

from __future__ import annotations

import re

import pytest
import time_machine
from sqlalchemy import select, text

from coop.agreements import service as agreements
from coop.core.errors import RuleBroken
from coop.core.roles import Viewer
from coop.formats.iban import demo_iban
from coop.people import service as people
from coop.policy import service as policy
from coop.proving import service as proving
from tests.builders import an_artisan
from tests.web.conftest import app_code, forms_of, give_app, headings, set_up_app
from tests.web.test_door import link_for, sign_in, told

NEW = "four quiet ladles drumming"
STEP = "/sign-in/second-step"


@pytest.fixture
def treasurer(someone, db, local_settings):
    """A treasurer with an app, who belongs to a household and is not signed in."""
    ana = someone("treasurer", "member")
    with db.begin() as session:
        give_app(session, ana.id, local_settings.field_key)
    return ana


def acts(db) -> list[str]:
    with db() as session:
        return list(session.scalars(text("SELECT act FROM audit_record ORDER BY id")))


def test_the_password_alone_opens_nothing(visitor, treasurer):
    asked = sign_in(visitor, treasurer.email)
    assert (asked.status_code, asked.location) == (303, f"{STEP}?next=/")
    for path in ("/account/sign-ins", "/balance", "/payouts", "/account/second-step", "/confirm"):
        assert visitor.get(path).location == f"/sign-in?next={path}", path
    with visitor.session_transaction() as cookie:
        assert "_user_id" not in cookie


def test_a_code_opens_the_account_under_a_new_session(app, visitor, treasurer):
    sign_in(visitor, treasurer.email)
    half = visitor.get_cookie("coop").value
    answer = visitor.fill(f"{STEP}?next=/payouts", {"code": app_code()})
    assert (answer.status_code, answer.location) == (303, "/payouts")
    assert visitor.get("/payouts").status_code == 200
    thief = app.test_client()
    thief.set_cookie("coop", half)
    assert thief.get("/payouts").status_code == 303
    assert thief.get(STEP).location.startswith("/sign-in")


def test_a_code_opens_one_session_only(app, treasurer):
    first, second = app.test_client(), app.test_client()
    for browser in (first, second):
        sign_in(browser, treasurer.email)
    code = app_code()
    assert first.fill(STEP, {"code": code}).status_code == 303
    refused = second.fill(STEP, {"code": code})
    assert refused.status_code == 422
    assert "each works once" in refused.text
    assert second.get("/payouts").status_code == 303


def test_the_second_step_waits_for_ten_minutes(visitor, treasurer, at):
    sign_in(visitor, treasurer.email)
    with time_machine.travel(at + people.timedelta(minutes=10, seconds=5), tick=False):
        assert visitor.get(STEP).location == "/sign-in?next=/"
        with visitor.session_transaction() as cookie:
            assert cookie["second_step"][1] == treasurer.email
        assert visitor.press(STEP, {"code": app_code()}).status_code in {303, 422}
        assert visitor.get("/payouts").status_code == 303


def test_a_person_without_a_second_factor_signs_in_by_the_password(visitor, someone):
    assert sign_in(visitor, someone("member").email).location == "/"


def test_ten_wrong_codes_are_enough_for_a_quarter_of_an_hour(visitor, treasurer):
    sign_in(visitor, treasurer.email)
    fields = {"csrf_token": visitor.token(), "key": "k" * 16, "code": "000000", "answer": "", "kept": ""}
    assert [visitor.post(STEP, data=fields).status_code for _ in range(12)] == [422] * 10 + [429] * 2
    assert visitor.post(STEP, data=fields | {"code": app_code()}).status_code == 429


def test_a_recovery_code_lets_in_once_and_its_owner_is_told(app, treasurer, db, local_settings, at):
    house = proving.House(local_settings.field_key, None)
    codes = proving.renew_recovery_codes(db, house=house, by=treasurer.id, at=at)
    first, second = app.test_client(), app.test_client()
    for browser in (first, second):
        sign_in(browser, treasurer.email)
    assert first.fill(STEP, {"code": codes[0].lower()}).status_code == 303
    assert second.fill(STEP, {"code": codes[0]}).status_code == 422
    assert [one for one, _ in told(db)] == ["factor_changed", "recovery_code_used"]
    assert "9 left" in re.sub(r"\s+", " ", first.get("/account/second-step").text)


def test_a_reset_link_does_not_skip_the_second_step(visitor, treasurer, db, at):
    token = link_for(db, at, treasurer.id, "reset_password")
    assert visitor.fill(f"/password/new/{token}", {"password": NEW}).location == f"{STEP}?next=/"
    assert visitor.get("/account/sign-ins").status_code == 303
    visitor.fill(STEP, {"code": app_code()})
    assert visitor.get("/account/sign-ins").status_code == 200


def test_a_new_password_ends_a_sign_in_that_waits(app, visitor, treasurer, db, at):
    sign_in(visitor, treasurer.email)
    token = link_for(db, at, treasurer.id, "reset_password")
    app.test_client().fill(f"/password/new/{token}", {"password": NEW})
    assert visitor.get(STEP).location.startswith("/sign-in")


PAGES = {"treasurer": "/payouts", "admin": "/admin", "member": "/balance", "packer": "/pickups"}


@pytest.mark.parametrize("role", PAGES)
def test_roles_over_money_and_rights_are_led_to_set_one_up_and_others_are_not(visitor, someone, role):
    ana = someone(role, "member")
    needed = role in {"treasurer", "admin"}
    answer = sign_in(visitor, ana.email)
    assert answer.location == ("/account/second-step?next=/" if needed else "/")
    page = visitor.get(PAGES[role])
    assert (page.status_code, page.location) == (
        (303, f"/account/second-step?next={PAGES[role]}") if needed else (200, None)
    )
    assert visitor.get("/balance").status_code == 200  # the household's own pages stay open
    if needed:
        assert len(set_up_app(visitor)) == 10
        assert visitor.get(PAGES[role]).status_code == 200


def test_makers_need_one_once_the_account_they_are_paid_to_is_known(visitor, someone, db, at, local_settings):
    with db.begin() as session:
        artisan_id = an_artisan(session)
    tomas = someone("artisan", artisan_id=artisan_id)
    assert sign_in(visitor, tomas.email).location == "/"
    assert visitor.get("/workshop").status_code == 200
    with db.begin() as session:
        told = {"holder": "Tomas", "iban": demo_iban("IE", 7), "by": 0, "at": at}
        agreements.set_bank_details(session, artisan_id, **told, field_key=local_settings.field_key)
    assert visitor.get("/workshop").location == "/account/second-step?next=/workshop"
    set_up_app(visitor)
    assert visitor.get("/workshop").status_code == 200


def test_a_member_may_set_one_up_and_end_it_again(client_as, db):
    ana = client_as("member")
    assert "Your password alone opens your account" in ana.get("/account/second-step").text
    assert len(set_up_app(ana)) == 10
    assert ana.press("/account/second-step/app/end").location == "/account/second-step"
    assert "Your password alone opens your account" in ana.get("/account/second-step").text
    with db() as session:
        whats = list(session.scalars(text("SELECT values ->> 'what' FROM notice ORDER BY id")))
    assert whats == ["app_set_up", "app_ended"]


def test_recovery_codes_are_for_who_has_a_factor(someone, db, local_settings, at):
    ana = someone("member")
    with pytest.raises(RuleBroken) as refused:
        proving.renew_recovery_codes(db, house=proving.House(local_settings.field_key, None), by=ana.id, at=at)
    assert refused.value.code == "no_factor"


def test_the_last_one_stays_where_the_role_needs_it(client_as, db, at):
    ana = client_as("treasurer")
    refused = ana.press("/account/second-step/app/end")
    assert refused.status_code == 422
    assert "Your role needs a second step" in refused.text
    with db() as session:
        sign_in_id = session.scalar(text("SELECT id FROM sign_in WHERE person_id = :id"), {"id": ana.person_id})
    rights = Viewer(ana.person_id, "Ana", None, frozenset({"treasurer"}), frozenset())
    with pytest.raises(RuleBroken) as kept:
        proving.end_own_app(db, sign_in_id=sign_in_id, rights=rights, at=at)
    assert kept.value.code == "last_factor"
    assert ana.get("/payouts").status_code == 200


def test_setting_one_up_ends_the_other_sessions_and_renews_this_one(app, someone):
    ana = someone("member")
    phone, desk = app.test_client(), app.test_client()
    for browser in (phone, desk):
        sign_in(browser, ana.email)
    kept = desk.get_cookie("coop").value
    set_up_app(desk)
    assert phone.get("/balance").status_code == 303
    assert desk.get("/balance").status_code == 200
    thief = app.test_client()
    thief.set_cookie("coop", kept)
    assert thief.get("/balance").status_code == 303


def test_a_wrong_code_keeps_the_same_square(client_as):
    ana = client_as("member")
    square = re.compile(r"<svg.*?</svg>", re.DOTALL)
    page = ana.get("/account/second-step/app")
    refused = ana.post("/account/second-step/app", data=forms_of(page.text)[-1].fields | {"code": "000000"})
    assert refused.status_code == 422
    assert square.search(page.text).group() == square.search(refused.text).group()
    other = ana.get("/account/second-step/app")
    assert square.search(other.text).group() != square.search(page.text).group()


def test_a_secret_that_was_put_on_the_page_by_somebody_else_is_refused(client_as):
    ana, eve = client_as("member"), client_as("member")
    planted = forms_of(eve.get("/account/second-step/app").text)[-1].fields["secret"]
    for secret in (planted, "bm9uc2Vuc2U=", "not base64 at all!"):
        assert ana.fill("/account/second-step/app", {"secret": secret, "code": "123456"}).status_code == 422


def test_an_admin_takes_a_lost_second_step_away(client_as, someone, db, local_settings):
    niamh, helen = client_as("admin"), client_as("treasurer")
    refused = niamh.press(f"/people/{niamh.person_id}/second-step/end")
    assert refused.status_code == 403
    assert "Somebody else has to do this for you" in refused.text
    assert niamh.press(f"/people/{helen.person_id}/second-step/end").status_code == 303
    assert helen.get("/payouts").location.startswith("/sign-in")
    assert [one for one, _ in told(db)] == ["factors_removed"]
    assert acts(db)[-1] == "end_lost_factors"
    assert niamh.press("/people/999999/second-step/end").status_code == 404


def test_a_factor_taken_away_still_leaves_the_password_and_asks_for_a_new_one(app, visitor, treasurer, db, at):
    proving.end_lost_factors(db, treasurer.id, by=0, at=at)
    assert sign_in(visitor, treasurer.email).location == "/account/second-step?next=/"
    assert visitor.get("/payouts").location == "/account/second-step?next=/payouts"


def test_proving_afresh_takes_the_second_factor_and_not_the_password(client_as, sign_in_age):
    ana = client_as("admin")
    sign_in_age(ana.person_id, minutes=11)
    asked = ana.get("/settings")
    assert asked.location == "/confirm?next=/settings"
    page = ana.get(asked.location)
    assert 'name="password"' not in page.text
    assert ana.fill(asked.location, {"code": "000000"}).status_code == 422
    assert ana.fill(asked.location, {"code": app_code()}).location == "/settings"
    assert ana.get("/settings").status_code == 200


def test_a_form_sent_too_late_is_kept_and_sent_after_the_second_factor(client_as, someone, sign_in_age, db):
    ana, tomas = client_as("admin"), someone("member")
    path = f"/people/{tomas.id}/roles"
    fields = forms_of(ana.get(path).text)[-1].fields | {"role": "packer"}
    sign_in_age(ana.person_id, minutes=11)
    late = ana.post(path, data=fields)
    assert late.status_code == 422
    assert headings(late.text) == ["Is it you?"]
    assert roles_of(db, tomas.id) == []
    form = forms_of(late.text)[-1]
    wrong = ana.post(form.action, data=form.fields | {"code": "000000"})
    form = forms_of(wrong.text)[-1]
    proved = ana.post(form.action, data=form.fields | {"code": app_code()})
    again = forms_of(proved.text)[-1]
    assert (headings(proved.text), again.action) == (["It is you"], path)
    assert {name: again.fields[name] for name in ("role", "key")} == {name: fields[name] for name in ("role", "key")}
    assert ana.post(again.action, data=again.fields).location == f"/people/{tomas.id}"
    assert roles_of(db, tomas.id) == ["packer"]


def roles_of(db, person_id: int) -> list[str]:
    with db() as session:
        return list(session.scalars(select(people.RoleGrant.role).where(people.RoleGrant.person_id == person_id)))


def test_a_form_that_somebody_else_had_kept_is_not_sent(client_as, someone, sign_in_age):
    ana, eve, tomas = client_as("admin"), client_as("admin"), someone("member")
    path = f"/people/{tomas.id}/roles"
    fields = forms_of(eve.get(path).text)[-1].fields | {"role": "admin"}
    sign_in_age(eve.person_id, minutes=11)
    planted = forms_of(eve.post(path, data=fields).text)[-1].fields["kept"]
    answer = ana.fill("/confirm", {"code": app_code(), "kept": planted})
    assert (answer.status_code, answer.location) == (303, "/")


def test_the_demo_shows_its_code_and_nobody_else_does(app, visitor, treasurer, db, local_settings):
    sign_in(visitor, treasurer.email)
    assert app_code() not in visitor.get(STEP).text
    with db.begin() as session:
        policy.settle(session, "demo", value=True, by=0)
    page = visitor.get(STEP).text
    shown = re.search(r"<code>(\d{6})</code>", page).group(1)
    assert shown in {app_code(), app_code(steps=-1)}
    assert visitor.fill(STEP, {"code": shown}).status_code == 303


def test_in_production_not_even_the_demo_shows_its_code(visitor, treasurer, db, app):
    import dataclasses

    kept = app.extensions["coop"]
    kept.settings = dataclasses.replace(kept.settings, production=True)
    with db.begin() as session:
        policy.settle(session, "demo", value=True, by=0)
    sign_in(visitor, treasurer.email)
    page = visitor.get(STEP)
    assert page.status_code == 200
    assert not re.search(r"<code>\d{6}</code>", page.text)


def test_what_a_passkey_did_not_sign_opens_nothing(visitor, treasurer, app):
    import dataclasses

    kept = app.extensions["coop"]
    kept.settings = dataclasses.replace(kept.settings, base_url="https://coop.example")
    sign_in(visitor, treasurer.email)
    for answer in ("{}", "[]", "nonsense", '{"rawId": 7}', '{"rawId": "AAAA"}', '{"rawId": "AAAA", "id": "AAAA"}'):
        refused = visitor.fill(STEP, {"answer": answer})
        assert refused.status_code == 422, answer
        assert "passkey" in refused.text


def test_no_page_says_whose_second_step_it_is_before_it_is_taken(visitor, treasurer):
    sign_in(visitor, treasurer.email)
    page = visitor.get(STEP).text
    assert "Ana" not in page
    assert treasurer.email not in page


def test_a_half_done_sign_in_is_not_listed_as_a_device(app, visitor, treasurer):
    sign_in(visitor, treasurer.email)
    visitor.fill(STEP, {"code": app_code()})
    other = app.test_client()
    sign_in(other, treasurer.email)
    assert "/account/sign-ins/end" not in visitor.get("/account/sign-ins").text
    other.fill(STEP, {"code": app_code(steps=1)})
    assert "/account/sign-ins/end" in visitor.get("/account/sign-ins").text


def test_the_code_is_not_called_optional_though_a_passkey_may_stand_for_it(visitor, treasurer):
    sign_in(visitor, treasurer.email)
    page = visitor.get(STEP).text
    assert '<label for="code">Code</label>' in page
