"""The second step of signing in, proving afresh who one is, and what it takes."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from coop.clock import now
from coop.core.errors import NotFound, RuleBroken
from coop.formats.codes import SECRET_BYTES
from coop.formats.passkeys import Place
from coop.proving import forms, queries, service
from coop.proving.service import Changed, House
from coop.sealing import NotSealedByUs, seal, unseal
from coop.web import limits, visits
from coop.web.forms import CoopForm, heeding, posted_key
from coop.web.guards import admin, anyone, fresh, safe_next, signed_in, viewer
from coop.web.kept import keep, kept
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("proving", __name__)


@bp.route("/sign-in/second-step", methods=["GET", "POST"])
@limits.wrong_tries
@anyone
def second_step() -> Answer:
    if (waiting := visits.waiting()) is None:
        return redirect(url_for("access.sign_in"), code=303)
    form = forms.ProofForm()
    if form.accepted():
        with heeding(form):
            whence: dict[str, Any] = {"house": _house(), "at": now(), "origin": visits.origin()}
            visits.begin(visits.found(service.take_second_step(db(), waiting.token, form.proof(), **whence)))
            return visits.remember_device(redirect(_next(), code=303), waiting.email)
    with reading() as session:
        page = queries.second_step_page(session, waiting.token, house=_house(), demo=_may_show_codes(), at=now())
    if page is None:
        flash("This took longer than ten minutes. Please sign in anew.", "short")
        return redirect(url_for("access.sign_in", next=_next()), code=303)
    return render_template("proving/second_step.html", page=page, form=form), form.status


@bp.route("/confirm", methods=["GET", "POST"])
@limits.wrong_tries
@signed_in
def confirm() -> Answer:
    here, page = visits.this(), _confirm_page()
    form = forms.ProofForm() if page.has_factor else forms.PasswordForm()
    if form.accepted():
        with heeding(form):
            by = viewer().person_id
            token = service.confirm(db(), here.sign_in_id, form.proof(), house=_house(), by=by, at=now())
            visits.begin(visits.renewed(here, token))
            if waits := kept(form.kept.data, by):
                return render_template("proving/send_again.html", page=waits), 200
            return redirect(_next(), code=303)
    return render_template("proving/confirm.html", page=page, form=form, next=_next()), form.status


def ask_afresh(target: str) -> Answer:
    """Ask who it is in answer to a form that was sent too late, and carry the form along."""
    page = _confirm_page()
    made = forms.ProofForm if page.has_factor else forms.PasswordForm
    form: CoopForm = made(formdata=None, data={"kept": keep(viewer().person_id)})
    return render_template("proving/confirm.html", page=page, form=form, next=target), 422


@bp.get("/account/second-step")
@signed_in
def overview() -> Page:
    with reading() as session:
        page = queries.overview_page(session, visits.this().promised, house=_house())
    return render_template("proving/overview.html", page=page, next=_next(""))


@bp.route("/account/second-step/app", methods=["GET", "POST"])
@limits.wrong_tries
@fresh(signed_in)
def app() -> Answer:
    form = forms.AppForm()
    secret = _carried_secret(form)
    if form.accepted():
        with heeding(form):
            told: dict[str, Any] = {
                "sign_in_id": visits.this().sign_in_id,
                "house": _house(),
                "by": viewer().person_id,
                "at": now(),
            }
            return _set_up(service.set_up_app(db(), secret, form.code.data, **told))
    with reading() as session:
        page = queries.app_page(session, viewer().person_id, secret, demo=_may_show_codes(), at=now())
    return render_template("proving/app.html", page=page, form=form), form.status


@bp.route("/account/second-step/passkey", methods=["GET", "POST"])
@limits.wrong_tries
@fresh(signed_in)
def passkey() -> Answer:
    if _house().place is None:
        raise NotFound
    form = forms.PasskeyForm()
    sign_in_id = visits.this().sign_in_id
    if form.accepted():
        with heeding(form):
            told: dict[str, Any] = {"sign_in_id": sign_in_id, "house": _house(), "by": viewer().person_id, "at": now()}
            return _set_up(service.set_up_passkey(db(), form.name.data, form.answer.data, **told))
    with reading() as session:
        page = queries.passkey_page(session, sign_in_id, house=_house(), at=now())
    return render_template("proving/passkey.html", page=page, form=form), form.status


@bp.post("/account/second-step/app/end")
@fresh(signed_in)
def end_app() -> Answer:
    posted_key()
    here = visits.this()
    service.end_own_app(db(), sign_in_id=here.sign_in_id, rights=here.promised, at=now())
    flash("That app no longer counts. Your other devices are signed out.", "good")
    return redirect(url_for(".overview"), code=303)


@bp.post("/account/second-step/passkeys/<int:passkey_id>/end")
@fresh(signed_in)
def end_passkey(passkey_id: int) -> Answer:
    posted_key()
    here = visits.this()
    service.end_own_passkey(db(), passkey_id, sign_in_id=here.sign_in_id, rights=here.promised, at=now())
    flash("That passkey no longer counts. Your other devices are signed out.", "good")
    return redirect(url_for(".overview"), code=303)


@bp.post("/account/second-step/recovery-codes")
@fresh(signed_in)
def renew_recovery_codes() -> Answer:
    posted_key()
    codes = service.renew_recovery_codes(db(), house=_house(), by=viewer().person_id, at=now())
    return _shown_once(codes)


@bp.post("/people/<int:person_id>/second-step/end")
@fresh(admin)
def end_lost_factors(person_id: int) -> Answer:
    posted_key()
    service.end_lost_factors(db(), person_id, by=viewer().person_id, at=now())
    flash("Their second step is taken away and all their devices are signed out. They were told by mail.", "good")
    return redirect(url_for("people.person", person_id=person_id), code=303)


def _set_up(changed: Changed) -> Answer:
    visits.begin(visits.renewed(visits.this(), changed.token))
    if changed.recovery_codes:
        return _shown_once(changed.recovery_codes)
    flash("Kept. Your other devices are signed out.", "good")
    return redirect(url_for(".overview"), code=303)


def _shown_once(codes: list[str]) -> Answer:
    """Show recovery codes in the answer itself: they are kept nowhere that a second page could read them from."""
    return render_template("proving/recovery_codes.html", page=codes, next=_next(url_for(".overview"))), 200


def _confirm_page() -> queries.ProofPage:
    with reading() as session:
        sign_in_id = visits.this().sign_in_id
        return queries.confirm_page(session, sign_in_id, house=_house(), demo=_may_show_codes(), at=now())


def _carried_secret(form: forms.AppForm) -> bytes:
    """Return the secret that the page carries sealed to its person, or put a new one on it: looking at the page keeps nothing."""
    purpose, field_key = f"new app of person {viewer().person_id}", settings().field_key
    if form.secret.data:
        try:
            return unseal(urlsafe_b64decode(form.secret.data), field_key, purpose=purpose)
        except (NotSealedByUs, NotBase64, ValueError) as wrong:
            raise RuleBroken("out_of_date", "This page is out of date. Please load it again.") from wrong
    secret = secrets.token_bytes(SECRET_BYTES)
    form.secret.data = urlsafe_b64encode(seal(secret, field_key, purpose=purpose)).decode("ascii")
    form.secret.typed = form.secret.data
    return secret


def _house() -> House:
    return House(settings().field_key, Place.of(settings().base_url))


def _may_show_codes() -> bool:
    """Whether the demo may show its codes: never in an installation that real people sign in to."""
    return not settings().production


def _next(default: str = "/") -> str:
    return safe_next(request.args.get("next"), default)
