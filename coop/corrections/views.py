"""Sharing out a batch anew after its yield was corrected: what could be, asking, the differences, deciding. For admins."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.corrections import forms, queries, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, viewer
from coop.web.paging import page_number
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("corrections", __name__)


@bp.get("/pools/<int:pool_id>/corrections")
@admin
def of_pool(pool_id: int) -> Page:
    with reading() as session:
        page = queries.corrections_page(session, pool_id)
    return render_template("corrections/of_pool.html", page=page)


@bp.post("/offerings/<int:offering_id>/corrections")
@admin
def ask(offering_id: int) -> Answer:
    posted_key()
    correction_id = service.request_correction(db(), offering_id, by=viewer().person_id, at=now())
    return redirect(url_for(".correction", correction_id=correction_id), code=303)


@bp.get("/corrections/<int:correction_id>")
@admin
def correction(correction_id: int) -> Page:
    with reading() as session:
        page = queries.correction_page(session, correction_id, number=page_number(), at=now())
    return render_template("corrections/correction.html", page=page)


@bp.get("/corrections/<int:correction_id>/status")
@admin
def status(correction_id: int) -> Page:
    with reading() as session:
        page = queries.progress_page(session, correction_id, at=now())
    return render_template("corrections/status.html", page=page)


@bp.post("/corrections/<int:correction_id>/publish")
@admin
def publish(correction_id: int) -> Answer:
    posted_key()
    service.publish(db(), correction_id, by=viewer().person_id, at=now())
    return redirect(url_for(".correction", correction_id=correction_id), code=303)


@bp.route("/corrections/<int:correction_id>/aside", methods=["GET", "POST"])
@admin
def put_aside(correction_id: int) -> Answer:
    form = forms.PutAsideForm()
    if form.accepted():
        with heeding(form):
            service.cancel_correction(db(), correction_id, by=viewer().person_id, reason=form.reason.data)
            flash("This correction is put aside. The batch stays as it was shared out.")
            return redirect(url_for(".correction", correction_id=correction_id), code=303)
    with reading() as session:
        page = queries.progress_page(session, correction_id, at=now())
    return render_template("corrections/put_aside.html", page=page, form=form), form.status
