"""The ticking off, for packers; and where a household fetches."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.pickups import queries, service
from coop.pickups.forms import PointForm, tick_form
from coop.web.forms import heeding
from coop.web.guards import member, packer, viewer
from coop.web.paging import page_number
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("pickups", __name__)


@bp.route("/pickups/orders/<int:order_id>", methods=["GET", "POST"])
@packer
def tick(order_id: int) -> Answer:
    form = tick_form()
    if form.accepted():
        with heeding(form):
            by, key, age_checked = viewer().person_id, form.key.data, form.age_checked.data
            service.hand_over(db(), order_id, form.pieces(), by=by, at=now(), key=key, age_checked=age_checked)
            flash("Handed over and noted.", "good")
            return redirect(url_for(".tick", order_id=order_id), code=303)
    with reading() as session:
        page = queries.tick_page(session, order_id, number=page_number(), shown=form.line_ids)
    return render_template("pickups/tick.html", page=page, form=form), form.status


@bp.route("/pickup-point", methods=["GET", "POST"])
@member
def point() -> Answer:
    household_id = viewer().household_id or 0
    with reading() as session:
        page = queries.points_page(session, household_id)
    form = PointForm().offer(page)
    if form.accepted():
        with heeding(form):
            service.choose_point(db(), household_id, form.point.data, by=viewer().person_id)
            flash("You fetch there from now on.", "good")
            return redirect(url_for(".point"), code=303)
    return render_template("pickups/point.html", page=page, form=form), form.status
