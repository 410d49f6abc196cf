"""Statements, for the makers they are written to, and for those who answer for the money."""

from flask import Blueprint, render_template

from coop.clock import now
from coop.statements import queries
from coop.web.guards import statement_reader, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("statements", __name__)


@bp.get("/statements")
@statement_reader
def mine() -> Page:
    with reading() as session:
        page = queries.statements_page(session, viewer(), sought(), number=page_number(), at=now())
    return render_template("statements/mine.html", page=page)
