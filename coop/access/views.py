"""The door: in, out, and back in."""

from flask import Blueprint, flash, redirect, render_template, request, url_for

from coop.access import forms, queries, service
from coop.clock import now
from coop.core.errors import RuleBroken
from coop.web import limits, visits
from coop.web.forms import heeding, posted_key, refuse_strangers
from coop.web.guards import admin, anyone, fresh, safe_next, signed_in, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("access", __name__)


@bp.route("/sign-in", methods=["GET", "POST"])
@limits.wrong_tries
@anyone
def sign_in() -> Answer:
    form = forms.SignInForm()
    if form.accepted():
        with heeding(form):
            return _come_in(form.email.data, form.password.data, to=safe_next(request.args.get("next")))
    return render_template("access/sign_in.html", form=form), form.status


@bp.post("/sign-out")
@signed_in
def sign_out() -> Answer:
    refuse_strangers({"key"})
    here = visits.this()
    service.sign_out(db(), here.sign_in_id, by=here.viewer.person_id, at=now())
    visits.end()
    return redirect("/", code=303)


@bp.get("/account/sign-ins")
@signed_in
def sign_ins() -> Page:
    with reading() as session:
        page = queries.sign_ins_page(session, viewer().person_id, this=visits.this().sign_in_id, at=now())
    return render_template("access/sign_ins.html", page=page)


@bp.post("/account/sign-ins/<int:sign_in_id>/end")
@signed_in
def end_sign_in(sign_in_id: int) -> Answer:
    posted_key()
    service.sign_out(db(), sign_in_id, by=viewer().person_id, at=now())
    flash("That device is signed out.", "good")
    return redirect(url_for(".sign_ins"), code=303)


@bp.post("/account/sign-ins/end")
@signed_in
def end_other_sign_ins() -> Answer:
    posted_key()
    here = visits.this()
    service.end_sign_ins(db(), viewer().person_id, but=here.sign_in_id, by=viewer().person_id, at=now())
    flash("All your other devices are signed out.", "good")
    return redirect(url_for(".sign_ins"), code=303)


@bp.post("/people/<int:person_id>/sign-ins/end")
@fresh(admin)
def end_sign_ins_of(person_id: int) -> Answer:
    posted_key()
    ended = service.end_sign_ins(db(), person_id, by=viewer().person_id, at=now())
    flash(f"Signed out on {ended} device{'' if ended == 1 else 's'}.", "good")
    return redirect(url_for("people.person", person_id=person_id), code=303)


@bp.route("/account/password", methods=["GET", "POST"])
@limits.wrong_tries
@signed_in
def change_password() -> Answer:
    form = forms.ChangePasswordForm()
    if form.accepted():
        with heeding(form):
            present, new, but = form.present.data, form.password.data, visits.this().sign_in_id
            service.change_password(db(), present, new, but=but, by=viewer().person_id, at=now())
            flash("Your password is changed. Your other devices are signed out.", "good")
            return redirect(url_for(".sign_ins"), code=303)
    return render_template("access/change_password.html", form=form), form.status


@bp.route("/password/forgotten", methods=["GET", "POST"])
@limits.mails
@anyone
def forgotten() -> Answer:
    form = forms.ForgottenForm()
    if form.accepted():
        service.ask_for_reset(db(), form.email.data, origin=visits.origin())
        return redirect(url_for(".look_into_your_mail"), code=303)
    return render_template("access/forgotten.html", form=form), form.status


@bp.get("/mail-sent")
@anyone
def look_into_your_mail() -> Page:
    return render_template("access/look_into_your_mail.html")


@bp.route("/password/new/<token>", methods=["GET", "POST"])
@limits.links
@anyone
def new_password(token: str) -> Answer:
    form = forms.NewPasswordForm()
    if form.accepted():
        with heeding(form):
            email = service.reset_password(db(), token, form.password.data, at=now(), origin=visits.origin())
            return _come_in(email, form.password.data)
    _check_link("reset_password", token)
    return render_template("access/new_password.html", form=form), form.status


@bp.route("/join", methods=["GET", "POST"])
@limits.mails
@anyone
def join() -> Answer:
    form = forms.JoinForm()
    if form.accepted():
        service.ask_to_join(db(), form.email.data, at=now(), origin=visits.origin())
        return redirect(url_for(".look_into_your_mail"), code=303)
    return render_template("access/join.html", form=form), form.status


@bp.route("/join/<token>", methods=["GET", "POST"])
@limits.links
@anyone
def finish_joining(token: str) -> Answer:
    form = forms.FinishJoiningForm()
    if form.accepted():
        with heeding(form):
            told = {"name": form.name.data, "household_name": form.household_name.data, "password": form.password.data}
            email = service.finish_joining(db(), token, **told, at=now(), origin=visits.origin())
            return _come_in(email, form.password.data)
    _check_link("confirm_email", token)
    return render_template("access/finish_joining.html", form=form), form.status


@bp.route("/first-admin/<token>", methods=["GET", "POST"])
@limits.links
@anyone
def first_admin(token: str) -> Answer:
    form = forms.FirstAdminForm()
    if form.accepted():
        with heeding(form):
            told = {"name": form.name.data, "password": form.password.data}
            email = service.accept_first_admin(db(), token, **told, at=now(), origin=visits.origin())
            return _come_in(email, form.password.data)
    _check_link("first_admin", token)
    return render_template("access/first_admin.html", form=form), form.status


def _come_in(email: str, password: str, *, to: str = "/") -> Answer:
    """Sign in and go on: to the second step, to setting one up where the person's rights need it, or to where they were going.

    The browser is known from now on as one of this person's.
    """
    entered = service.sign_in(db(), email, password, at=now(), device=visits.device(), origin=visits.origin())
    if entered.awaits_second_step:
        visits.begin_waiting(entered.token, email)
        return redirect(url_for("proving.second_step", next=to), code=303)
    here = visits.found(entered.token)
    visits.begin(here)
    to = to if here.viewer == here.promised else url_for("proving.overview", next=to)
    return visits.remember_device(redirect(to, code=303), email)


def _check_link(purpose: str, token: str) -> None:
    with reading() as session:
        if not queries.link_is_good(session, purpose, token, at=now()):
            raise RuleBroken(
                "link_over", "This link was used already, or is too old. Please ask for a new one.", field=""
            )
