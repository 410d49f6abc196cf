"""The pools, for admins."""

from flask import Blueprint, render_template

from coop.clock import now
from coop.office import queries
from coop.web.filters import today
from coop.web.guards import admin
from coop.web.paging import page_number, sought
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("office", __name__)


@bp.get("/admin/pools")
@admin
def pools() -> Page:
    with reading() as session:
        page = queries.pools_page(session, sought(), number=page_number(), at=now(), today=today())
    return render_template("office/pools.html", page=page)


@bp.get("/admin/pools/<int:pool_id>")
@admin
def pool(pool_id: int) -> Page:
    with reading() as session:
        page = queries.pool_page(session, pool_id, sought(), number=page_number(), at=now(), today=today())
    return render_template("office/pool.html", page=page)
