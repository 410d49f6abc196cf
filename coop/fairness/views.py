"""The report for the members' assembly: read by members, asked for by admins, on the page and on paper."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, url_for

from coop.clock import now
from coop.core.errors import NotFound
from coop.core.roles import may_run_season
from coop.fairness import queries, service
from coop.fairness.queries import FillRow, Report, ReportPage
from coop.formats.paper import write_paper
from coop.web.filters import day
from coop.web.forms import posted_key
from coop.web.guards import admin, assembly, fresh, viewer
from coop.web.reading import customs, db, reading
from coop.web.views import Answer, Page
from coop.web.words import RULES

bp = Blueprint("fairness", __name__)


@bp.get("/seasons/<int:season_id>/fairness")
@assembly
def season(season_id: int) -> Page:
    with reading() as session:
        page = queries.report_page(session, season_id, by_name=may_run_season(viewer()), at=now())
    return render_template("fairness/season.html", page=page)


@bp.post("/seasons/<int:season_id>/fairness")
@admin
def ask(season_id: int) -> Answer:
    posted_key()
    service.request_report(db(), season_id, by=viewer().person_id, at=now())
    return redirect(url_for(".season", season_id=season_id), code=303)


@bp.get("/seasons/<int:season_id>/fairness/status")
@admin
def status(season_id: int) -> Page:
    with reading() as session:
        page = queries.progress_page(session, season_id, at=now())
    return render_template("fairness/status.html", page=page)


@bp.get("/seasons/<int:season_id>/fairness.pdf")
@assembly
def paper(season_id: int) -> Response:
    return _paper(season_id, by_name=False)


@bp.get("/seasons/<int:season_id>/fairness-by-name.pdf")
@fresh(admin)
def paper_by_name(season_id: int) -> Response:
    return _paper(season_id, by_name=True)


def _paper(season_id: int, *, by_name: bool) -> Response:
    with reading() as session:
        page = queries.report_page(session, season_id, by_name=by_name, at=now())
    if page.report is None:
        raise NotFound
    title = f"How fairly we shared out: {page.season}"
    made = write_paper("fairness", _values(page, page.report), title=title, made_at=page.report.made_at)
    answer = Response(made, mimetype="application/pdf")
    named = "-by-name" if by_name else ""
    answer.headers["Content-Disposition"] = f'inline; filename="fairness-{season_id}-{page.report.version}{named}.pdf"'
    return answer


def _values(page: ReportPage, report: Report) -> dict[str, Any]:
    """Put the report as the paper tells it: everything as text, in rows."""
    by_name = page.by_name
    actual = report.rules[0]
    who = "with names: for admins alone" if by_name else "without names: for members"
    return {
        "coop": customs().coop_name,
        "season": page.season,
        "audience": f"This is the version {who}.",
        "version": str(report.version),
        "made_on": day(report.made_at).striptags(),
        "how": RULES[report.rule].how,
        "filled": report.filled,
        **{name: f"{getattr(report, name):,}" for name in ("wished", "received", "members", "pools", "batches")},
        "fully": f"{actual.fully_served:,}",
        "histogram": [[f"from {one.label}" if one.label != "all" else "all", one.text] for one in report.histogram],
        "rules": [[_ruled(n, one.rule), *_numbers(one)] for n, one in enumerate(report.rules)],
        "lowest": [[one.who, one.filled] for one in report.lowest],
        "unserved": [[one.who, f"{one.longest:,}"] for one in report.unserved],
        "unserved_head": "Member" if by_name else "Members",
        "reach": [[one.family, *([one.who] if by_name else []), one.owed, _bound(one)] for one in report.reach],
        "reach_heads": ["Family of goods", *(["Member"] if by_name else []), "Largest balance", "Bound"],
        "by_pool": [_filled(one) for one in report.by_pool],
        "by_craft": [_filled(one) for one in report.by_craft],
        "hidden": "Crafts of fewer than five makers are left out: they would show one maker."
        if report.crafts_hidden
        else "",
    }


def _bound(one: queries.ReachRow) -> str:
    return one.bound if one.is_promised else f"{one.bound} (not promised)"


def _ruled(place: int, rule: str) -> str:
    return f"{RULES[rule].name} (in force)" if place == 0 else RULES[rule].name


def _numbers(one: queries.RuleRow) -> list[str]:
    told = [f"{one.fully_served:,}", one.lowest, one.tenth, one.median, one.jain, one.most_short]
    return [*told, f"{one.longest_misses:,}"]


def _filled(one: FillRow) -> list[str]:
    return [one.name, f"{one.wished:,}", f"{one.received:,}", one.filled]
