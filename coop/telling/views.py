"""A statement, for the maker it is written to, and for those who answer for the money."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for

from coop.clock import now
from coop.core.roles import may_speak_for
from coop.telling import forms, queries, service
from coop.web.forms import heeding
from coop.web.guards import rows_of, statement_reader, viewer
from coop.web.paging import page_number
from coop.web.reading import db, reading
from coop.web.views import Answer

bp = Blueprint("telling", __name__)

reader_of_statement = rows_of(statement_reader, "reader_of_statement", queries.may_read)


@bp.route("/statements/<int:statement_id>", methods=["GET", "POST"])
@reader_of_statement
def statement(statement_id: int) -> Answer:
    with reading() as session:
        page = queries.statement_page(session, statement_id, number=page_number())
    form, asks = forms.MessageForm(), may_speak_for(viewer(), page.artisan_id)
    if form.accepted():
        with heeding(form):
            said: dict[str, Any] = {"is_answer": not asks, "by": viewer().person_id, "at": now(), "key": form.key.data}
            service.say(db(), statement_id, form.words.data, **said)
            flash("Sent. The treasurer gets a mail." if asks else "Sent. The maker gets a mail.", "good")
            return redirect(url_for(".statement", statement_id=statement_id), code=303)
    return render_template("telling/statement.html", page=page, form=form, asks=asks), form.status


@bp.get("/statements/<int:statement_id>.pdf")
@reader_of_statement
def paper(statement_id: int) -> Response:
    with reading() as session:
        content = service.stored_paper(session, statement_id)
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="statement-{statement_id}.pdf"'
    return answer
