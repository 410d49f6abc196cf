"""Makers and batches, for anyone."""

from flask import Blueprint, render_template

from coop.clock import now
from coop.makers import queries
from coop.web.guards import anyone
from coop.web.paging import page_number, sought
from coop.web.reading import reading
from coop.web.views import Page

bp = Blueprint("makers", __name__)


@bp.get("/makers")
@anyone
def everybody() -> Page:
    with reading() as session:
        page = queries.makers_page(session, sought(), number=page_number())
    return render_template("makers/everybody.html", page=page)


@bp.get("/makers/<int:artisan_id>")
@anyone
def maker(artisan_id: int) -> Page:
    with reading() as session:
        page = queries.maker_page(session, artisan_id, at=now())
    return render_template("makers/maker.html", page=page)


@bp.get("/batches")
@anyone
def batches() -> Page:
    with reading() as session:
        page = queries.batches_page(session, sought(), number=page_number(), at=now())
    return render_template("makers/batches.html", page=page)


@bp.get("/batches/<int:batch_id>")
@anyone
def batch(batch_id: int) -> Page:
    with reading() as session:
        page = queries.batch_page(session, batch_id, at=now())
    return render_template("makers/batch.html", page=page)
