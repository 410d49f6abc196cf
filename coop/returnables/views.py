"""The ticking off at the pickup, with the jars that come back; what is out, for members and treasurers."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.catalog import service as catalog
from coop.clock import now
from coop.pickups import service as pickups
from coop.pickups.forms import TickForm, tick_form
from coop.returnables import forms, queries, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import member, packer, treasurer, viewer
from coop.web.paging import page_number
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("returnables", __name__)


@bp.route("/pickups/orders/<int:order_id>", methods=["GET", "POST"])
@packer
def tick(order_id: int) -> Answer:
    form = tick_form()
    if form.accepted():
        with heeding(form):
            by, key, age_checked = viewer().person_id, form.key.data, form.age_checked.data
            pickups.hand_over(db(), order_id, form.pieces(), by=by, at=now(), key=key, age_checked=age_checked)
            flash("Handed over and noted.", "good")
            return redirect(url_for(".tick", order_id=order_id), code=303)
    return _at_the_table(order_id, form, forms.PiecesForm(formdata=None)), form.status


@bp.post("/pickups/orders/<int:order_id>/containers")
@packer
def back(order_id: int) -> Answer:
    form = forms.with_kinds(forms.PiecesForm)
    with reading() as session:
        household_id = queries.household_of(session, order_id)
    if form.accepted():
        with heeding(form):
            by, key = viewer().person_id, form.key.data
            service.bring_back(db(), household_id, form.pieces(), by=by, at=now(), key=key)
            flash("Taken back; the deposit is credit now.", "good")
            return redirect(url_for(".tick", order_id=order_id), code=303)
    return _at_the_table(order_id, TickForm(formdata=None), form), form.status


@bp.get("/balance/containers")
@member
def mine() -> Page:
    with reading() as session:
        page = queries.household_page(session, viewer().household_id or 0, number=page_number())
    return render_template("returnables/mine.html", page=page)


@bp.get("/money/containers")
@treasurer
def everybody() -> Page:
    with reading() as session:
        page = queries.register_page(session, number=page_number(), at=now())
    return render_template("returnables/everybody.html", page=page)


@bp.route("/money/containers/new", methods=["GET", "POST"])
@treasurer
def kind() -> Answer:
    form = forms.KindForm()
    if form.accepted():
        with heeding(form):
            name, by = form.name.data, viewer().person_id
            catalog.add_container_type(db(), name, deposit_minor=form.deposit.data, by=by, key=form.key.data)
            return redirect(url_for(".everybody"), code=303)
    return render_template("returnables/kind.html", form=form), form.status


@bp.route("/money/containers/<int:type_id>", methods=["GET", "POST"])
@treasurer
def rename(type_id: int) -> Answer:
    with reading() as session:
        page = queries.kind_named(session, type_id)
    form = forms.RenameForm(name=page.name)
    if form.accepted():
        with heeding(form):
            catalog.rename_container_type(db(), type_id, form.name.data, by=viewer().person_id)
            return redirect(url_for(".everybody"), code=303)
    return render_template("returnables/rename.html", page=page, form=form), form.status


@bp.route("/money/containers/count", methods=["GET", "POST"])
@treasurer
def count() -> Answer:
    form = forms.with_kinds(forms.CountForm)
    if form.accepted():
        with heeding(form):
            by, key = viewer().person_id, form.key.data
            service.count_at_coop(db(), form.pieces(), note=form.note.data, by=by, at=now(), key=key)
            flash("Counted and noted.", "good")
            return redirect(url_for(".everybody"), code=303)
    with reading() as session:
        page = queries.register_page(session, number=1, at=now())
    return render_template("returnables/count.html", page=page, form=form), form.status


@bp.post("/money/containers/overdue")
@treasurer
def forfeit_overdue() -> Answer:
    households = service.forfeit_overdue(db(), by=viewer().person_id, at=now(), key=posted_key())
    flash(f"Forfeited by the co-op's rule. Households: {households}.", "good")
    return redirect(url_for(".everybody"), code=303)


@bp.route("/money/containers/of/<int:household_id>", methods=["GET", "POST"])
@treasurer
def household(household_id: int) -> Answer:
    form = forms.with_kinds(forms.ForfeitForm)
    if form.accepted():
        with heeding(form):
            by, key = viewer().person_id, form.key.data
            service.forfeit(db(), household_id, form.pieces(), reason=form.reason.data, by=by, at=now(), key=key)
            flash("Forfeited: the deposit is the co-op's now.", "good")
            return redirect(url_for(".household", household_id=household_id), code=303)
    with reading() as session:
        page = queries.household_page(session, household_id, number=page_number())
    return render_template("returnables/household.html", page=page, form=form), form.status


@bp.route("/money/containers/moves/<int:move_id>/undo", methods=["GET", "POST"])
@treasurer
def undo(move_id: int) -> Answer:
    with reading() as session:
        page = queries.move_page(session, move_id)
    form = forms.UndoForm()
    if form.accepted():
        with heeding(form):
            service.undo_move(
                db(), move_id, reason=form.reason.data, by=viewer().person_id, at=now(), key=form.key.data
            )
            flash("Undone by its mirror.", "good")
            return redirect(url_for(".household", household_id=page.household_id), code=303)
    return render_template("returnables/undo.html", page=page, form=form), form.status


def _at_the_table(order_id: int, form: TickForm, returned: forms.PiecesForm) -> Page:
    with reading() as session:
        page = queries.table_page(session, order_id, number=page_number(), shown=form.line_ids)
    return render_template("returnables/tick.html", page=page, form=form, back=returned)
