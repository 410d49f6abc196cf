"""Makers' years for taxes: a page, a paper for each, and a file for whoever keeps the books."""

from flask import Blueprint, Response, render_template

from coop.clock import now
from coop.core.money import format_minor
from coop.formats.csv_writing import write_csv
from coop.formats.paper import write_paper
from coop.web.filters import day, money
from coop.web.guards import fresh, rows_of, statement_reader, treasurer, viewer
from coop.web.paging import page_number
from coop.web.reading import customs, reading
from coop.web.views import Page
from coop.yearly import queries
from coop.yearly.queries import YearRow

bp = Blueprint("yearly", __name__)

reader_of_year = rows_of(statement_reader, "reader_of_year", queries.may_read)

_COLUMNS = ("maker", "year", "pieces", "sold", "fee", "tax_in_fee", "earned", "advanced", "paid", "currency")


@bp.get("/statements/years/<int:year>")
@statement_reader
def page(year: int) -> Page:
    with reading() as session:
        shown = queries.year_page(session, viewer(), year, number=page_number(), at=now())
    return render_template("yearly/year.html", page=shown)


@bp.get("/statements/years/<int:year>/makers/<int:artisan_id>.pdf")
@reader_of_year
def paper(year: int, artisan_id: int) -> Response:
    with reading() as session:
        row = queries.year_of_maker(session, artisan_id, year)
    title = f"The year {year}: {row.maker}"
    content = write_paper("year", _values(row, year), title=title, made_at=now())
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="year-{year}-{artisan_id}.pdf"'
    return answer


@bp.get("/statements/years/<int:year>.csv")
@fresh(treasurer)
def file(year: int) -> Response:
    with reading() as session:
        rows = queries.year_rows(session, year, own=None)
    content = b"".join(write_csv(_COLUMNS, [_cells(row, year) for row in rows]))
    answer = Response(content, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="makers-{year}.csv"'
    return answer


def _cells(row: YearRow, year: int) -> tuple[str | int, ...]:
    exponent, currency = customs().exponent, customs().currency
    minors = (row.sold_minor, row.fee_minor, row.tax_minor, row.earned_minor, row.advanced_minor, row.paid_minor)
    return (row.maker, year, row.pieces, *(format_minor(minor, exponent) for minor in minors), currency)


def _values(row: YearRow, year: int) -> dict[str, object]:
    rest = row.earned_minor - row.sold_minor + row.fee_minor
    return {
        "coop": customs().coop_name,
        "maker": row.maker,
        "year": str(year),
        "written": day(now()).striptags(),
        "sales": [
            ["Pieces handed over", f"{row.pieces:,}"],
            ["Sold", money(row.sold_minor)],
            ["Co-op fee", money(-row.fee_minor)],
            ["of it tax", money(-row.tax_minor)],
            *([["Corrections, and the co-op's part where it resells", money(rest)]] if rest else []),
            ["Earned", money(row.earned_minor)],
        ],
        "bank": [["Advances", money(row.advanced_minor)], ["Paid out", money(row.paid_minor)]],
    }
