"""A season and its shares, and the planning of seasons."""

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, url_for

from coop.clock import now
from coop.seasons import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, anyone, viewer, viewer_if_any
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("seasons", __name__)


@bp.get("/season")
@anyone
def season() -> Page:
    here = viewer_if_any()
    household_id = here.household_id if here else None
    with reading() as session:
        page = queries.current_season_page(session, household_id, today=today())
    return render_template("seasons/season.html", page=page)


@bp.get("/seasons")
@admin
def everything() -> Page:
    with reading() as session:
        page = queries.seasons_page(session, today=today())
    return render_template("seasons/everything.html", page=page)


@bp.route("/seasons/new", methods=["GET", "POST"])
@admin
def plan() -> Answer:
    form = forms.SeasonForm()
    if form.accepted():
        with heeding(form):
            said: dict[str, Any] = {name: form[name].data for name in forms.PLANNED}
            kept: dict[str, Any] = {
                "secret": secrets.token_bytes(32),
                "field_key": settings().field_key,
                "key": form.key.data,
            }
            season_id = service.announce_season(db(), **said, **kept, by=viewer().person_id, at=now())
            return redirect(url_for(".sizes", season_id=season_id), code=303)
    return render_template("seasons/plan.html", form=form), form.status


@bp.route("/seasons/<int:season_id>/sizes", methods=["GET", "POST"])
@admin
def sizes(season_id: int) -> Answer:
    form = forms.SizeForm()
    if form.accepted():
        with heeding(form):
            said: dict[str, Any] = {"weight": form.weight.data, "price_minor": form.price.data, "cap": form.cap.data}
            said |= {"price_min_minor": form.price_min.data, "price_max_minor": form.price_max.data}
            who: dict[str, Any] = {"line": form.line.data, "by": viewer().person_id, "key": form.key.data}
            service.offer_size(db(), season_id, form.name.data, **said, **who)
            return redirect(url_for(".sizes", season_id=season_id), code=303)
    with reading() as session:
        page = queries.season_page(session, season_id, None, today=today())
    return render_template("seasons/sizes.html", page=page, form=form), form.status


@bp.route("/seasons/sizes/<int:size_id>/recipe", methods=["GET", "POST"])
@admin
def recipe(size_id: int) -> Answer:
    form = forms.RecipeForm()
    with reading() as session:
        page = queries.recipe_page(session, size_id)
    form.offer(page.products, [(part.number, part.words) for part in page.recipe])
    if form.accepted():
        with heeding(form):
            said = {"product_id": form.product.data, "pieces": form.pieces.data, "part": form.part.data or None}
            service.add_to_recipe(db(), size_id, **said, by=viewer().person_id, key=form.key.data)
            return redirect(url_for(".recipe", size_id=size_id), code=303)
    return render_template("seasons/recipe.html", page=page, form=form), form.status


@bp.post("/seasons/sizes/<int:size_id>/recipe/<int:line_id>/take-out")
@admin
def take_out(size_id: int, line_id: int) -> Answer:
    posted_key()
    service.take_out_of_recipe(db(), size_id, line_id, by=viewer().person_id)
    return redirect(url_for(".recipe", size_id=size_id), code=303)
