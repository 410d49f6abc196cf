"""One order, for admins, and taking its lines back for the household."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.core.errors import RuleBroken
from coop.takebacks import forms, queries, service
from coop.web.forms import heeding
from coop.web.guards import admin, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("takebacks", __name__)


@bp.get("/admin/orders/<int:order_id>")
@admin
def order(order_id: int) -> Page:
    with reading() as session:
        page = queries.order_page(session, order_id, at=now())
    return render_template("takebacks/order.html", page=page)


@bp.route("/admin/orders/<int:order_id>/taken-back", methods=["GET", "POST"])
@admin
def take_back(order_id: int) -> Answer:
    with reading() as session:
        page = queries.order_page(session, order_id, at=now())
    form = forms.TakeBackForm().offer([(line.id, line.product) for line in page.lines])
    if form.accepted():
        with heeding(form):
            if page.run_id is not None:
                raise RuleBroken("too_late", "The pool is shared out by now, so what was ordered stands.")
            told = {"reason": form.reason.data, "by": viewer().person_id, "at": now(), "key": form.key.data}
            service.take_back(db(), form.lines.data, **told)
            flash("Taken back. What was held is the household's credit again, and it is told by mail.", "good")
            return redirect(url_for(".order", order_id=order_id), code=303)
    return render_template("takebacks/take_back.html", page=page, form=form), form.status
