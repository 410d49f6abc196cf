"""A household says that it pays a share monthly, by a standing order at its bank."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.core.errors import NotFound
from coop.monthly import forms, queries, service
from coop.web.forms import heeding
from coop.web.guards import member, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("monthly", __name__)


@bp.route("/pay/monthly/<int:share_id>", methods=["GET", "POST"])
@member
def plan(share_id: int) -> Answer:
    with reading() as session:
        page = queries.monthly_page(session, share_id, _household())
    form = forms.MonthlyForm()
    if form.accepted():
        with heeding(form):
            said: dict[str, Any] = {"months": form.months.data, "first_due_on": form.first.data, "at": now()}
            who: dict[str, Any] = {"household_id": _household(), "by": viewer().person_id, "key": str(form.key.data)}
            service.pay_monthly(db(), share_id, **said, **who)
            flash("Planned. Set the same up at your bank as a standing order.", "good")
            return redirect(url_for("paying.pay"), code=303)
    return render_template("monthly/plan.html", page=page, form=form), form.status


def _household() -> int:
    household_id = viewer().household_id
    if household_id is None:
        raise NotFound
    return household_id
