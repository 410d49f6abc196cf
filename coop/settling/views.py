"""What treasurers do with one line of a bank statement."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.bank import queries as bank
from coop.clock import now
from coop.incoming import queries as incoming_queries
from coop.incoming import service as incoming
from coop.settling import forms, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import rows_of, treasurer, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("settling", __name__)

treasurer_of_line = rows_of(treasurer, "treasurer_of_line", bank.line_is_on)


@bp.post("/bank/statements/<int:statement_id>/lines/<int:line_id>/charge")
@treasurer_of_line
def charge(statement_id: int, line_id: int) -> Answer:
    posted_key()
    service.book_charge(db(), line_id, by=viewer().person_id, at=now())
    flash("Booked as a bank charge.", "good")
    return redirect(url_for("bank.statement", statement_id=statement_id), code=303)


@bp.post("/bank/statements/<int:statement_id>/lines/<int:line_id>/of/<int:household_id>")
@treasurer_of_line
def confirm(statement_id: int, line_id: int, household_id: int) -> Answer:
    key = posted_key()
    incoming.confirm_suggestion(db(), line_id, household_id=household_id, by=viewer().person_id, at=now(), key=key)
    flash("Recorded for its household.", "good")
    return redirect(url_for("bank.statement", statement_id=statement_id), code=303)


@bp.post("/bank/statements/<int:statement_id>/lines/<int:line_id>/<kind>/<int:row_id>")
@treasurer_of_line
def settle(statement_id: int, line_id: int, kind: str, row_id: int) -> Answer:
    posted_key()
    service.settle_line(db(), line_id, kind=kind, row_id=row_id, by=viewer().person_id, at=now())
    flash("Settled: the line is known now.", "good")
    return redirect(url_for("bank.statement", statement_id=statement_id), code=303)


@bp.route("/bank/lines/<int:line_id>/split", methods=["GET", "POST"])
@treasurer
def split(line_id: int) -> Answer:
    with reading() as session:
        page = incoming_queries.split_page(session, line_id)
    form = forms.SplitForm()
    if form.accepted():
        with heeding(form):
            _split(line_id, form)
            flash("Split, and recorded for each household.", "good")
            return redirect(url_for("bank.lines"), code=303)
    return render_template("settling/split.html", page=page, form=form), form.status


@bp.route("/bank/lines/<int:line_id>/cards", methods=["GET", "POST"])
@treasurer
def card_payout(line_id: int) -> Answer:
    with reading() as session:
        page = incoming_queries.split_page(session, line_id)
    form = forms.CardPayoutForm()
    if form.accepted():
        with heeding(form):
            service.book_card_payout(db(), line_id, fee_minor=form.fee.data, by=viewer().person_id, at=now())
            flash("Booked: the provider passed it on.", "good")
            return redirect(url_for("bank.lines"), code=303)
    return render_template("settling/card_payout.html", page=page, form=form), form.status


def _split(line_id: int, form: forms.SplitForm) -> None:
    with reading() as session:
        parts = form.told(lambda words: incoming_queries.household_meant(session, words))
    incoming.split_receipt(db(), line_id, parts, by=viewer().person_id, at=now(), key=str(form.key.data))
