"""Why a line of an order got what it got: for the household itself, and for admins."""

from flask import Blueprint, render_template

from coop.reasons import queries
from coop.web.guards import rows_of, signed_in
from coop.web.reading import reading, settings
from coop.web.views import Page

bp = Blueprint("reasons", __name__)

line_of_household = rows_of(signed_in, "line_of_household", queries.may_see)


@bp.get("/awards/<int:line_id>/why")
@line_of_household
def why(line_id: int) -> Page:
    with reading() as session:
        page = queries.why_page(session, line_id, field_key=settings().field_key)
    return render_template("reasons/why.html", page=page)
