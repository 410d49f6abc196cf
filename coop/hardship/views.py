"""The hardship fund, and what households in need pay: for treasurers and admins alone."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.hardship import queries, service
from coop.hardship.forms import TierForm
from coop.web.forms import heeding, posted_key
from coop.web.guards import treasurer, viewer
from coop.web.paging import sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("hardship", __name__)


@bp.get("/hardship")
@treasurer
def fund() -> Page:
    with reading() as session:
        page = queries.fund_page(session, sought())
    return render_template("hardship/fund.html", page=page)


@bp.route("/hardship/<int:household_id>", methods=["GET", "POST"])
@treasurer
def tier(household_id: int) -> Answer:
    with reading() as session:
        page = queries.tier_page(session, household_id)
    form = TierForm(tier=page.current.tier_bp, through=page.current.through) if page.current else TierForm()
    if form.accepted():
        with heeding(form):
            told = {"tier_bp": form.tier.data, "through": form.through.data, "reason": form.reason.data}
            service.grant_tier(db(), household_id, **told, by=viewer().person_id, at=now(), key=form.key.data)
            flash("Agreed. It counts for orders that are placed or changed from now on.", "good")
            return redirect(url_for(".fund"), code=303)
    return render_template("hardship/tier.html", page=page, form=form), form.status


@bp.post("/hardship/<int:household_id>/end")
@treasurer
def end(household_id: int) -> Answer:
    posted_key()
    service.end_tier(db(), household_id, by=viewer().person_id, at=now())
    flash("Ended. Orders that were placed before stay as they are.", "good")
    return redirect(url_for(".fund"), code=303)
