"""Planning a pool, putting batches into it, opening and closing it: for admins."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.pools import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("pools", __name__)


@bp.route("/admin/pools/new", methods=["GET", "POST"])
@admin
def plan() -> Answer:
    with reading() as session:
        page = queries.plan_page(session, today=today())
    form = forms.PoolForm()
    form.season.choices = page.seasons
    if form.accepted():
        with heeding(form):
            pool_id = service.announce_pool(db(), **forms.planned(form), by=viewer().person_id, at=now())
            return redirect(url_for("office.pool", pool_id=pool_id), code=303)
    return render_template("pools/plan.html", page=page, form=form), form.status


@bp.get("/admin/pools/<int:pool_id>/batches")
@admin
def batches(pool_id: int) -> Page:
    with reading() as session:
        page = queries.batches_page(session, pool_id, sought(), number=page_number(), at=now())
    return render_template("pools/batches.html", page=page)


@bp.route("/admin/pools/<int:pool_id>/batches/<int:batch_id>", methods=["GET", "POST"])
@admin
def offer(pool_id: int, batch_id: int) -> Answer:
    with reading() as session:
        page = queries.offer_page(session, pool_id, batch_id, at=now())
    form = forms.OfferForm()
    if form.accepted():
        with heeding(form):
            service.offer_batch(db(), pool_id, batch_id, **forms.offered(form), by=viewer().person_id, at=now())
            return redirect(url_for("office.pool", pool_id=pool_id), code=303)
    return render_template("pools/offer.html", page=page, form=form), form.status


@bp.post("/admin/pools/<int:pool_id>/offerings/<int:offering_id>/withdraw")
@admin
def withdraw(pool_id: int, offering_id: int) -> Answer:
    posted_key()
    service.withdraw_offering(db(), pool_id, offering_id, by=viewer().person_id)
    flash("It is taken out of this pool. The batch can be offered again.")
    return redirect(url_for("office.pool", pool_id=pool_id), code=303)


@bp.post("/admin/pools/<int:pool_id>/open")
@admin
def open_pool(pool_id: int) -> Answer:
    posted_key()
    service.open_pool(db(), pool_id, by=viewer().person_id, at=now())
    flash("Orders are open. What is offered stands from now on.", "good")
    return redirect(url_for("office.pool", pool_id=pool_id), code=303)


@bp.route("/admin/pools/<int:pool_id>/close", methods=["GET", "POST"])
@admin
def close(pool_id: int) -> Answer:
    form = forms.CloseForm()
    if form.accepted():
        with heeding(form):
            service.close_pool(db(), pool_id, by=viewer().person_id, at=now(), reason=form.reason.data)
            flash("Orders are closed.", "good")
            return redirect(url_for("office.pool", pool_id=pool_id), code=303)
    with reading() as session:
        page = queries.pool_heading(session, pool_id, at=now())
    return render_template("pools/close.html", page=page, form=form), form.status
