"""The lines of a batch in an outcome, changing one by hand, and deciding on what others changed: for admins."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.overrides import forms, queries, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("overrides", __name__)


@bp.get("/allocation/<int:run_id>/batches/<int:offering_id>")
@admin
def lines(run_id: int, offering_id: int) -> Page:
    with reading() as session:
        page = queries.lines_page(session, run_id, offering_id, sought(), number=page_number())
    return render_template("overrides/lines.html", page=page)


@bp.route("/allocation/<int:run_id>/lines/<int:line_id>", methods=["GET", "POST"])
@admin
def change(run_id: int, line_id: int) -> Answer:
    form, by, secret = forms.OverrideForm(), viewer().person_id, settings().field_key
    if form.accepted():
        with heeding(form):
            typed = {"pieces": form.pieces.data, "reason": form.reason.data}
            service.override(db(), run_id, line_id, **typed, by=by, at=now(), field_key=secret)
            flash("It waits for a second person now.")
            return redirect(url_for(".of_run", run_id=run_id), code=303)
    with reading() as session:
        page = queries.override_page(session, run_id, line_id)
    return render_template("overrides/change.html", page=page, form=form), form.status


@bp.get("/allocation/<int:run_id>/overrides")
@admin
def of_run(run_id: int) -> Page:
    with reading() as session:
        page = queries.overrides_page(session, run_id, viewer().person_id, number=page_number())
    return render_template("overrides/of_run.html", page=page)


@bp.post("/overrides/<int:override_id>/approve")
@admin
def approve(override_id: int) -> Answer:
    posted_key()
    with reading() as session:
        run_id = queries.run_of_override(session, override_id)
    service.approve(db(), override_id, by=viewer().person_id, at=now(), field_key=settings().field_key)
    return redirect(url_for(".of_run", run_id=run_id), code=303)


@bp.post("/overrides/<int:override_id>/refuse")
@admin
def refuse(override_id: int) -> Answer:
    posted_key()
    with reading() as session:
        run_id = queries.run_of_override(session, override_id)
    service.refuse(db(), override_id, by=viewer().person_id, at=now())
    return redirect(url_for(".of_run", run_id=run_id), code=303)
