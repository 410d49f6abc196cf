"""Looking at an outcome before asking for it, and asking: for admins."""

from flask import Blueprint, redirect, render_template, url_for

from coop.asking import service
from coop.clock import now
from coop.sharing import forms, queries
from coop.web.filters import today
from coop.web.forms import heeding
from coop.web.guards import admin, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading, settings
from coop.web.views import Answer

bp = Blueprint("sharing", __name__)


@bp.route("/pools/<int:pool_id>/allocation", methods=["GET", "POST"])
@admin
def pool(pool_id: int) -> Answer:
    form = forms.ShareOutForm()
    if form.accepted():
        with heeding(form):
            with reading() as session:
                queries.refuse_other_inputs(session, pool_id, form.seen.data, field_key=settings().field_key)
            without = form.without_missing.data
            run_id = service.request_run(db(), pool_id, by=viewer().person_id, at=now(), without_missing=without)
            return redirect(url_for("runs.run", run_id=run_id), code=303)
    with reading() as session:
        page = queries.preview_page(
            session, pool_id, sought(), number=page_number(), at=now(), today=today(), field_key=settings().field_key
        )
    if page.pool.run_id is not None:
        return redirect(url_for("runs.run", run_id=page.pool.run_id), code=303)
    return render_template("sharing/pool.html", page=page, form=form), form.status
