"""Where all the money is, for treasurers."""

from flask import Blueprint, render_template, request

from coop.clock import now
from coop.equation import queries
from coop.web.days import read_day
from coop.web.guards import treasurer
from coop.web.reading import customs, reading
from coop.web.views import Page

bp = Blueprint("equation", __name__)


@bp.get("/books/equation")
@treasurer
def equation() -> Page:
    through = read_day(request.args.get("through", "").strip(), customs().locale)
    with reading() as session:
        page = queries.equation_page(session, through, at=now())
    return render_template("equation/equation.html", page=page)
