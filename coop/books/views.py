"""The ledger itself, for whoever keeps the books."""

from flask import Blueprint, render_template

from coop.books import queries
from coop.web.guards import treasurer
from coop.web.paging import page_number, sought
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("books", __name__)


@bp.get("/books/trial-balance")
@treasurer
def trial_balance() -> Page:
    with reading() as session:
        page = queries.trial_balance(session)
    return render_template("books/trial_balance.html", page=page)


@bp.get("/books/chart/<int:code>")
@treasurer
def chart(code: int) -> Page:
    with reading() as session:
        page = queries.chart_page(session, code, sought(), number=page_number())
    return render_template("books/chart.html", page=page)


@bp.get("/books/accounts/<int:account_id>")
@treasurer
def account(account_id: int) -> Page:
    with reading() as session:
        page = queries.account_page(session, account_id, number=page_number())
    return render_template("books/account.html", page=page)
