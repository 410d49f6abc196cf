"""The months of the books, for treasurers: the checklist, closing in pairs, opening again."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.closing import forms, queries, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import fresh, treasurer, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("closing", __name__)


@bp.get("/books/months")
@treasurer
def months() -> Page:
    with reading() as session:
        page = queries.months_page(session)
    return render_template("closing/months.html", page=page)


@bp.get("/books/months/<int:period_id>")
@treasurer
def month(period_id: int) -> Page:
    with reading() as session:
        page = queries.month_page(session, period_id, viewer().person_id, at=now())
    return render_template("closing/month.html", page=page)


@bp.post("/books/months/<int:period_id>/closing")
@fresh(treasurer)
def ask(period_id: int) -> Answer:
    posted_key()
    service.ask_to_close(db(), period_id, by=viewer().person_id, at=now())
    flash("Asked for. A second person closes the month now.", "good")
    return redirect(url_for(".month", period_id=period_id), code=303)


@bp.route("/books/months/<int:period_id>/reopening", methods=["GET", "POST"])
@fresh(treasurer)
def reopen(period_id: int) -> Answer:
    form = forms.ReopenForm()
    if form.accepted():
        with heeding(form):
            service.ask_to_reopen(db(), period_id, reason=form.reason.data, by=viewer().person_id, at=now())
            flash("Asked for. A second person opens the month again.", "good")
            return redirect(url_for(".month", period_id=period_id), code=303)
    with reading() as session:
        page = queries.month_page(session, period_id, viewer().person_id, at=now())
    return render_template("closing/reopen.html", page=page, form=form), form.status


@bp.route("/books/months/decisions/<int:decision_id>/approval", methods=["GET", "POST"])
@fresh(treasurer)
def approve(decision_id: int) -> Answer:
    form = forms.AgreeForm()
    with reading() as session:
        period_id = queries.month_of_decision(session, decision_id)
    if form.accepted():
        with heeding(form):
            service.approve(db(), decision_id, by=viewer().person_id, at=now())
            flash("Done: both names stand in the record.", "good")
            return redirect(url_for(".month", period_id=period_id), code=303)
    with reading() as session:
        page = queries.month_page(session, period_id, viewer().person_id, at=now())
    return render_template("closing/approve.html", page=page, form=form, decision_id=decision_id), form.status


@bp.post("/books/months/decisions/<int:decision_id>/withdrawal")
@treasurer
def withdraw(decision_id: int) -> Answer:
    posted_key()
    with reading() as session:
        period_id = queries.month_of_decision(session, decision_id)
    service.withdraw(db(), decision_id, by=viewer().person_id, at=now())
    flash("Taken back.")
    return redirect(url_for(".month", period_id=period_id), code=303)
