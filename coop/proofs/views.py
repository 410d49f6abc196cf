"""The proof of a published pool, for anyone who knows the pool: its members stand in it under other names."""

from flask import Blueprint, Response, render_template

from coop.formats.stand_alone import stand_alone_verifier
from coop.proofs import queries
from coop.web.guards import anyone, viewer_if_any
from coop.web.reading import reading, settings
from coop.web.views import Page

bp = Blueprint("proofs", __name__)


@bp.get("/pools/<int:pool_id>/proof")
@anyone
def proof(pool_id: int) -> Response:
    with reading() as session:
        name, lines = queries.proof_file(session, pool_id, field_key=settings().field_key)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(lines, mimetype="application/jsonl", headers=headers)


@bp.get("/verifier")
@anyone
def verifier() -> Response:
    headers = {"Content-Disposition": 'attachment; filename="verify.py"'}
    return Response(stand_alone_verifier(), mimetype="text/x-python", headers=headers)


@bp.get("/pools/<int:pool_id>/verify")
@anyone
def verify(pool_id: int) -> Page:
    here = viewer_if_any()
    household_id = here.household_id if here else None
    with reading() as session:
        page = queries.verify_page(session, pool_id, household_id, field_key=settings().field_key)
    return render_template("proofs/verify.html", page=page)
