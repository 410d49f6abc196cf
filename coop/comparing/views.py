"""Comparing the rules on one pool: for admins."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from coop.clock import now
from coop.comparing import queries
from coop.web.filters import today
from coop.web.guards import admin
from coop.web.paging import page_number, sought
from coop.web.reading import reading, settings
from coop.web.views import Answer

bp = Blueprint("comparing", __name__)


@bp.get("/pools/<int:pool_id>/compare")
@admin
def compare(pool_id: int) -> Answer:
    beside = request.args.get("beside", "")
    moment: dict[str, Any] = {"at": now(), "today": today(), "field_key": settings().field_key}
    with reading() as session:
        page = queries.compare_page(session, pool_id, beside, sought(), number=page_number(), **moment)
    if page is None:
        return redirect(url_for("sharing.pool", pool_id=pool_id))
    return render_template("comparing/compare.html", page=page), 200
