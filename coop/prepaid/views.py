"""What a treasurer does with prepaid money of season shares: looked at first, then booked once, and the household told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.core.errors import NotFound, RuleBroken
from coop.instalments import service as instalments
from coop.prepaid import forms, queries
from coop.web.forms import heeding
from coop.web.guards import fresh, treasurer, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("prepaid", __name__)


@dataclass(frozen=True, slots=True)
class Act:
    """One of the acts: its command and how the page says it."""

    command: Callable[..., int]
    title: str
    lead: str
    button: str
    done: str


ACTS: Final = {
    "release": Act(instalments.release_early, "Prepaid money becomes credit now", "Turns a part of what is prepaid into credit to order with, before its day. The next instalments are less by it.", "Make it credit", "Booked: it is credit now. The household is told by mail."),
    "move": Act(instalments.move_prepaid, "Move prepaid money to another household", "For a household that took the season share over. What it cost is paid there by as much; here the next instalments are less by it.", "Move it", "Booked: it is the other household's now. Both are told by mail."),
    "refund": Act(instalments.refund_prepaid, "Send prepaid money back", "Notes that you sent a part of what is prepaid back from the bank. The next instalments are less by it.", "Note it as sent", "Booked as sent. The household is told by mail."),
}  # fmt: skip


@bp.get("/money/households/<int:household_id>/prepaid")
@treasurer
def household(household_id: int) -> Page:
    with reading() as session:
        page = queries.prepaid_page(session, household_id)
    return render_template("prepaid/household.html", page=page, acts=ACTS)


@bp.route("/money/households/<int:household_id>/prepaid/<act>", methods=["GET", "POST"])
@fresh(treasurer)
def act(household_id: int, act: str) -> Answer:
    if act not in ACTS:
        raise NotFound
    seen: queries.Preview | None = None
    with reading() as session:
        page = queries.prepaid_page(session, household_id)
        form = forms.PrepaidForm() if act != "move" else forms.MoveForm().offer(queries.share_holders(session, household_id))  # fmt: skip
    if form.accepted():
        with heeding(form):
            seen = _seen(page, act, form)
            if form.shown.data == seen.digest:
                _book(household_id, act, form)
                flash(ACTS[act].done, "good")
                return redirect(url_for(".household", household_id=household_id), code=303)
            form.shown.data = seen.digest
    return render_template("prepaid/act.html", page=page, act=ACTS[act], form=form, seen=seen), form.status


def _to(form: forms.PrepaidForm) -> int | None:
    return form.to.data if isinstance(form, forms.MoveForm) else None


def _seen(page: queries.PrepaidPage, act: str, form: forms.PrepaidForm) -> queries.Preview:
    """Return what would change, or refuse what the command would refuse."""
    if form.amount.data > page.prepaid_minor:
        raise RuleBroken("insufficient_share", "This is more than is prepaid; give at most what stands above.", field="amount")  # fmt: skip
    with reading() as session:
        return queries.preview(session, page, act, form.amount.data, _to(form))


def _book(household_id: int, act: str, form: forms.PrepaidForm) -> None:
    told: dict[str, Any] = {"reason": form.reason.data, "by": viewer().person_id, "at": now(), "key": form.key.data}
    to_id = _to(form)
    others = () if to_id is None else (to_id,)
    ACTS[act].command(db(), household_id, *others, form.amount.data, **told)
