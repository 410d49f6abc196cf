"""Payout runs, for treasurers: from the preview to the bank file."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for

from coop.clock import now
from coop.confirmations import service as confirmations
from coop.core.errors import NotFound, RuleBroken
from coop.payouts import service
from coop.sending import service as sending
from coop.transfers import service as transfers
from coop.treasury import forms, queries
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import fresh, treasurer, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("treasury", __name__)


@bp.get("/payouts")
@treasurer
def runs() -> Page:
    with reading() as session:
        page = queries.runs_page(session, number=page_number())
    return render_template("treasury/runs.html", page=page)


@bp.get("/payouts/<int:run_id>")
@treasurer
def run(run_id: int) -> Page:
    return render_template("treasury/run.html", page=_run_page(run_id), has_folder=settings().bank_folder is not None)


@bp.get("/payouts/<int:run_id>/status")
@treasurer
def status(run_id: int) -> Page:
    return render_template("treasury/status.html", page=_run_page(run_id))


@bp.route("/payouts/<int:run_id>/approval", methods=["GET", "POST"])
@fresh(treasurer)
def approve(run_id: int) -> Answer:
    form = forms.ApproveForm()
    if form.accepted():
        with heeding(form):
            transfers.approve(db(), run_id, by=viewer().person_id, at=now())
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
@fresh(treasurer)
def make_file(run_id: int) -> Answer:
    posted_key()
    transfers.make_file(db(), run_id, by=viewer().person_id, at=now(), field_key=settings().field_key)
    flash("The bank file is made and stored. Download it and hand it to your bank.", "good")
    return redirect(url_for(".run", run_id=run_id), code=303)


@bp.get("/payouts/<int:run_id>/file")
@fresh(treasurer)
def file(run_id: int) -> Response:
    with reading() as session:
        stored = queries.file_of_run(session, run_id)
    headers = {"Content-Disposition": f'attachment; filename="{stored.name}"'}
    return Response(stored.content, mimetype=_KINDS[stored.name.rpartition(".")[2]], headers=headers)


@bp.post("/payouts/<int:run_id>/submissions/<way>")
@treasurer
def hand_in(run_id: int, way: str) -> Answer:
    posted_key()
    by_folder = way == "folder"
    if way not in {"folder", "hand"} or (by_folder and settings().bank_folder is None):
        raise NotFound
    sending.begin(db(), run_id, by_folder=by_folder, by=viewer().person_id, at=now())
    return redirect(url_for(".run", run_id=run_id), code=303)


@bp.route("/payouts/<int:run_id>/bank-answer", methods=["GET", "POST"])
@treasurer
def bank_answer(run_id: int) -> Answer:
    form = forms.BankAnswerForm()
    if form.accepted():
        with heeding(form):
            said = {"reason": form.reason.data, "by": viewer().person_id, "at": now()}
            sending.note_answer(db(), run_id, form.said.data, **said)
            flash(_NOTED[form.said.data], "good")
            return redirect(url_for(".run", run_id=run_id), code=303)
    return render_template("treasury/bank_answer.html", page=_run_page(run_id), form=form), form.status


@bp.post("/payouts/<int:run_id>/again")
@treasurer
def try_again(run_id: int) -> Answer:
    posted_key()
    service.try_again(db(), run_id, by=viewer().person_id, at=now())
    return redirect(url_for(".run", run_id=run_id), code=303)


@bp.post("/payouts/<int:run_id>/closing")
@treasurer
def close(run_id: int) -> Answer:
    posted_key()
    sending.close(db(), run_id, by=viewer().person_id, at=now())
    flash("Closed. Nothing more is expected of this run.", "good")
    return redirect(url_for(".run", run_id=run_id), code=303)


@bp.route("/payouts/<int:run_id>/payments/<int:payment_id>", methods=["GET", "POST"])
@treasurer
def payment(run_id: int, payment_id: int) -> Answer:
    form = forms.PaymentFateForm()
    if form.accepted():
        with heeding(form):
            _note_fate(run_id, payment_id, form)
            flash("Noted. The bank's own line is tied to it when its statement is taken in.", "good")
            return redirect(url_for(".run", run_id=run_id), code=303)
    with reading() as session:
        page = queries.payment_page(session, run_id, payment_id)
    return render_template("treasury/payment.html", page=page, form=form), form.status


def _note_fate(run_id: int, payment_id: int, form: forms.PaymentFateForm) -> None:
    with reading() as session:
        queries.payment_page(session, run_id, payment_id)
    said: dict[str, Any] = {"on": form.on.data, "by": viewer().person_id, "at": now(), "key": str(form.key.data)}
    if form.on.data > today():
        raise RuleBroken("future_date", "Give the day on which the bank did it: today or earlier.", field="on")
    if form.said.data == "paid":
        confirmations.confirm(db(), payment_id, **said)
    elif form.said.data == "refused":
        confirmations.refuse(db(), payment_id, reason_code=form.reason.data, **said)
    else:
        fee = form.fee.data or 0
        confirmations.take_back(db(), payment_id, bank_fee=fee, reason_code=form.reason.data, **said)


_KINDS = {"xml": "application/xml", "ach": "text/plain", "csv": "text/csv"}
_NOTED = {
    "accepted": "Noted: the bank has it. Its statement will say what was paid.",
    "not_accepted": "Noted. The same file can be handed in once more.",
    "unknown": "Noted. Ask the bank before anything else is done with this file.",
}


def _run_page(run_id: int) -> queries.RunPage:
    here = viewer()
    with reading() as session:
        asked = queries.Asked(sought(), page_number(), here.person_id, here.artisan_ids)
        return queries.run_page(session, run_id, asked, at=now())
