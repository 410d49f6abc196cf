"""The co-op's own facts, for admins."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.facts import forms, queries, service
from coop.web.forms import heeding
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
