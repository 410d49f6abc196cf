"""Payout runs, for treasurers: from the preview to the bank file."""

from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from coop.clock import now
from coop.payouts import service
from coop.policy import service as policy
from coop.transfers import service as transfers
from coop.treasury import forms, queries
from coop.web import limits
from coop.web.days import read_day
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import treasurer, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import customs, db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("treasury", __name__)


@bp.get("/payouts")
@treasurer
def runs() -> Page:
    with reading() as session:
        page = queries.runs_page(session, number=page_number())
    return render_template("treasury/runs.html", page=page)


@bp.route("/payouts/new", methods=["GET", "POST"])
@treasurer
def start() -> Answer:
    form = forms.StartRunForm(through=_day_asked())
    if form.accepted():
        with heeding(form):
            by, key = viewer().person_id, form.key.data
            run_id = service.request_payouts(db(), through=form.through.data, by=by, at=now(), key=key)
            return redirect(url_for(".run", run_id=run_id), code=303)
    with reading() as session:
        minimum = policy.current(session, "payout_minimum_minor", at=now())
        through = form.through.data or _day_asked()
        page = queries.preview_page(session, through, minimum_minor=minimum, number=page_number(), at=now())
    return render_template("treasury/start.html", page=page, form=form), form.status


@bp.get("/payouts/<int:run_id>")
@treasurer
def run(run_id: int) -> Page:
    return render_template("treasury/run.html", page=_run_page(run_id))


@bp.get("/payouts/<int:run_id>/status")
@treasurer
def status(run_id: int) -> Page:
    return render_template("treasury/status.html", page=_run_page(run_id))


@bp.route("/payouts/<int:run_id>/approval", methods=["GET", "POST"])
@limits.wrong_tries
@treasurer
def approve(run_id: int) -> Answer:
    form = forms.ApproveForm()
    if form.accepted():
        with heeding(form):
            transfers.approve(db(), run_id, by=viewer().person_id, at=now(), password=form.password.data)
            flash("Approved. The bank file can be made now.", "good")
            return redirect(url_for(".run", run_id=run_id), code=303)
    return render_template("treasury/approve.html", page=_run_page(run_id), form=form), form.status


@bp.route("/payouts/<int:run_id>/cancellation", methods=["GET", "POST"])
@treasurer
def call_off(run_id: int) -> Answer:
    form = forms.CallOffForm()
    if form.accepted():
        with heeding(form):
            service.cancel(db(), run_id, by=viewer().person_id, reason=form.reason.data)
            flash("Called off. What was on its statements goes on the statements of the next run.", "good")
            return redirect(url_for(".run", run_id=run_id), code=303)
    return render_template("treasury/call_off.html", page=_run_page(run_id), form=form), form.status


@bp.post("/payouts/<int:run_id>/file")
@treasurer
def make_file(run_id: int) -> Answer:
    posted_key()
    transfers.make_file(db(), run_id, by=viewer().person_id, at=now(), field_key=settings().field_key)
    flash("The bank file is made and stored. Download it and hand it to your bank.", "good")
    return redirect(url_for(".run", run_id=run_id), code=303)


@bp.get("/payouts/<int:run_id>/file")
@treasurer
def file(run_id: int) -> Response:
    with reading() as session:
        stored = queries.file_of_run(session, run_id)
    headers = {"Content-Disposition": f'attachment; filename="{stored.name}"'}
    return Response(stored.content, mimetype="application/xml", headers=headers)


def _run_page(run_id: int) -> queries.RunPage:
    here = viewer()
    with reading() as session:
        asked = queries.Asked(sought(), page_number(), here.person_id, here.artisan_ids)
        return queries.run_page(session, run_id, asked, at=now())


def _day_asked() -> date:
    """Return the day the preview is asked for; what is no day is today."""
    return read_day(request.args.get("through", "").strip(), customs().locale) or today()
