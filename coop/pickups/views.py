"""Where a household fetches."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.pickups import queries, service
from coop.pickups.forms import PointForm
from coop.web.forms import heeding
from coop.web.guards import member, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("pickups", __name__)


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
