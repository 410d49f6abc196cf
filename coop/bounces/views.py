"""A payment that bounced, noted by a treasurer from the list of payments."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.bounces import queries, service
from coop.bounces.forms import BouncedForm
from coop.clock import now
from coop.web.forms import heeding
from coop.web.guards import treasurer, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("bounces", __name__)


@bp.route("/bank/payments/<int:payment_id>/bounced", methods=["GET", "POST"])
@treasurer
def bounced(payment_id: int) -> Answer:
    form = BouncedForm()
    if form.accepted():
        with heeding(form):
            told = {"reason": form.reason.data, "bank_fee": form.bank_fee.data or 0, "key": str(form.key.data)}
            service.note_bounced(db(), payment_id, on=form.on.data, by=viewer().person_id, at=now(), **told)
            flash("Booked as taken back. The household is told by mail.", "good")
            return redirect(url_for("bank.payments"), code=303)
    with reading() as session:
        page = queries.payment_page(session, payment_id)
    return render_template("bounces/bounced.html", page=page, form=form), form.status
