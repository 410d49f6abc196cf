"""A maker's batches, and the report of what came out of them."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.batches import service
from coop.clock import now
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import artisan, rows_of, signed_in, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page
from coop.workshop import forms, queries

bp = Blueprint("workshop", __name__)

maker_of_batch = rows_of(signed_in, "maker_of_batch", queries.may_report)
maker_itself = rows_of(signed_in, "maker_itself", queries.may_plan)


@bp.get("/workshop")
@artisan
def board() -> Page:
    with reading() as session:
        page = queries.workshop_page(session, viewer().artisan_ids, sought(), number=page_number(), at=now())
    return render_template("workshop/board.html", page=page)


@bp.get("/workshop/batches/<int:batch_id>")
@maker_of_batch
def batch(batch_id: int) -> Page:
    with reading() as session:
        page = queries.batch_page(session, batch_id, at=now())
    return render_template("workshop/batch.html", page=page)


@bp.route("/batches/<int:batch_id>/yield", methods=["GET", "POST"])
@maker_of_batch
def report(batch_id: int) -> Answer:
    with reading() as session:
        page = queries.batch_page(session, batch_id, at=now())
    form = forms.YieldForm(page.batch, data={"made_on": today()})
    if form.accepted():
        with heeding(form):
            service.report_yield(db(), batch_id, **form.report(), by=viewer().person_id, at=now(), key=form.key.data)
            flash("Thank you. The report is in, and members see it at once.", "good")
            return redirect(url_for(".batch", batch_id=batch_id), code=303)
    return render_template("workshop/report.html", page=page, form=form), form.status


@bp.post("/batches/<int:batch_id>/start")
@maker_of_batch
def start(batch_id: int) -> Answer:
    posted_key()
    service.start_batch(db(), batch_id, by=viewer().person_id, at=now())
    return redirect(url_for(".batch", batch_id=batch_id), code=303)


@bp.route("/batches/<int:batch_id>/story", methods=["GET", "POST"])
@maker_of_batch
def story(batch_id: int) -> Answer:
    with reading() as session:
        page = queries.batch_page(session, batch_id, at=now())
    form = forms.StoryForm(data={"story": page.story})
    if form.accepted():
        service.tell_story(db(), batch_id, story=form.story.data, by=viewer().person_id)
        return redirect(url_for("makers.batch", batch_id=batch_id), code=303)
    return render_template("workshop/story.html", page=page, form=form), form.status


@bp.route("/makers/<int:artisan_id>/batches/new", methods=["GET", "POST"])
@maker_itself
def plan(artisan_id: int) -> Answer:
    with reading() as session:
        page = queries.plan_page(session, artisan_id)
    form = forms.PlanForm(page.products)
    if form.accepted():
        with heeding(form):
            whose: dict[str, Any] = {"artisan_id": artisan_id, "by": viewer().person_id, "key": form.key.data}
            made = service.schedule_batch(db(), form.product.data, **form.plan(), **whose)
            return redirect(url_for(".batch", batch_id=made), code=303)
    return render_template("workshop/plan.html", page=page, form=form), form.status
