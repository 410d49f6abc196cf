"""Members, for admins."""

from flask import Blueprint, render_template

from coop.households import queries
from coop.web.guards import admin
from coop.web.paging import page_number, sought
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("households", __name__)


@bp.get("/admin/members")
@admin
def everybody() -> Page:
    with reading() as session:
        page = queries.members_page(session, sought(), number=page_number())
    return render_template("households/everybody.html", page=page)


@bp.get("/admin/members/<int:household_id>")
@admin
def household(household_id: int) -> Page:
    with reading() as session:
        page = queries.member_page(session, household_id, number=page_number())
    return render_template("households/household.html", page=page)
