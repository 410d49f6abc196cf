"""A household's balance, for its members."""

from flask import Blueprint, render_template

from coop.ledger import queries
from coop.web.guards import member, viewer
from coop.web.paging import page_number
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("ledger", __name__)


@bp.get("/balance")
@member
def balance() -> Page:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    with reading() as session:
        page = queries.balance_page(session, household_id, number=page_number())
    return render_template("ledger/balance.html", page=page)
