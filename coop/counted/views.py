"""Balances from outside, for treasurers."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.counted import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding
from coop.web.guards import treasurer, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("counted", __name__)


@bp.route("/books/counted", methods=["GET", "POST"])
@treasurer
def counts() -> Answer:
    form = forms.CountForm(on=today())
    if form.accepted():
        with heeding(form):
            said = {"on": form.on.data, "note": form.note.data, "key": form.key.data}
            service.note_balance(db(), form.account.data, form.amount.data, by=viewer().person_id, at=now(), **said)
            flash("Noted, and held against the books of that day.", "good")
            return redirect(url_for(".counts"), code=303)
    with reading() as session:
        page = queries.counts_page(session)
    return render_template("counted/counts.html", page=page, form=form), form.status
