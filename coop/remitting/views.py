"""Bank files for payments to members, for treasurers: from what is owed to the stored file and its end."""

from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, url_for

from coop.clock import now
from coop.remitting import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import fresh, treasurer, viewer
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("remitting", __name__)


@bp.get("/books/household-payments/files")
@treasurer
def files() -> Page:
    with reading() as session:
        page = queries.files_page(session, at=now())
    return render_template("remitting/files.html", page=page)


@bp.post("/books/household-payments/files")
@fresh(treasurer)
def ask() -> Answer:
    file_id = service.ask(db(), by=viewer().person_id, at=now(), key=posted_key())
    flash("It waits for a second person now.")
    return redirect(url_for(".file", file_id=file_id), code=303)


@bp.get("/books/household-payments/files/<int:file_id>")
@treasurer
def file(file_id: int) -> Page:
    return render_template("remitting/file.html", page=_page(file_id))


@bp.route("/books/household-payments/files/<int:file_id>/approval", methods=["GET", "POST"])
@fresh(treasurer)
def make(file_id: int) -> Answer:
    form = forms.AgreeForm()
    if form.accepted():
        with heeding(form):
            service.make(db(), file_id, by=viewer().person_id, at=now(), field_key=settings().field_key)
            flash("Approved, and the bank file is stored. Download it and hand it to your bank.", "good")
            return redirect(url_for(".file", file_id=file_id), code=303)
    return render_template("remitting/make.html", page=_page(file_id), form=form), form.status


@bp.post("/books/household-payments/files/<int:file_id>/withdrawal")
@treasurer
def withdraw(file_id: int) -> Answer:
    posted_key()
    service.withdraw(db(), file_id, by=viewer().person_id, at=now())
    flash("Withdrawn. Its payments go in the next file.", "good")
    return redirect(url_for(".files"), code=303)


@bp.get("/books/household-payments/files/<int:file_id>/download")
@fresh(treasurer)
def download(file_id: int) -> Response:
    with reading() as session:
        stored = queries.stored(session, file_id)
    headers = {"Content-Disposition": f'attachment; filename="{stored.name}"'}
    return Response(stored.content, mimetype=_KINDS[stored.name.rpartition(".")[2]], headers=headers)


@bp.route("/books/household-payments/files/<int:file_id>/paid", methods=["GET", "POST"])
@treasurer
def paid(file_id: int) -> Answer:
    form = forms.PaidForm(on=today())
    if form.accepted():
        with heeding(form):
            service.note_paid(db(), file_id, on=form.on.data, by=viewer().person_id, at=now())
            flash("Noted as paid.", "good")
            return redirect(url_for(".file", file_id=file_id), code=303)
    return render_template("remitting/paid.html", page=_page(file_id), form=form), form.status


@bp.route("/books/household-payments/files/<int:file_id>/refusal", methods=["GET", "POST"])
@fresh(treasurer)
def refused(file_id: int) -> Answer:
    form = forms.RefusedForm()
    if form.accepted():
        with heeding(form):
            service.note_refused(db(), file_id, reason=form.reason.data, by=viewer().person_id, at=now())
            flash("Noted. Its payments go in the next file.", "good")
            return redirect(url_for(".files"), code=303)
    return render_template("remitting/refused.html", page=_page(file_id), form=form), form.status


_KINDS: Final = {"xml": "application/xml", "ach": "text/plain", "csv": "text/csv"}


def _page(file_id: int) -> queries.FilePage:
    with reading() as session:
        return queries.file_page(session, file_id, viewer().person_id)
