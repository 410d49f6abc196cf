"""The co-op's own facts and its pickup points, for admins."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.facts import forms, queries, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, fresh, viewer
from coop.web.reading import db, forget_customs, reading
from coop.web.views import Answer

bp = Blueprint("facts", __name__)


@bp.route("/settings", methods=["GET", "POST"])
@fresh(admin)
def settings() -> Answer:
    with reading() as session:
        page = queries.settings_page(session, at=now())
    form = forms.FactsForm(data=page.agreed)
    if form.accepted():
        with heeding(form):
            changed = service.settle_facts(db(), form.facts(), by=viewer().person_id, at=now(), key=form.key.data)
            forget_customs()
            flash(f"Kept; {changed} changed." if changed else "Nothing was changed.", "good")
            return redirect(url_for(".settings"), code=303)
    return render_template("facts/settings.html", page=page, form=form), form.status


@bp.route("/settings/bank-file", methods=["GET", "POST"])
@fresh(admin)
def bank_file() -> Answer:
    with reading() as session:
        page = queries.settings_page(session, at=now())
    form = forms.BankFileForm(data=page.agreed)
    if form.accepted():
        with heeding(form):
            service.settle_bank_file(db(), form.facts(), by=viewer().person_id, at=now(), key=form.key.data)
            flash("Kept. Bank files are made so from now on.", "good")
            return redirect(url_for(".bank_file"), code=303)
    return render_template("facts/bank_file.html", form=form), form.status


@bp.route("/pickup-points", methods=["GET", "POST"])
@admin
def points() -> Answer:
    form = forms.PointForm()
    if form.accepted():
        with heeding(form):
            said = {name: form[name].data for name in ("place", "hours")}
            service.open_point(db(), form.name.data, **said, by=viewer().person_id, key=form.key.data)
            flash(f"{form.name.data} is open for members to choose.", "good")
            return redirect(url_for(".points"), code=303)
    with reading() as session:
        page = queries.points_page(session)
    return render_template("facts/points.html", page=page, form=form), form.status


@bp.post("/pickup-points/<int:point_id>/end")
@admin
def end_point(point_id: int) -> Answer:
    asked = service.end_point(db(), point_id, by=viewer().person_id, at=now(), key=posted_key())
    flash(f"Ended. Households asked to choose another point: {asked}.", "good")
    return redirect(url_for(".points"), code=303)
