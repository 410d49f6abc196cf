"""Where a household is paid: its people see it, and change it having said afresh who they are."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.payees import forms, queries, service
from coop.web.forms import heeding
from coop.web.guards import fresh, member, viewer
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("payees", __name__)


@bp.get("/account/bank")
@member
def account() -> Page:
    return render_template("payees/account.html", page=_page())


@bp.route("/account/bank/change", methods=["GET", "POST"])
@fresh(member)
def change() -> Answer:
    page = _page()
    form = forms.UsBankDetailsForm() if page.takes_us_accounts else forms.BankDetailsForm()
    if form.accepted():
        with heeding(form):
            told: dict[str, Any] = {"holder": form.holder.data, **forms.typed_account(form)}
            whose: dict[str, Any] = {"by": viewer().person_id, "at": now(), "field_key": settings().field_key}
            service.change_account(db(), _household(), **told, **whose)
            flash(forms.KEPT, "good")
            return redirect(url_for(".account"), code=303)
    return render_template("payees/change.html", page=page, form=form), form.status


def _page() -> queries.AccountPage:
    with reading() as session:
        return queries.account_page(session, _household(), at=now())


def _household() -> int:
    household_id = viewer().household_id
    assert household_id is not None, "the guard lets in members only"
    return household_id
