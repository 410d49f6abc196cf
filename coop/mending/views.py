"""Putting right what was handed over: for packers the pieces, for treasurers the money too."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.mending import queries, service
from coop.mending.forms import CreditForm, FeeForm, ReasonForm
from coop.web.forms import heeding
from coop.web.guards import mender, treasurer, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("mending", __name__)


@bp.get("/credit-notes")
@treasurer
def notes() -> Page:
    with reading() as session:
        page = queries.notes_page(session, sought(), number=page_number())
    return render_template("mending/notes.html", page=page)


@bp.get("/pickups/orders/<int:order_id>/afterwards")
@mender
def order(order_id: int) -> Page:
    with reading() as session:
        page = queries.after_page(session, order_id)
    return render_template("mending/order.html", page=page)


@bp.route("/pickups/lines/<int:line_id>/credit", methods=["GET", "POST"])
@mender
def credit(line_id: int) -> Answer:
    with reading() as session:
        page = queries.line_page(session, line_id)
    form = CreditForm()
    if form.accepted():
        with heeding(form):
            told = {"reason": form.reason.data, "by": viewer().person_id, "at": now(), "key": form.key.data}
            service.credit_bad(db(), line_id, form.pieces.data, **told)
            flash("Credited. The household and the maker are told by mail.", "good")
            return redirect(url_for(".order", order_id=page.order_id), code=303)
    return render_template("mending/credit.html", page=page, form=form), form.status


@bp.route("/pickups/lines/<int:line_id>/fee", methods=["GET", "POST"])
@treasurer
def fee(line_id: int) -> Answer:
    with reading() as session:
        page = queries.line_page(session, line_id)
    form = FeeForm(fee=page.line.fee_bp)
    if form.accepted():
        with heeding(form):
            told = {"reason": form.reason.data, "by": viewer().person_id, "at": now(), "key": form.key.data}
            service.change_fee(db(), line_id, form.fee.data, **told)
            flash("Changed for all pieces of this line. The difference is booked.", "good")
            return redirect(url_for(".order", order_id=page.order_id), code=303)
    return render_template("mending/fee.html", page=page, form=form), form.status


@bp.route("/pickups/hand-overs/<int:hand_over_id>/undo", methods=["GET", "POST"])
@mender
def undo(hand_over_id: int) -> Answer:
    with reading() as session:
        page = queries.undo_page(session, hand_over_id)
    form = ReasonForm()
    if form.accepted():
        with heeding(form):
            told = {"reason": form.reason.data, "by": viewer().person_id, "at": now(), "key": form.key.data}
            service.undo_hand_over(db(), hand_over_id, **told)
            flash("Taken back. Its pieces wait again.", "good")
            return redirect(url_for(".order", order_id=page.order_id), code=303)
    return render_template("mending/undo.html", page=page, form=form), form.status


@bp.route("/credit-notes/<int:note_id>/undo", methods=["GET", "POST"])
@treasurer
def take_back(note_id: int) -> Answer:
    with reading() as session:
        page = queries.note_of(session, note_id)
    form = ReasonForm()
    if form.accepted():
        with heeding(form):
            told = {"reason": form.reason.data, "by": viewer().person_id, "at": now(), "key": form.key.data}
            service.take_back_note(db(), note_id, **told)
            flash("Taken back by its exact mirror.", "good")
            return redirect(url_for(".order", order_id=page.order_id), code=303)
    return render_template("mending/take_back.html", page=page, form=form), form.status
