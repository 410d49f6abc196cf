"""The VAT report: a page, the entries behind each figure, and files of both, for those who answer for the books."""

from collections.abc import Iterable, Sequence
from typing import Final

from flask import Blueprint, Response, render_template

from coop.core.money import format_minor
from coop.formats.csv_writing import Cell, write_csv
from coop.vat import forms, queries
from coop.web.guards import bookkeeper, fresh
from coop.web.paging import page_number
from coop.web.reading import customs, reading
from coop.web.views import Page

bp = Blueprint("vat", __name__)

_REPORT: Final = ("from", "to", "what", "rate_percent", "net", "tax", "gross", "currency")
_ENTRIES: Final = ("entry", "key", "kind", "day", "what", "rate_percent", "net", "tax", "gross", "currency")


@bp.get("/books/vat")
@bookkeeper
def report() -> Page:
    asked, typed = forms.asked()
    with reading() as session:
        page = queries.report_page(session, asked)
    return render_template("vat/report.html", page=page, typed=typed, whats=queries.WHATS, steps=queries.STEPS)


@bp.get("/books/vat.csv")
@bookkeeper
def report_file() -> Response:
    asked, _ = forms.asked()
    with reading() as session:
        page = queries.report_page(session, asked)
    rows = [(step.starts, step.ends, *_amounts(row)) for step in page.steps for row in step.rows]
    return _file(f"vat-{asked.since}-{asked.until}.csv", _REPORT, rows)


@bp.get("/books/vat/entries")
@bookkeeper
def entries() -> Page:
    asked, _ = forms.asked()
    with reading() as session:
        page = queries.entries_page(session, asked, *forms.what(), number=page_number())
    return render_template("vat/entries.html", page=page, whats=queries.WHATS)


@bp.get("/books/vat/entries.csv")
@fresh(bookkeeper)
def entries_file() -> Response:
    asked, _ = forms.asked()
    what, rate_bp = forms.what()
    with reading() as session:
        rows = [
            (one.id, one.key, one.kind, one.business_date, *_amounts(_row_of(what, rate_bp, one)))
            for one in queries.all_entries(session, asked, what, rate_bp)
        ]
    return _file(f"vat-{what}-{rate_bp}-{asked.since}-{asked.until}.csv", _ENTRIES, rows)


def _row_of(what: str, rate_bp: int, one: queries.TaxedEntry) -> queries.RateRow:
    return queries.RateRow(what, rate_bp, one.net_minor, one.tax_minor, one.gross_minor)


def _amounts(row: queries.RateRow) -> tuple[Cell, ...]:
    exponent = customs().exponent
    amounts = (format_minor(minor, exponent) for minor in (row.net_minor, row.tax_minor, row.gross_minor))
    return (row.what, format_minor(row.rate_bp, 2), *amounts, customs().currency)


def _file(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    answer = Response(b"".join(write_csv(columns, rows)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
