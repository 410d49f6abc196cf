"""Entries by hand, for treasurers."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.vouchers import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import fresh, treasurer, viewer
from coop.web.paging import page_number
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("vouchers", __name__)


@bp.get("/books/by-hand")
@treasurer
def vouchers() -> Page:
    with reading() as session:
        page = queries.vouchers_page(session, viewer().person_id, number=page_number())
    return render_template("vouchers/vouchers.html", page=page)


@bp.route("/books/by-hand/new", methods=["GET", "POST"])
@fresh(treasurer)
def write() -> Answer:
    form = forms.VoucherForm(on=today())
    if form.accepted():
        with heeding(form):
            said = {"on": form.on.data, "reason": form.reason.data, "key": form.key.data}
            voucher_id = service.write(db(), form.told(), by=viewer().person_id, at=now(), **said)
            flash("Written. It counts once a second person says so.", "good")
            return redirect(url_for(".voucher", voucher_id=voucher_id), code=303)
    return render_template("vouchers/write.html", form=form), form.status


@bp.get("/books/by-hand/<int:voucher_id>")
@treasurer
def voucher(voucher_id: int) -> Page:
    with reading() as session:
        page = queries.voucher(session, voucher_id, viewer().person_id)
    return render_template("vouchers/voucher.html", page=page)


@bp.route("/books/by-hand/<int:voucher_id>/approval", methods=["GET", "POST"])
@fresh(treasurer)
def approve(voucher_id: int) -> Answer:
    form = forms.AgreeForm()
    if form.accepted():
        with heeding(form):
            service.approve(db(), voucher_id, by=viewer().person_id, at=now())
            flash("Booked.", "good")
            return redirect(url_for(".voucher", voucher_id=voucher_id), code=303)
    with reading() as session:
        page = queries.voucher(session, voucher_id, viewer().person_id)
    return render_template("vouchers/approve.html", page=page, form=form), form.status


@bp.post("/books/by-hand/<int:voucher_id>/withdrawal")
@treasurer
def withdraw(voucher_id: int) -> Answer:
    posted_key()
    service.withdraw(db(), voucher_id, by=viewer().person_id, at=now())
    flash("Taken back; it never counts.")
    return redirect(url_for(".vouchers"), code=303)
