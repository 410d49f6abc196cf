"""Prepare a payout: look at what it would pay, hold whom it should not, and ask for it."""

from flask import Blueprint, redirect, render_template, url_for

from coop.clock import now
from coop.payouts import service
from coop.policy import service as policy
from coop.preparing import forms, queries
from coop.preparing.queries import Plan
from coop.web.filters import today
from coop.web.forms import heeding
from coop.web.guards import treasurer, viewer
from coop.web.paging import page_number
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("preparing", __name__)


@bp.route("/payouts/new", methods=["GET", "POST"])
@treasurer
def start() -> Answer:
    form = forms.PlanForm(**_asked())
    if form.accepted():
        with heeding(form):
            return redirect(url_for("treasury.run", run_id=_request(form)), code=303)
    with reading() as session:
        page = queries.preview_page(session, _plan(form.look()), number=page_number(), at=now())
    return render_template("preparing/start.html", page=page, form=form), form.status


@bp.get("/payouts/new/makers/<int:artisan_id>")
@treasurer
def maker(artisan_id: int) -> Page:
    form = forms.PlanForm(**_asked())
    with reading() as session:
        page = queries.maker_preview(session, artisan_id, _plan(form), number=page_number(), at=now())
    return render_template("preparing/maker.html", page=page, form=form)


def _asked() -> dict[str, object]:
    """Return what makes the form begin with what the address asks for, or with today."""
    told = forms.asked_by_address()
    return {"through": today()} if told is None else {"formdata": told}


def _request(form: forms.PlanForm) -> int:
    return service.request_payouts(
        db(),
        through=form.through.data,
        minimum_minor=form.minimum.data,
        recoup_bp=form.recoup.data or 0,
        held=form.held.data or (),
        by=viewer().person_id,
        at=now(),
        key=str(form.key.data),
    )


def _plan(form: forms.PlanForm) -> Plan:
    """Return the plan the form tells of; what it does not tell, or wrongly, is the usual."""
    minimum = form.minimum.data
    if minimum is None:
        with reading() as session:
            minimum = policy.current(session, "payout_minimum_minor", at=now())
    return Plan(form.through.data or today(), minimum, form.recoup.data or 0, form.held.data or ())
