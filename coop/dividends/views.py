"""Bylaw and dividends, for treasurers; and each household's own, for its members."""

from datetime import date
from typing import NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for

from coop.clock import now
from coop.core.dividend import Bylaw, Division
from coop.core.errors import RuleBroken
from coop.dividends import forms, queries, service
from coop.policy import service as policy
from coop.web.days import read_day
from coop.web.forms import heeding, posted_key
from coop.web.guards import fresh, member, treasurer, viewer
from coop.web.paging import page_number
from coop.web.reading import customs, db, reading
from coop.web.views import Answer, Page

bp = Blueprint("dividends", __name__)


@bp.get("/dividends")
@member
def mine() -> Page:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    with reading() as session:
        page = queries.own_page(session, household_id)
    return render_template("dividends/mine.html", page=page)


@bp.get("/books/dividends")
@treasurer
def dividends() -> Page:
    with reading() as session:
        page = queries.dividends_page(session, viewer().person_id, at=now())
    return render_template("dividends/dividends.html", page=page)


@bp.route("/books/dividends/bylaw", methods=["GET", "POST"])
@fresh(treasurer)
def bylaw() -> Answer:
    with reading() as session:
        page = queries.dividends_page(session, viewer().person_id, at=now())
    form = forms.BylawForm(data=_last_bylaw(page))
    if form.accepted():
        with heeding(form):
            begins = form.in_force_from.data
            service.adopt_bylaw(db(), form.bylaw(), in_force_from=begins, by=viewer().person_id, at=now())
            flash("The bylaw is kept, with your name and today's date.", "good")
            return redirect(url_for(".dividends"), code=303)
    return render_template("dividends/bylaw.html", page=page, form=form), form.status


@bp.route("/books/dividends/new", methods=["GET", "POST"])
@treasurer
def new() -> Answer:
    form = forms.ThroughForm()
    if form.accepted():
        with heeding(form):
            dividend_id = _propose(form.through.data)
            return redirect(url_for(".dividend", dividend_id=dividend_id), code=303)
    with reading() as session:
        page = queries.dividends_page(session, viewer().person_id, at=now())
    through = form.through.data or read_day(request.args.get("through", ""), customs().locale)
    through = through if through in page.months else page.months[-1] if page.months else None
    preview = _preview(page, through)
    return render_template("dividends/new.html", page=page, form=form, through=through, preview=preview), form.status


@bp.get("/books/dividends/<int:dividend_id>")
@treasurer
def dividend(dividend_id: int) -> Page:
    return render_template("dividends/dividend.html", page=_page(dividend_id))


@bp.route("/books/dividends/<int:dividend_id>/approval", methods=["GET", "POST"])
@fresh(treasurer)
def approve(dividend_id: int) -> Answer:
    form = forms.AgreeForm()
    if form.accepted():
        with heeding(form):
            service.approve(db(), dividend_id, by=viewer().person_id, at=now())
            flash("Booked. Everybody who gets a part is told by mail.", "good")
            return redirect(url_for(".dividend", dividend_id=dividend_id), code=303)
    return render_template("dividends/approve.html", page=_page(dividend_id), form=form), form.status


@bp.post("/books/dividends/<int:dividend_id>/withdrawal")
@treasurer
def withdraw(dividend_id: int) -> Answer:
    posted_key()
    service.withdraw(db(), dividend_id, by=viewer().person_id, at=now())
    flash("Taken back.")
    return redirect(url_for(".dividends"), code=303)


@bp.route("/books/dividends/<int:dividend_id>/payment", methods=["GET", "POST"])
@fresh(treasurer)
def pay(dividend_id: int) -> Answer:
    with reading() as session:
        form = forms.PayForm(minimum=policy.current(session, "payout_minimum_minor", at=now()))
    if form.accepted():
        with heeding(form):
            said = {"minimum_minor": form.minimum.data, "key": form.key.data}
            service.pay_out(db(), dividend_id, by=viewer().person_id, at=now(), **said)
            flash("The payments stand here; send them at your bank.", "good")
            return redirect(url_for("equity.payments"), code=303)
    return render_template("dividends/pay.html", page=_page(dividend_id), form=form), form.status


def _page(dividend_id: int) -> queries.DividendPage:
    with reading() as session:
        return queries.dividend_page(session, dividend_id, viewer().person_id, number=page_number())


def _propose(through: date) -> int:
    """Propose a dividend of a surplus, or that the reserve bears a loss."""
    with reading() as session:
        left = queries.undivided(session)
        is_loss = left.starts is not None and queries.result_of(session, left.starts, through) < 0
    act = service.propose_loss if is_loss else service.propose
    return act(db(), through, by=viewer().person_id, at=now())


class Preview(NamedTuple):
    """How a result would be divided now; `told` says why it cannot be, and a loss has no division."""

    result_minor: int
    division: Division | None = None
    told: str = ""


def _preview(page: queries.DividendsPage, through: date | None) -> Preview:
    if through is None or page.starts is None:
        return Preview(0, told="No closed month waits to be divided.")
    with reading() as session:
        result = queries.result_of(session, page.starts, through)
        if result < 0:
            return Preview(result)
        try:
            return Preview(result, service.worked_out(session, page.starts, through, at=now())[1])
        except RuleBroken as broken:
            return Preview(result, told=broken.sentence)


def _last_bylaw(page: queries.DividendsPage) -> dict[str, object]:
    """Start the form with the bylaw that is in force, or with the product's own proposal."""
    last = page.bylaws[0].bylaw if page.bylaws else Bylaw(reserve_bp=2000, members_bp=8000)
    parts = {name: getattr(last, f"{name}_bp") for name in ("reserve", "members", "makers", "other", "cash")}
    return {**parts, "patrons": last.patrons}
