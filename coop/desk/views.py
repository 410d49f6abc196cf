"""The admin's first page."""

from flask import Blueprint, render_template

from coop.clock import now
from coop.desk import queries
from coop.web.filters import today
from coop.web.guards import admin
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("desk", __name__)


@bp.get("/admin")
@admin
def desk() -> Page:
    with reading() as session:
        page = queries.today_page(session, at=now(), today=today())
    return render_template("desk/desk.html", page=page)
