"""Pools to order in, and the household's own orders."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from coop.clock import now
from coop.orders import queries, service
from coop.orders.forms import order_form
from coop.web.forms import heeding
from coop.web.guards import member, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

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


@bp.route("/pools/<int:pool_id>", methods=["GET", "POST"])
@member
def pool(pool_id: int) -> Answer:
    form = order_form()
    if form.accepted():
        with heeding(form):
            whose: dict[str, Any] = {
                "household_id": _household(),
                "by": viewer().person_id,
                "at": now(),
                "key": form.key.data,
            }
            service.place_order(db(), pool_id, form.wishes(), keep_others=True, **whose)
            flash("Your order is saved. You can change it until the cut-off.", "good")
            return redirect(url_for(".pool", pool_id=pool_id, **_asked()), code=303)
    with reading() as session:
        page = queries.pool_page(session, pool_id, _household(), sought(), number=page_number(), at=now())
    return render_template("orders/pool.html", page=page, form=form, asked=_asked()), form.status


def _asked() -> dict[str, Any]:
    """Return the search and the page asked for, to come back to."""
    return {name: value for name, value in request.args.items() if name in {"q", "page"}}


def _household() -> int:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    return household_id
