"""A season's shares to take, and the planning of seasons."""

import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.core.errors import NotFound
from coop.seasons import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, anyone, member, viewer, viewer_if_any
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("seasons", __name__)


@bp.get("/season")
@anyone
def season() -> Page:
    here = viewer_if_any()
    household_id = here.household_id if here else None
    with reading() as session:
        season_id = queries.current_season_id(session, at=now())
        page = queries.season_page(session, season_id, household_id, at=now()) if season_id else None
    return render_template("seasons/season.html", page=page)


@bp.post("/season/sizes/<int:size_id>/shares")
@member
def take_share(size_id: int) -> Answer:
    service.take_share(db(), size_id, household_id=_household(), by=viewer().person_id, at=now(), key=posted_key())
    flash("The share is yours. Below you find what is still to pay, and how.", "good")
    return redirect(url_for(".season"), code=303)


@bp.post("/season/sizes/<int:size_id>/waits")
@member
def join_waiting_list(size_id: int) -> Answer:
    whose: dict[str, Any] = {"household_id": _household(), "by": viewer().person_id, "at": now()}
    service.join_waiting_list(db(), size_id, key=posted_key(), **whose)
    flash("Your name is on the waiting list. We write to you when it is your turn.", "good")
    return redirect(url_for(".season"), code=303)


@bp.post("/season/sizes/<int:size_id>/waits/end")
@member
def leave_waiting_list(size_id: int) -> Answer:
    posted_key()
    service.leave_waiting_list(db(), size_id, household_id=_household(), by=viewer().person_id, at=now())
    flash("Your name is off the waiting list.", "good")
    return redirect(url_for(".season"), code=303)


@bp.post("/season/shares/<int:share_id>/end")
@member
def give_up_share(share_id: int) -> Answer:
    posted_key()
    service.give_up_share(db(), share_id, household_id=_household(), by=viewer().person_id, at=now())
    flash("You gave the share up. What you paid stays yours, as credit.", "good")
    return redirect(url_for(".season"), code=303)


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
            who: dict[str, Any] = {"line": form.line.data, "by": viewer().person_id, "key": form.key.data}
            service.offer_size(db(), season_id, form.name.data, **said, **who)
            return redirect(url_for(".sizes", season_id=season_id), code=303)
    with reading() as session:
        page = queries.season_page(session, season_id, None, at=now())
    return render_template("seasons/sizes.html", page=page, form=form), form.status


def _household() -> int:
    household_id = viewer().household_id
    if household_id is None:
        raise NotFound
    return household_id
