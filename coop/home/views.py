"""The first page of whoever comes, and how sharing works."""

from typing import Final

from flask import Blueprint, redirect, render_template, url_for

from coop.clock import now
from coop.core import roles
from coop.home import queries
from coop.web.filters import today
from coop.web.guards import anyone, viewer_if_any
from coop.web.reading import reading
from coop.web.views import Answer, Page

bp = Blueprint("home", __name__)

FIRST_PAGES: Final = (
    (roles.ARTISAN, "workshop.board"),
    (roles.ADMIN, "desk.desk"),
    (roles.TREASURER, "treasury.runs"),
    (roles.PACKER, "packing.everything"),
)
"""Where those begin who have a role and order nothing themselves."""


@bp.get("/")
@anyone
def front() -> Answer:
    here = viewer_if_any()
    if (
        here
        and here.household_id is None
        and (first := next((page for role, page in FIRST_PAGES if role in here.roles), ""))
    ):
        return redirect(url_for(first), code=303)
    with reading() as session:
        if here and here.household_id is not None:
            page = queries.member_page(session, here.household_id, at=now(), today=today())
            return render_template("home/member.html", page=page), 200
        front = queries.front_page(session, at=now(), today=today())
    return render_template("home/front.html", page=front), 200


@bp.get("/how-sharing-works")
@anyone
def sharing() -> Page:
    with reading() as session:
        page = queries.sharing_page(session, today=today())
    return render_template("home/sharing.html", page=page)
