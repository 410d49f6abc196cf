"""Packing lists, for packers: on the screen fifty households at a time, on paper all of them."""

import re

from flask import Blueprint, render_template, request

from coop.packing import queries
from coop.web.filters import today
from coop.web.guards import packer
from coop.web.paging import page_number, sought
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("packing", __name__)


@bp.get("/pickups")
@packer
def everything() -> Page:
    with reading() as session:
        page = queries.pickups_page(session, number=page_number(), today=today())
    return render_template("packing/everything.html", page=page)


@bp.get("/pickups/<int:pool_id>")
@packer
def pool(pool_id: int) -> Page:
    with reading() as session:
        page = queries.packing_page(session, pool_id, sought(), number=page_number(), point_id=_point())
    return render_template("packing/pool.html", page=page)


@bp.get("/pickups/<int:pool_id>/sheets")
@packer
def sheets(pool_id: int) -> Page:
    with reading() as session:
        page = queries.packing_page(session, pool_id, "", number=1, point_id=_point(), most=queries.WHOLE)
    return render_template("packing/sheets.html", page=page)


def _point() -> int | None:
    """Return the pickup point that the list is narrowed to; whatever is no number narrows nothing."""
    typed = request.args.get("point", "")
    return int(typed) if re.fullmatch("[0-9]{1,18}", typed) else None
