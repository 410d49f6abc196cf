"""What a pool promised and what came of it, for anyone; and the draws of its seed, for those who have a part in them."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from coop.clock import now
from coop.formats.stand_alone import stand_alone_verifier
from coop.ports.beacon import value_of
from coop.proofs import forms, queries, service
from coop.web.forms import heeding, posted_key
from coop.web.guards import admin, anyone, viewer, viewer_if_any, witness
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("proofs", __name__)


@bp.get("/pools/<int:pool_id>/proof")
@anyone
def proof(pool_id: int) -> Response:
    with reading() as session:
        answer = Response(mimetype="application/jsonl")
        answer.set_etag(queries.proof_digest(session, pool_id))
        if request.if_none_match.contains(answer.get_etag()[0] or ""):
            return answer.make_conditional(request)  # type: ignore[return-value]
        name, answer.data = queries.proof_file(session, pool_id, field_key=settings().field_key)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.get("/verifier")
@anyone
def verifier() -> Response:
    headers = {"Content-Disposition": 'attachment; filename="verify.py"'}
    return Response(stand_alone_verifier(), mimetype="text/x-python", headers=headers)


@bp.get("/pools/<int:pool_id>/verify")
@anyone
def verify(pool_id: int) -> Page:
    here = viewer_if_any()
    own = here.household_id if here else None
    with reading() as session:
        page = queries.verify_page(
            session, pool_id, own, sought(), number=page_number(), field_key=settings().field_key
        )
    return render_template("proofs/verify.html", page=page)


@bp.get("/pools/<int:pool_id>/draw")
@witness
def draw(pool_id: int) -> Page:
    with reading() as session:
        page = queries.draw_page(session, pool_id)
    return render_template("proofs/draw.html", page=page, own=viewer(), beacon_url=settings().beacon_url)


@bp.route("/pools/<int:pool_id>/draw/source", methods=["GET", "POST"])
@admin
def choose(pool_id: int) -> Answer:
    with reading() as session:
        page = queries.draw_page(session, pool_id)
    form = forms.SourceForm(kind=page.kind)
    if form.accepted():
        with heeding(form):
            beacon = forms.round_of(form)
            service.choose_source(db(), pool_id, form.kind.data, beacon=beacon, by=viewer().person_id, at=now())
            return redirect(url_for(".draw", pool_id=pool_id), code=303)
    return render_template("proofs/source.html", page=page, form=form), form.status


@bp.route("/pools/<int:pool_id>/draw/hash", methods=["GET", "POST"])
@witness
def hand_in(pool_id: int) -> Answer:
    form = forms.HashForm()
    if form.accepted():
        with heeding(form):
            service.hand_in(db(), pool_id, form.hash.data, by=viewer().person_id, at=now())
            flash("Your hash is handed in. Keep the secret; you are asked for it after the cut-off.", "good")
            return redirect(url_for(".draw", pool_id=pool_id), code=303)
    with reading() as session:
        page = queries.draw_page(session, pool_id)
    return render_template("proofs/hash.html", page=page, form=form), form.status


@bp.route("/pools/<int:pool_id>/draw/secret", methods=["GET", "POST"])
@witness
def reveal(pool_id: int) -> Answer:
    form = forms.SecretForm()
    if form.accepted():
        with heeding(form):
            service.reveal(db(), pool_id, form.secret.data, by=viewer().person_id, at=now())
            flash("Your secret is in. It is shown once the last witness has revealed.", "good")
            return redirect(url_for(".draw", pool_id=pool_id), code=303)
    with reading() as session:
        page = queries.draw_page(session, pool_id)
    return render_template("proofs/secret.html", page=page, form=form), form.status


@bp.route("/pools/<int:pool_id>/draw/beacon", methods=["GET", "POST"])
@admin
def tell(pool_id: int) -> Answer:
    form = forms.BeaconForm()
    if form.accepted():
        with heeding(form):
            service.tell_beacon(db(), pool_id, form.value.data, by=viewer().person_id, at=now())
            return redirect(url_for(".draw", pool_id=pool_id), code=303)
    with reading() as session:
        page = queries.draw_page(session, pool_id)
    return render_template("proofs/beacon.html", page=page, form=form), form.status


@bp.post("/pools/<int:pool_id>/draw/beacon/ask")
@admin
def ask(pool_id: int) -> Answer:
    posted_key()
    with reading() as session:
        draw = queries.draw_page(session, pool_id).named_round()
    value = value_of(draw.chain, draw.round, configured=settings().beacon_url)
    service.tell_beacon(db(), pool_id, value, by=viewer().person_id, at=now(), origin="asked")
    return redirect(url_for(".draw", pool_id=pool_id), code=303)


@bp.route("/pools/<int:pool_id>/draw/void", methods=["GET", "POST"])
@admin
def void(pool_id: int) -> Answer:
    with reading() as session:
        page = queries.draw_page(session, pool_id)
    form = forms.NextRoundForm() if page.kind == "beacon" else forms.VoidForm()
    if form.accepted():
        with heeding(form):
            beacon = forms.round_of(form)
            service.void_draw(db(), pool_id, form.reason.data, beacon=beacon, by=viewer().person_id, at=now())
            return redirect(url_for(".draw", pool_id=pool_id), code=303)
    return render_template("proofs/void.html", page=page, form=form), form.status


@bp.post("/seasons/<int:season_id>/secret")
@admin
def reveal_season(season_id: int) -> Answer:
    posted_key()
    service.reveal_season(db(), season_id, field_key=settings().field_key, by=viewer().person_id, at=now())
    flash("The season's secret is told. It stands on the proof page of each of its pools.", "good")
    return redirect(url_for("seasons.everything"), code=303)
