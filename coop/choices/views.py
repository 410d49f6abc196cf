"""Naming what one would take instead."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.choices import queries, service
from coop.choices.forms import InsteadForm
from coop.clock import now
from coop.web.forms import heeding
from coop.web.guards import member, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("choices", __name__)


@bp.route("/pools/<int:pool_id>/instead/<int:offering_id>", methods=["GET", "POST"])
@member
def instead(pool_id: int, offering_id: int) -> Answer:
    form = InsteadForm()
    with reading() as session:
        page = queries.instead_page(session, pool_id, offering_id, _household())
    form.offer(page.batches, page.chosen)
    if form.accepted():
        with heeding(form):
            whose = {"household_id": _household(), "by": viewer().person_id}
            service.choose(db(), pool_id, page.offering_id, form.named(), key=form.key.data, at=now(), **whose)
            flash("Saved. You can change it until the cut-off.", "good")
            return redirect(url_for("ordering.pool", pool_id=pool_id), code=303)
    return render_template("choices/instead.html", page=page, form=form), form.status


def _household() -> int:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    return household_id
