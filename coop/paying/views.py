"""A household's payment page."""

from flask import Blueprint, render_template, request

from coop.clock import now
from coop.paying import forms, queries
from coop.web.guards import member, viewer
from coop.web.reading import reading
from coop.web.views import Answer

bp = Blueprint("paying", __name__)


@bp.get("/pay")
@member
def pay() -> Answer:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    amount_minor, typed, wrong = forms.asked_amount()
    with reading() as session:
        page = queries.pay_page(session, household_id, request.args.get("for", ""), amount_minor, at=now())
    return render_template("paying/pay.html", page=page, typed=typed, wrong=wrong), 422 if wrong else 200
