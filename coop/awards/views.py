"""What a member's household got of a pool."""

from flask import Blueprint, render_template

from coop.awards import queries
from coop.core.errors import NotFound
from coop.web.guards import member, viewer
from coop.web.paging import page_number
from coop.web.reading import reading, settings
from coop.web.views import Page

bp = Blueprint("awards", __name__)


@bp.get("/pools/<int:pool_id>/awards")
@member
def awards(pool_id: int) -> Page:
    household_id = viewer().household_id
    if household_id is None:
        raise NotFound
    with reading() as session:
        page = queries.awards_page(session, pool_id, household_id, number=page_number(), field_key=settings().field_key)
    return render_template("awards/awards.html", page=page)
