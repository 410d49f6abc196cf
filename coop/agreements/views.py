"""Makers, for those who run the co-op: products, and where each is paid."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.agreements import forms, queries, service
from coop.catalog import service as catalog
from coop.clock import now
from coop.policy import service as policy
from coop.web.filters import money
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, fresh, treasurer, viewer
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("agreements", __name__)


@bp.route("/makers/new", methods=["GET", "POST"])
@admin
def welcome() -> Answer:
    form = forms.WelcomeForm()
    if form.accepted():
        with heeding(form):
            told: dict[str, Any] = {name: form[name].data for name in ("craft", "town", "distance_km", "story")}
            terms: dict[str, Any] = {
                "fee_bp": form.fee.data,
                "by": viewer().person_id,
                "at": now(),
                "key": form.key.data,
            }
            artisan_id = service.welcome_artisan(db(), form.name.data, **told, **terms)
            return redirect(url_for(".maker", artisan_id=artisan_id), code=303)
    return render_template("agreements/welcome.html", form=form), form.status


@bp.get("/makers/<int:artisan_id>/agreement")
@treasurer
def maker(artisan_id: int) -> Page:
    with reading() as session:
        page = queries.maker_page(session, artisan_id, viewer_id=viewer().person_id)
    return render_template("agreements/maker.html", page=page)


@bp.route("/makers/<int:artisan_id>/story", methods=["GET", "POST"])
@admin
def story(artisan_id: int) -> Answer:
    with reading() as session:
        page = queries.maker_page(session, artisan_id)
    form = forms.StoryForm(data={"craft": page.craft, "town": page.town, "story": page.story})
    if form.accepted():
        told: dict[str, Any] = {name: form[name].data for name in ("craft", "town", "story")}
        catalog.tell_story(db(), artisan_id, **told, by=viewer().person_id)
        return redirect(url_for("makers.maker", artisan_id=artisan_id), code=303)
    return render_template("agreements/story.html", page=page, form=form), form.status


@bp.route("/makers/<int:artisan_id>/products/new", methods=["GET", "POST"])
@admin
def product(artisan_id: int) -> Answer:
    with reading() as session:
        page = queries.maker_page(session, artisan_id)
        kinds = queries.container_kinds(session)
    form = forms.ProductForm().offer((one.id, f"{one.name}, {money(one.deposit_minor)} deposit") for one in kinds)
    if form.accepted():
        with heeding(form):
            told: dict[str, Any] = {name: form[name].data for name in ("line", "story", "family", "min_age")}
            told |= {"container_type_id": form.container.data or None, "containers_each": form.containers_each.data}
            unit = (form.unit_one.data, form.unit_many.data)
            by, key = viewer().person_id, form.key.data
            catalog.list_product(db(), artisan_id, form.name.data, unit=unit, **told, by=by, key=key)
            return redirect(url_for(".maker", artisan_id=artisan_id), code=303)
    return render_template("agreements/product.html", page=page, form=form), form.status


@bp.route("/products/<int:product_id>/makers", methods=["GET", "POST"])
@admin
def makers(product_id: int) -> Answer:
    with reading() as session:
        page = queries.makers_page(session, product_id)
    rows = [{"maker": artisan_id, "part": part_bp} for artisan_id, part_bp in page.others]
    form = forms.MakersForm(first=page.first_bp, others=rows).offer(page.artisan, page.choices)
    if form.accepted():
        with heeding(form):
            parts = form.parts(page.artisan_id)
            service.share_product(db(), product_id, parts, by=viewer().person_id, key=form.key.data)
            flash("Agreed. It counts for what is offered from now on.", "good")
            return redirect(url_for(".maker", artisan_id=page.artisan_id), code=303)
    return render_template("agreements/makers.html", page=page, form=form), form.status


@bp.route("/makers/<int:artisan_id>/bank-details", methods=["GET", "POST"])
@fresh(treasurer)
def bank_details(artisan_id: int) -> Answer:
    form = forms.UsBankDetailsForm() if _pays_by_ach() else forms.BankDetailsForm()
    if form.accepted():
        with heeding(form):
            whose: dict[str, Any] = {"by": viewer().person_id, "at": now(), "field_key": settings().field_key}
            service.change_bank_details(db(), artisan_id, holder=form.holder.data, **forms.typed_account(form), **whose)
            flash(forms.ACCOUNT_KEPT, "good")
            return redirect(url_for(".maker", artisan_id=artisan_id), code=303)
    with reading() as session:
        page = queries.maker_page(session, artisan_id)
    return render_template("agreements/bank_details.html", page=page, form=form), form.status


@bp.post("/makers/bank-details/<int:details_id>/approval")
@fresh(treasurer)
def approve(details_id: int) -> Answer:
    posted_key()
    artisan_id = service.approve_bank_details(db(), details_id, by=viewer().person_id, at=now())
    flash("It counts now, and the next payout goes there once it has rested.", "good")
    return redirect(url_for(".maker", artisan_id=artisan_id), code=303)


@bp.post("/makers/bank-details/<int:details_id>/withdrawal")
@treasurer
def withdraw(details_id: int) -> Answer:
    posted_key()
    artisan_id = service.withdraw_bank_details(db(), details_id, by=viewer().person_id, at=now())
    flash("Taken back. What counted before still does.")
    return redirect(url_for(".maker", artisan_id=artisan_id), code=303)


def _pays_by_ach() -> bool:
    with reading() as session:
        return bool(policy.current(session, "bank_file", at=now()) == "nacha")
