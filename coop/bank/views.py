"""Payments recorded by hand and bank statements, for treasurers."""

import hashlib
import re
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for

from coop.bank import forms, queries, service
from coop.clock import now
from coop.columns import queries as waiting
from coop.columns import service as columns_service
from coop.core.errors import RuleBroken
from coop.formats.bank_files import CSV, kind_of
from coop.formats.pain_status import is_pain002
from coop.incoming import queries as payments_queries
from coop.incoming import service as incoming
from coop.refusals import service as refusals
from coop.web.forms import heeding
from coop.web.guards import treasurer, viewer
from coop.web.headers import takes_files
from coop.web.paging import page_number, sought
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("bank", __name__)

TAKEN_IN: Final = "Taken in. Each line stands here with what it was."


@bp.get("/bank/payments")
@treasurer
def payments() -> Page:
    with reading() as session:
        page = payments_queries.payments_page(session, sought(), number=page_number())
    return render_template("bank/payments.html", page=page)


@bp.get("/bank/payments/new")
@treasurer
def choose() -> Page:
    with reading() as session:
        page = payments_queries.choose_page(session, sought(), number=page_number(), line_id=_line())
    return render_template("bank/choose.html", page=page)


@bp.route("/bank/payments/new/<int:household_id>", methods=["GET", "POST"])
@treasurer
def record(household_id: int) -> Answer:
    with reading() as session:
        page = payments_queries.record_page(session, household_id, line_id=_line())
    form = forms.PaymentForm().offer(page)
    if form.accepted():
        with heeding(form):
            _record(household_id, form)
            flash(f"Recorded for {page.household}.", "good")
            return redirect(url_for(".payments"), code=303)
    return render_template("bank/record.html", page=page, form=form), form.status


@bp.route("/bank/statements", methods=["GET", "POST"])
@takes_files(6 * 1024 * 1024)
@treasurer
def statements() -> Answer:
    form = forms.StatementForm()
    if form.accepted():
        with heeding(form):
            return redirect(_take_in(form.content(), again=form.again.data), code=303)
    with reading() as session:
        page = queries.statements_page(session, number=page_number())
    return render_template("bank/statements.html", page=page, form=form), form.status


@bp.route("/bank/statements/columns/<int:waiting_id>", methods=["GET", "POST"])
@treasurer
def columns(waiting_id: int) -> Answer:
    with reading() as session:
        page = waiting.columns_page(session, waiting_id, at=now(), field_key=settings().field_key)
    form = forms.ColumnsForm().offer(page)
    if form.accepted():
        with heeding(form):
            return redirect(_take_in_by(waiting_id, form), code=303)
    return render_template("bank/columns.html", page=page, form=form), form.status


@bp.get("/bank/statements/<int:statement_id>")
@treasurer
def statement(statement_id: int) -> Page:
    with reading() as session:
        page = queries.statement_page(session, statement_id, number=page_number())
    return render_template("bank/statement.html", page=page)


@bp.get("/bank/lines")
@treasurer
def lines() -> Page:
    only_open = request.args.get("show") != "all" and not sought()
    with reading() as session:
        page = queries.lines_page(session, sought(), only_open=only_open, number=page_number())
    return render_template("bank/lines.html", page=page)


def _record(household_id: int, form: forms.PaymentForm) -> None:
    incoming.record_payment(
        db(),
        household_id,
        share_id=form.share_id(),
        purpose=form.purpose.data if form.share_id() is None else "share",
        amount_minor=form.amount.data,
        received_on=form.received_on.data,
        reference=form.reference.data,
        by=viewer().person_id,
        at=now(),
        key=str(form.key.data),
    )


def _take_in(content: bytes, *, again: bool) -> str:
    """Take a file in and return the page that shows it, or the page that asks for its columns."""
    by, key = viewer().person_id, settings().field_key
    if is_pain002(content):
        run_id = refusals.read_report(db(), content, by=by, at=now())
        flash("The bank's report on this payout is read.", "good")
        return url_for("treasury.run", run_id=run_id)
    if again and kind_of(content) == CSV:
        return _ask_for_columns(content)
    with reading() as session:
        known = queries.statement_of(session, hashlib.sha256(content).hexdigest())
    try:
        statement_id = service.import_statement(db(), content, by=by, at=now(), field_key=key)
    except RuleBroken as broken:
        if broken.code in {"columns_needed", "missing_balance"}:
            return _ask_for_columns(content)
        raise
    if known is None:
        flash(TAKEN_IN, "good")
    else:
        flash("This very file was taken in before, so nothing was changed.")
    return url_for(".statement", statement_id=statement_id)


def _ask_for_columns(content: bytes) -> str:
    by, key = viewer().person_id, settings().field_key
    return url_for(".columns", waiting_id=columns_service.put_by(db(), content, by=by, at=now(), field_key=key))


def _take_in_by(waiting_id: int, form: forms.ColumnsForm) -> str:
    """Take in a file that waited, by the columns that were chosen."""
    key = settings().field_key
    with reading() as session:
        content = columns_service.content_of(session, waiting_id, field_key=key)
    said: dict[str, Any] = {"columns": form.columns(), "closing_minor": form.closing.data}
    statement_id = service.import_statement(db(), content, by=viewer().person_id, at=now(), field_key=key, **said)
    flash(TAKEN_IN, "good")
    return url_for(".statement", statement_id=statement_id)


def _line() -> int | None:
    """Return the line of a bank statement that a payment is recorded from, if the address names one."""
    typed = request.args.get("line", "")
    return int(typed) if re.fullmatch("[0-9]{1,18}", typed) else None
