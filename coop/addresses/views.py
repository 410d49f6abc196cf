"""A person changes their own mail address; both links open a page whose button acts, so that no mail program acts by looking."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.access import queries as access
from coop.addresses import forms, queries, service
from coop.clock import now
from coop.core.errors import RuleBroken
from coop.web import limits, visits
from coop.web.forms import heeding
from coop.web.guards import anyone, fresh, signed_in, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("addresses", __name__)


@bp.route("/account/mail-address", methods=["GET", "POST"])
@limits.wrong_tries
@fresh(signed_in)
def change() -> Answer:
    form = forms.ChangeForm()
    if form.accepted():
        with heeding(form):
            by, email, password = viewer().person_id, form.email.data, form.password.data
            service.ask(db(), by, email, password, at=now(), origin=visits.origin())
            return redirect(url_for("access.look_into_your_mail"), code=303)
    with reading() as session:
        page = queries.address_page(session, viewer().person_id)
    return render_template("addresses/change.html", page=page, form=form), form.status


@bp.route("/mail-address/<int:change_id>/<token>", methods=["GET", "POST"])
@limits.links
@anyone
def confirm(change_id: int, token: str) -> Answer:
    form = forms.LinkForm()
    if form.accepted():
        service.confirm(db(), change_id, token, at=now(), origin=visits.origin())
        flash("Your mail address is changed. Sign in with it from now on.", "good")
        return redirect(url_for("access.sign_in"), code=303)
    return render_template(
        "addresses/confirm.html", page=_page("new_address", change_id, token), form=form
    ), form.status


@bp.route("/mail-address/<int:change_id>/back/<token>", methods=["GET", "POST"])
@limits.links
@anyone
def undo(change_id: int, token: str) -> Answer:
    form = forms.LinkForm()
    if form.accepted():
        service.undo(db(), change_id, token, at=now(), origin=visits.origin())
        flash("Your old mail address is back, and everybody is signed out. Choose a new password now.", "good")
        return redirect(url_for("access.forgotten"), code=303)
    return render_template("addresses/undo.html", page=_page("undo_address", change_id, token), form=form), form.status


def _page(purpose: str, change_id: int, token: str) -> queries.LinkPage:
    with reading() as session:
        if not access.link_is_good(session, f"{purpose}:{change_id}", token, at=now()):
            raise RuleBroken("link_over", "This link was used already, or is too old. Please ask for a new one.")
        return queries.link_page(session, change_id)
