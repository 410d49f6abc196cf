"""A household takes a season share, gives it up, or waits for one."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.core.errors import NotFound
from coop.places import forms, queries, service
from coop.web.filters import today
from coop.web.forms import heeding, posted_key
from coop.web.guards import member, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("places", __name__)


@bp.post("/season/sizes/<int:size_id>/shares")
@member
def take_share(size_id: int) -> Answer:
    service.take_share(db(), size_id, household_id=_household(), by=viewer().person_id, at=now(), key=posted_key())
    flash("The share is yours. Below you find what is still to pay, and how.", "good")
    return redirect(url_for("seasons.season"), code=303)


@bp.route("/season/sizes/<int:size_id>/price", methods=["GET", "POST"])
@member
def choose_price(size_id: int) -> Answer:
    with reading() as session:
        page = queries.offer_page(session, size_id, _household(), today=today(), at=now())
    form = (forms.PriceForm() if page.is_own_choice else forms.TakeForm()).offer(page)
    if form.accepted():
        with heeding(form):
            whose: dict[str, Any] = {"household_id": _household(), "by": viewer().person_id, "at": now()}
            price = {"price_minor": form.price.data} if isinstance(form, forms.PriceForm) else {}
            service.take_share(db(), size_id, key=str(form.key.data), shown_minor=form.shown_minor(), **price, **whose)
            flash("The share is yours. Below you find what is still to pay, and how.", "good")
            return redirect(url_for("seasons.season"), code=303)
    return render_template("places/choose_price.html", page=page, form=form), form.status


@bp.post("/season/sizes/<int:size_id>/waits")
@member
def join_waiting_list(size_id: int) -> Answer:
    whose: dict[str, Any] = {"household_id": _household(), "by": viewer().person_id, "at": now()}
    service.join_waiting_list(db(), size_id, key=posted_key(), **whose)
    flash("Your name is on the waiting list. We write to you when it is your turn.", "good")
    return redirect(url_for("seasons.season"), code=303)


@bp.post("/season/sizes/<int:size_id>/waits/end")
@member
def leave_waiting_list(size_id: int) -> Answer:
    posted_key()
    service.leave_waiting_list(db(), size_id, household_id=_household(), by=viewer().person_id, at=now())
    flash("Your name is off the waiting list.", "good")
    return redirect(url_for("seasons.season"), code=303)


@bp.post("/season/shares/<int:share_id>/end")
@member
def give_up_share(share_id: int) -> Answer:
    posted_key()
    service.give_up_share(db(), share_id, household_id=_household(), by=viewer().person_id, at=now())
    flash("You gave the share up. What you paid stays yours, as credit.", "good")
    return redirect(url_for("seasons.season"), code=303)


def _household() -> int:
    household_id = viewer().household_id
    if household_id is None:
        raise NotFound
    return household_id
