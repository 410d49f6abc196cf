"""Following an allocation run, publishing its outcome or putting it aside: for admins."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.allocation import service as allocation
from coop.clock import now
from coop.publishing import service as publishing
from coop.runs import forms, queries
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("runs", __name__)


@bp.get("/allocation/<int:run_id>")
@admin
def run(run_id: int) -> Page:
    with reading() as session:
        page = queries.run_page(session, run_id, sought(), number=page_number(), at=now(), today=today())
    return render_template("runs/run.html", page=page)


@bp.get("/allocation/<int:run_id>/status")
@admin
def status(run_id: int) -> Page:
    with reading() as session:
        page = queries.progress_page(session, run_id, at=now())
    return render_template("runs/status.html", page=page)


@bp.post("/allocation/<int:run_id>/publish")
@admin
def publish(run_id: int) -> Answer:
    posted_key()
    publishing.publish(db(), run_id, by=viewer().person_id, at=now())
    return redirect(url_for(".run", run_id=run_id), code=303)


@bp.route("/allocation/<int:run_id>/aside", methods=["GET", "POST"])
@admin
def put_aside(run_id: int) -> Answer:
    form = forms.PutAsideForm()
    if form.accepted():
        with heeding(form):
            allocation.cancel_run(db(), run_id, by=viewer().person_id, reason=form.reason.data)
            flash("This outcome is put aside. Share the pool out again when it is ready.")
            return redirect(url_for(".run", run_id=run_id), code=303)
    with reading() as session:
        page = queries.progress_page(session, run_id, at=now())
    return render_template("runs/put_aside.html", page=page, form=form), form.status
