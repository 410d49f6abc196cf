"""Documents: a household's own, each as page and paper, and the treasurer's list with what is written and in whose name."""

from datetime import date
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from coop.clock import now
from coop.core.documents import month_named
from coop.core.errors import NotFound
from coop.core.money import format_minor
from coop.documents import forms, queries, service
from coop.formats.csv_writing import write_csv
from coop.papers import service as papers
from coop.web.forms import heeding, posted_key
from coop.web.guards import member, rows_of, signed_in, treasurer, viewer
from coop.web.paging import page_number
from coop.web.reading import customs, db, reading
from coop.web.views import Answer, Page

bp = Blueprint("documents", __name__)

reader_of_document = rows_of(signed_in, "reader_of_document", queries.may_read)

_COLUMNS: Final = ("number", "kind", "written_on", "from", "to", "seller", "household", "gross", "tax", "fund", "deposits", "total", "currency")  # fmt: skip
_MOST_IN_FILE: Final = 100_000


@bp.route("/documents", methods=["GET", "POST"])
@member
def mine() -> Answer:
    household_id = _own_household()
    with reading() as session:
        page = queries.mine_page(session, household_id, number=page_number(), at=now())
    form = forms.AddressForm(address=page.address)
    if form.accepted():
        with heeding(form):
            papers.say_address(db(), household_id, form.address.data or "", **_acting(form))
            flash("Kept for the documents to come.", "good")
            return redirect(url_for(".mine"), code=303)
    return render_template("documents/mine.html", page=page, form=form, kinds=queries.KINDS), form.status


@bp.post("/documents/months/<month>")
@member
def ask_invoices(month: str) -> Answer:
    first = month_named(month)
    if first is None:
        raise NotFound
    asked: dict[str, Any] = {"by": viewer().person_id, "at": now(), "key": posted_key()}
    document_id = papers.ask_invoices(db(), _own_household(), first, **asked)
    return redirect(url_for(".document", document_id=document_id), code=303)


@bp.post("/documents/payments/<int:entry_id>")
@member
def ask_receipt(entry_id: int) -> Answer:
    asked: dict[str, Any] = {"by": viewer().person_id, "at": now(), "key": posted_key()}
    document_id = papers.ask_receipt(db(), _own_household(), entry_id, **asked)
    return redirect(url_for(".document", document_id=document_id), code=303)


@bp.get("/documents/<int:document_id>")
@reader_of_document
def document(document_id: int) -> Page:
    with reading() as session:
        page = queries.document_page(session, document_id)
    return render_template("documents/document.html", page=page, kinds=queries.KINDS, percent=service.percent)


@bp.get("/documents/<int:document_id>.pdf")
@reader_of_document
def paper(document_id: int) -> Response:
    with reading() as session:
        page, content = queries.document_page(session, document_id), service.stored_paper(session, document_id)
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{page.row.reference}.pdf"'
    return answer


@bp.get("/money/documents")
@treasurer
def everything() -> Page:
    with reading() as session:
        page = queries.all_page(session, forms.sought(), number=page_number())
    return render_template("documents/everything.html", page=page, typed=request.args, odd=forms.not_understood(), kinds=queries.KINDS)  # fmt: skip


@bp.get("/money/documents.csv")
@treasurer
def file() -> Response:
    with reading() as session:
        rows = queries.all_page(session, forms.sought(), number=1, most=_MOST_IN_FILE).rows
    answer = Response(b"".join(write_csv(_COLUMNS, map(_cells, rows))), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="documents.csv"'
    return answer


@bp.route("/money/documents/settings", methods=["GET", "POST"])
@treasurer
def habit() -> Answer:
    with reading() as session:
        page = queries.habit_page(session, at=now())
    settled = page.habit
    since = settled.since if settled.since != date.max else now().date().replace(day=1)
    form = forms.HabitForm(invoices=settled.invoices, receipts=settled.receipts, since=since)
    if form.accepted():
        with heeding(form):
            papers.settle_habit(db(), form.settled(), **_acting(form))
            flash("This counts from now on.", "good")
            return redirect(url_for(".habit"), code=303)
    return render_template("documents/habit.html", page=page, form=form), form.status


@bp.route("/money/documents/sellers/<int:artisan_id>", methods=["GET", "POST"])
@treasurer
def seller(artisan_id: int) -> Answer:
    with reading() as session:
        page = queries.seller_row(session, artisan_id)
    named = ("legal_name", "address", "tax_number")
    form = forms.SellerForm(**{name: getattr(page.seller, name) for name in named if page.seller})
    if form.accepted():
        with heeding(form):
            said: dict[str, Any] = {name: form[name].data or "" for name in named}
            papers.name_seller(db(), page.artisan_id, **said, **_acting(form))
            flash("It stands on the documents to come.", "good")
            return redirect(url_for(".habit"), code=303)
    return render_template("documents/seller.html", page=page, form=form), form.status


def _acting(form: Any) -> dict[str, Any]:
    return {"by": viewer().person_id, "at": now(), "key": form.key.data}


def _own_household() -> int:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    return household_id


def _cells(row: queries.DocumentRow) -> tuple[str | date, ...]:
    exponent = customs().exponent
    minors = (row.gross_minor, row.tax_minor, row.fund_minor, row.deposit_minor, row.total_minor)
    told = (row.reference, row.kind, row.issued_on, row.starts, row.ends, row.seller, row.household)
    return (*told, *(format_minor(minor, exponent) for minor in minors), customs().currency)
