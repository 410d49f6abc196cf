"""The treasurer's pages of households' accounts, and the acts that start there."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.core.errors import NotFound, RuleBroken
from coop.dealings import forms, queries
from coop.equity import service as equity
from coop.treasury import service as treasury
from coop.web.forms import heeding
from coop.web.guards import treasurer, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("dealings", __name__)


@dataclass(frozen=True, slots=True)
class Act:
    """An act for one household: its form, its command, and how the page says it."""

    form: type[forms.AmountForm]
    command: Callable[..., int]
    title: str
    lead: str
    button: str


ACTS: Final = {
    "gift": Act(forms.AmountForm, treasury.give_to_fund, "A gift to the hardship fund", "Moves credit of this household to the hardship fund, because it asked for that.", "Give to the fund"),
    "goodwill": Act(forms.GoodwillForm, treasury.show_goodwill, "Goodwill", "Gives this household credit at the co-op's own expense.", "Give this credit"),
    "refund": Act(forms.RefundForm, treasury.refund_credit, "Pay credit back", "Takes credit that is paid back to the household. What the hardship fund bore of an order never becomes credit, so it cannot be paid out.", "Take this credit"),
    "chargeback": Act(forms.ChargebackForm, treasury.charge_back, "A payment was taken back", "Takes the amount from the household's credit; what its credit does not cover it owes.", "Note what was taken back"),
}  # fmt: skip


@bp.get("/money/households")
@treasurer
def households() -> Page:
    with reading() as session:
        page = queries.households_page(session, sought(), number=page_number())
    return render_template("dealings/households.html", page=page)


@bp.get("/money/households/<int:household_id>")
@treasurer
def household(household_id: int) -> Page:
    with reading() as session:
        page = queries.accounts_page(session, household_id, number=page_number())
    return render_template("dealings/household.html", page=page, acts=ACTS)


@bp.route("/money/households/<int:household_id>/<act>", methods=["GET", "POST"])
@treasurer
def act(household_id: int, act: str) -> Answer:
    if act not in ACTS:
        raise NotFound
    one, form = ACTS[act], ACTS[act].form()
    if form.accepted():
        with heeding(form):
            said = {name: form[name].data for name in ("reason",) if name in form}
            said |= {name: form[name].data or 0 for name in ("bank_fee",) if name in form}
            whose: dict[str, Any] = {"by": viewer().person_id, "at": now(), "key": form.key.data}
            command = equity.refund_by_file if "way" in form and form.way.data == "file" else one.command
            command(db(), household_id, form.amount.data, **said, **whose)
            flash("Booked.", "good")
            return redirect(url_for(".household", household_id=household_id), code=303)
    with reading() as session:
        page = queries.accounts_page(session, household_id, number=1)
    return render_template("dealings/act.html", page=page, act=one, form=form), form.status


@bp.get("/money/suppliers")
@treasurer
def suppliers() -> Page:
    with reading() as session:
        page = queries.suppliers_page(session)
    return render_template("dealings/suppliers.html", page=page)


@bp.route("/money/suppliers/<int:account_id>", methods=["GET", "POST"])
@treasurer
def pay(account_id: int) -> Answer:
    with reading() as session:
        page = queries.supplier(session, account_id)
    form = forms.AmountForm()
    if form.accepted():
        with heeding(form):
            whose: dict[str, Any] = {"by": viewer().person_id, "at": now(), "key": form.key.data}
            treasury.pay_supplier(db(), page.name, form.amount.data, **whose)
            flash("Booked as paid.", "good")
            return redirect(url_for(".suppliers"), code=303)
    return render_template("dealings/pay.html", page=page, form=form), form.status


@bp.route("/money/makers/<int:artisan_id>/advance", methods=["GET", "POST"])
@treasurer
def advance(artisan_id: int) -> Answer:
    with reading() as session:
        page = queries.maker(session, artisan_id)
    form = forms.AmountForm()
    if form.accepted():
        with heeding(form):
            whose: dict[str, Any] = {"by": viewer().person_id, "at": now(), "key": form.key.data}
            treasury.pay_advance(db(), artisan_id, form.amount.data, **whose)
            flash("Booked; later payouts recoup it.", "good")
            return redirect(url_for(".suppliers"), code=303)
    return render_template("dealings/advance.html", page=page, form=form), form.status


@bp.route("/money/shared-costs/new", methods=["GET", "POST"])
@treasurer
def shared_cost() -> Answer:
    with reading() as session:
        form = forms.SharedCostForm().offer(queries.pools_shared(session))
    parts: Sequence[queries.Part] = ()
    if form.accepted():
        with heeding(form):
            parts = _parts(form)
            seen = _digest(parts)
            if form.shown.data == seen:
                _share(form, parts)
                flash("Booked: each household bears its part.", "good")
                return redirect(url_for(".suppliers"), code=303)
            form.shown.data = seen
    return render_template("dealings/shared_cost.html", form=form, parts=parts), form.status


def _parts(form: forms.SharedCostForm) -> Sequence[queries.Part]:
    with reading() as session:
        parts = queries.parts(session, form.pool.data, form.amount.data, by_pieces=form.by.data == "pieces")
    if not parts:
        raise RuleBroken("no_weights", "Nobody was given anything in this pool. Choose another.", field="pool")
    return parts


def _share(form: forms.SharedCostForm, parts: Sequence[queries.Part]) -> None:
    among = [(part.household_id, part.weight) for part in parts]
    whose: dict[str, Any] = {"by": viewer().person_id, "at": now(), "key": form.key.data}
    treasury.share_cost(db(), form.supplier.data, form.amount.data, among=among, **whose)


def _digest(parts: Sequence[queries.Part]) -> str:
    """Say a split in short, so that what is booked is what was looked at."""
    told = ",".join(f"{part.household_id}:{part.weight}:{part.minor}" for part in parts)
    return hashlib.sha256(told.encode()).hexdigest()
