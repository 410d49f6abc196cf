"""People and their roles, for admins."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.people import forms, queries, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, fresh, rows_of, viewer
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("people", __name__)

admin_of_grant = rows_of(admin, "admin_of_grant", queries.grant_belongs)


@bp.get("/people")
@admin
def everybody() -> Page:
    with reading() as session:
        page = queries.people_page(session, sought(), number=page_number())
    return render_template("people/everybody.html", page=page)


@bp.get("/people/<int:person_id>")
@admin
def person(person_id: int) -> Page:
    with reading() as session:
        page = queries.person_page(session, person_id)
    return render_template("people/person.html", page=page)


@bp.route("/people/<int:person_id>/roles", methods=["GET", "POST"])
@fresh(admin)
def grant_role(person_id: int) -> Answer:
    form = forms.GrantRoleForm()
    if form.accepted():
        with heeding(form):
            service.grant_role(db(), person_id, form.role.data, by=viewer().person_id, at=now())
            return redirect(url_for(".person", person_id=person_id), code=303)
    with reading() as session:
        page = queries.person_page(session, person_id)
    return render_template("people/grant_role.html", page=page, form=form), form.status


@bp.post("/people/<int:person_id>/roles/<int:grant_id>/end")
@fresh(admin_of_grant)
def end_role(person_id: int, grant_id: int) -> Answer:
    posted_key()
    service.end_role(db(), grant_id, by=viewer().person_id, at=now())
    flash("That role has ended. It counts from the next page they open.", "good")
    return redirect(url_for(".person", person_id=person_id), code=303)
