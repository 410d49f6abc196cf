"""A season's rule and its versions: for admins."""

from flask import Blueprint, flash, redirect, render_template, url_for

from coop.seasons.forms import RuleFields
from coop.terms import queries, service
from coop.web.forms import heeding
from coop.web.guards import admin, viewer
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("terms", __name__)


@bp.route("/seasons/<int:season_id>/rule", methods=["GET", "POST"])
@admin
def rule(season_id: int) -> Answer:
    with reading() as session:
        page = queries.rule_page(session, season_id)
    now = page.versions[0]
    form = RuleFields(
        rule=now.rule, memory="rounding" if now.memory == "none" else now.memory, credit_cap=now.credit_cap
    )
    if form.accepted():
        with heeding(form):
            said = {name: form[name].data for name in ("rule", "memory", "credit_cap")}
            service.choose_rule(db(), season_id, **said, by=viewer().person_id, key=form.key.data)
            flash("Members see this rule from now on.", "good")
            return redirect(url_for(".rule", season_id=season_id), code=303)
    return render_template("terms/rule.html", page=page, form=form), form.status
