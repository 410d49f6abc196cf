"""The health of the house, for those who can act on it."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.health import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import health, viewer
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("health", __name__)


@bp.get("/books/health")
@health
def house() -> Page:
    with reading() as session:
        page = queries.health_page(session, settings().home, today=today())
    return render_template("health/house.html", page=page)


@bp.post("/books/checks")
@health
def check() -> Answer:
    service.ask_for_check(db(), by=viewer().person_id, key=posted_key())
    flash("The worker checks the books now. Load this page again in a moment.")
    return redirect(url_for(".house"), code=303)


@bp.post("/books/jobs/<int:job_id>/retry")
@health
def retry(job_id: int) -> Answer:
    posted_key()
    service.try_again(db(), job_id, by=viewer().person_id)
    flash("It is tried again now.", "good")
    return redirect(url_for(".house"), code=303)


@bp.route("/books/jobs/<int:job_id>", methods=["GET", "POST"])
@health
def job(job_id: int) -> Answer:
    form = forms.PutAsideForm()
    if form.accepted():
        with heeding(form):
            service.put_aside(db(), job_id, by=viewer().person_id, reason=form.reason.data)
            flash("It is put aside.", "good")
            return redirect(url_for(".house"), code=303)
    with reading() as session:
        page = queries.dead_job(session, job_id)
    return render_template("health/job.html", page=page, form=form), form.status
