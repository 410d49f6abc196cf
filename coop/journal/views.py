"""The journal, one entry whole, each month, and files of the ledger: for accountants and those who keep the books."""

from tempfile import TemporaryFile
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for

from coop.books import service as books
from coop.clock import now
from coop.core.errors import NotFound
from coop.core.roles import may_handle_money, may_see_names
from coop.journal import forms, queries
from coop.treasury import service as treasury
from coop.web.forms import heeding
from coop.web.guards import bookkeeper, fresh, guard_of, treasurer, viewer
from coop.web.paging import page_number
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("journal", __name__)

ENDINGS: Final = {"beancount": "beancount", "hledger": "journal", "csv": "csv", "xlsx": "xlsx"}


@bp.get("/books/journal")
@bookkeeper
def everything() -> Page:
    with reading() as session:
        page = queries.journal_page(session, forms.asked(), number=page_number(), named=may_see_names(viewer()))
    return render_template("journal/everything.html", page=page, typed=request.args, odd=forms.not_understood())


@bp.get("/books/entries/<int:entry_id>")
@bookkeeper
def entry(entry_id: int) -> Page:
    with reading() as session:
        page = queries.entry_page(session, entry_id, named=may_see_names(viewer()))
    opens = {one.endpoint for one in page.about if _opens(one.endpoint)}
    return render_template("journal/entry.html", page=page, opens=opens, acts=may_handle_money(viewer()))


def _opens(endpoint: str) -> bool:
    """Whether a page that an entry is about opens for the viewer; what is somebody's own opens for those who handle money alone."""
    guard = guard_of(endpoint)
    return guard is not None and guard.lets_in(viewer()) and (guard.row is None or may_handle_money(viewer()))


@bp.route("/books/entries/<int:entry_id>/reverse", methods=["GET", "POST"])
@fresh(treasurer)
def reverse(entry_id: int) -> Answer:
    form = forms.ReverseForm()
    if form.accepted():
        with heeding(form):
            by, key = viewer().person_id, form.key.data
            mirror = treasury.reverse(db(), entry_id, reason=form.reason.data, by=by, at=now(), key=key)
            flash("Reversed by its exact mirror.", "good")
            return redirect(url_for(".entry", entry_id=mirror), code=303)
    with reading() as session:
        page = queries.entry_page(session, entry_id, named=True)
    return render_template("journal/reverse.html", page=page, form=form), form.status


@bp.get("/books/balances")
@bookkeeper
def months() -> Page:
    with reading() as session:
        page = queries.months(session)
    return render_template("journal/months.html", page=page)


@bp.get("/books/balances/<int:period_id>")
@bookkeeper
def month(period_id: int) -> Page:
    with reading() as session:
        page = queries.month_page(session, period_id)
    return render_template("journal/month.html", page=page)


@bp.get("/books/downloads")
@bookkeeper
def downloads() -> Page:
    return render_template("journal/downloads.html", page=ENDINGS)


@bp.get("/books/ledger/<form>")
@fresh(bookkeeper)
def ledger(form: str) -> Response:
    if form not in ENDINGS:
        raise NotFound
    out = TemporaryFile()  # noqa: SIM115 - the answer reads and closes it
    books.write_ledger(db(), out, form=form, at=now(), words=may_see_names(viewer()))
    out.seek(0)
    return send_file(out, "application/octet-stream", as_attachment=True, download_name=f"ledger.{ENDINGS[form]}")
