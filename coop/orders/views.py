"""Pools to order in, and the household's own orders."""

from flask import Blueprint, render_template

from coop.clock import now
from coop.orders import queries
from coop.web.guards import member, viewer
from coop.web.paging import page_number
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("orders", __name__)


@bp.get("/pools")
@member
def pools() -> Page:
    with reading() as session:
        page = queries.pools_page(session, _household(), number=page_number(), at=now())
    return render_template("orders/pools.html", page=page)


@bp.get("/orders")
@member
def mine() -> Page:
    with reading() as session:
        page = queries.pools_page(session, _household(), number=page_number(), at=now(), only_mine=True)
    return render_template("orders/mine.html", page=page)


def _household() -> int:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    return household_id
