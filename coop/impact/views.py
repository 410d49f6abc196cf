"""The public page of what the town's money did, and its publication."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.clock import now
from coop.impact import queries, service
from coop.web.forms import posted_key
from coop.web.guards import admin, anyone, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer, Page

bp = Blueprint("impact", __name__)


@bp.get("/impact", defaults={"snapshot_id": None})
@bp.get("/impact/<int:snapshot_id>")
@anyone
def snapshot(snapshot_id: int | None) -> Page:
    with reading() as session:
        page = queries.impact_page(session, snapshot_id, at=now())
    return render_template("impact/snapshot.html", page=page)


@bp.post("/seasons/<int:season_id>/snapshots")
@admin
def publish(season_id: int) -> Answer:
    key = posted_key()
    service.publish_snapshot(db(), season_id, by=viewer().person_id, at=now(), key=key)
    flash(
        "Published. A sum of makers' money stays as it was last shown where the change since then would tell what single makers got.",
        "good",
    )
    return redirect(url_for(".snapshot"), code=303)
