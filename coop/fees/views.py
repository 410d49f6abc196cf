"""New terms with a maker: for admins, one of whom asks and another lets them count."""

from datetime import time
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.core.season import instant
from coop.fees import forms, queries, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, fresh, viewer
from coop.web.reading import customs, db, reading
from coop.web.views import Answer

bp = Blueprint("fees", __name__)


@bp.route("/makers/<int:artisan_id>/terms", methods=["GET", "POST"])
@fresh(admin)
def terms(artisan_id: int) -> Answer:
    form = forms.TermsForm()
    if form.accepted():
        with heeding(form):
            begins = instant(form.effective_from.data, time(), customs().zone)
            whose: dict[str, Any] = {"by": viewer().person_id, "at": now(), "key": form.key.data}
            service.ask_terms(db(), artisan_id, effective_from=begins, **form.agreed(), **whose)
            flash("Asked for. They count once another admin has let them.", "good")
            return redirect(url_for("agreements.maker", artisan_id=artisan_id), code=303)
    with reading() as session:
        page = queries.terms_page(session, artisan_id)
    return render_template("fees/terms.html", page=page, form=form), form.status


@bp.post("/makers/terms/<int:asked_id>/approval")
@fresh(admin)
def approve(asked_id: int) -> Answer:
    posted_key()
    artisan_id = service.approve_terms(db(), asked_id, by=viewer().person_id, at=now())
    flash("Agreed, and the maker is told by mail.", "good")
    return redirect(url_for("agreements.maker", artisan_id=artisan_id), code=303)


@bp.post("/makers/terms/<int:asked_id>/withdrawal")
@admin
def withdraw(asked_id: int) -> Answer:
    posted_key()
    artisan_id = service.withdraw_terms(db(), asked_id, by=viewer().person_id, at=now())
    flash("Taken back. The terms that were agreed before still count.")
    return redirect(url_for("agreements.maker", artisan_id=artisan_id), code=303)
