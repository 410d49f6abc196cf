"""Ordering in a pool."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from coop.clock import now
from coop.ordering.queries import prospects_of
from coop.orders import queries, service
from coop.orders.forms import order_form
from coop.web.forms import heeding
from coop.web.guards import member, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("ordering", __name__)


@bp.route("/pools/<int:pool_id>", methods=["GET", "POST"])
@member
def pool(pool_id: int) -> Answer:
    form = order_form()
    if form.accepted():
        with heeding(form):
            named: dict[str, Any] = {"keep_others": True, "most": form.bound(), "key": form.key.data} | _whose()
            service.place_order(db(), pool_id, form.wishes(), **named, at=now())
            flash("Your order is saved. You can change it until the cut-off.", "good")
            return redirect(url_for(".pool", pool_id=pool_id, **_asked()), code=303)
    with reading() as session:
        page = queries.pool_page(session, pool_id, _household(), sought(), number=page_number(), at=now())
        form.show_bound(page.most_minor)
        prospects = prospects_of(session, page, _household())
    return render_template("ordering/pool.html", page=page, form=form, asked=_asked(), prospects=prospects), form.status


def _whose() -> dict[str, int]:
    return {"household_id": _household(), "by": viewer().person_id}


def _asked() -> dict[str, Any]:
    """Return the search and the page asked for, to come back to."""
    return {name: value for name, value in request.args.items() if name in {"q", "page"}}


def _household() -> int:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    return household_id
