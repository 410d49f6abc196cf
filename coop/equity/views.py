"""The register of stakes, buying back, and payments to households, for treasurers."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.equity import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding
from coop.web.guards import fresh, treasurer, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("equity", __name__)


@bp.get("/books/stakes")
@treasurer
def stakes() -> Page:
    with reading() as session:
        page = queries.stakes_page(session, sought(), number=page_number())
    return render_template("equity/stakes.html", page=page)


@bp.get("/books/stakes/<int:household_id>")
@treasurer
def stake(household_id: int) -> Page:
    with reading() as session:
        page = queries.stake_page(session, household_id)
    return render_template("equity/stake.html", page=page)


@bp.route("/books/stakes/<int:household_id>/buyback", methods=["GET", "POST"])
@fresh(treasurer)
def buy_back(household_id: int) -> Answer:
    form = forms.BuyBackForm()
    if form.accepted():
        with heeding(form):
            said = {"of": form.of.data, "reason": form.reason.data, "key": form.key.data}
            service.buy_back(db(), household_id, form.amount.data, by=viewer().person_id, at=now(), **said)
            flash("The payment stands here; send it at your bank.", "good")
            return redirect(url_for(".payments"), code=303)
    with reading() as session:
        page = queries.stake_page(session, household_id)
    return render_template("equity/buy_back.html", page=page, form=form), form.status


@bp.get("/books/household-payments")
@treasurer
def payments() -> Page:
    with reading() as session:
        page = queries.payments_page(session, number=page_number())
    return render_template("equity/payments.html", page=page)


@bp.route("/books/household-payments/<int:payment_id>", methods=["GET", "POST"])
@treasurer
def paid(payment_id: int) -> Answer:
    form = forms.PaidForm(on=today())
    if form.accepted():
        with heeding(form):
            said = {"on": form.on.data, "key": form.key.data}
            service.note_paid(db(), payment_id, by=viewer().person_id, at=now(), **said)
            flash("Noted as paid.", "good")
            return redirect(url_for(".payments"), code=303)
    with reading() as session:
        page = queries.payment(session, payment_id)
    return render_template("equity/paid.html", page=page, form=form), form.status
