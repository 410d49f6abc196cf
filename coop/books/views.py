"""The ledger itself, for whoever keeps the books."""

from flask import Blueprint, render_template

from coop.books import queries
from coop.core.roles import may_see_names
from coop.web.guards import bookkeeper, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("books", __name__)


@bp.get("/books/trial-balance")
@bookkeeper
def trial_balance() -> Page:
    with reading() as session:
        page = queries.trial_balance(session)
    return render_template("books/trial_balance.html", page=page)


@bp.get("/books/chart/<int:code>")
@bookkeeper
def chart(code: int) -> Page:
    with reading() as session:
        page = queries.chart_page(session, code, sought(), number=page_number(), named=may_see_names(viewer()))
    return render_template("books/chart.html", page=page)


@bp.get("/books/accounts/<int:account_id>")
@bookkeeper
def account(account_id: int) -> Page:
    with reading() as session:
        page = queries.account_page(session, account_id, number=page_number(), named=may_see_names(viewer()))
    return render_template("books/account.html", page=page)
