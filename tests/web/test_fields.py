"""Fields read strictly: each value here says why it is refused or what it is."""

from __future__ import annotations

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form

from coop.core.errors import RuleBroken
from coop.pools.forms import MomentField
from coop.preparing.forms import MakersField
from coop.settling.forms import SplitForm
from coop.vouchers.forms import VoucherForm
from coop.web.fields import (
    AmountField,
    DayField,
    EmailField,
    PasswordField,
    PercentField,
    PiecesField,
    TextBlock,
    TextLine,
)
from coop.web.forms import BadForm, posted_key


def read(app, field, typed: str):
    """Read what is typed into a form of this one field; return its value, or the sentences that refuse it."""
    shape = type("Shape", (Form,), {"field": field})
    with app.test_request_context():
        form = shape(MultiDict({"field": typed}))
        return form.field.data if form.validate() else list(form.field.errors)


def is_refused(app, field, typed: str) -> bool:
    return isinstance(read(app, field, typed), list)


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        (TextLine("Name"), "two\nlines", "one_line"),
        (TextLine("Name"), "Ana\u202egro", "bad_text"),
        (TextLine("Name", most=3), "Anna", "too_long"),
        (PasswordField("Password"), "three jars\x00of jam", "bad_text"),
        (EmailField("Mail"), "ana@example", "bad_email"),
        (DayField("Day"), "30/02/2026", "bad_day"),
        (DayField("Day"), "01/01/1999", "day_out_of_range"),
        (MomentField("Opens"), "26/11/2026", "bad_moment"),
        (MomentField("Opens"), "26/11/2026 24:00", "bad_moment"),
        (MomentField("Opens"), "01/01/2100 09:00", "day_out_of_range"),
        (MakersField("Hold"), "3,x", "unknown_maker"),
    ],
)
def test_what_is_refused_has_a_code(app, field, typed, code):
    shape = type("Shape", (Form,), {"field": field})
    with app.test_request_context(), pytest.raises(RuleBroken) as refused:
        shape(MultiDict()).field.read(typed)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"lines-0-account": "", "lines-1-debit": "3.00"}, "lines-1-account"),
        ({"lines-0-account": "1000"}, "lines-0-debit"),
        ({"lines-0-account": "1000", "lines-0-debit": "3.00", "lines-0-credit": "3.00"}, "lines-0-debit"),
    ],
)
def test_a_row_of_an_entry_is_filled_in_whole_or_left_empty(app, db, typed, field):
    with app.test_request_context("/", method="POST", data=typed), pytest.raises(RuleBroken) as refused:
        VoucherForm().told()
    assert (refused.value.code, refused.value.field) == ("half_filled", field)


@pytest.mark.parametrize("typed", [{}, {"key": "short"}, {"key": "x" * 65}, {"key": "not a key, by far"}])
def test_a_button_carries_the_key_that_its_page_gave_it(app, db, typed):
    with app.test_request_context("/", method="POST", data=typed), pytest.raises(BadForm) as refused:
        posted_key()
    assert refused.value.code == "bad_key"


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"parts-0-household": "Ana"}, "parts-0-amount"), ({"parts-0-amount": "3.00"}, "parts-0-household")],
)
def test_a_part_of_a_receipt_is_filled_in_whole_or_left_empty(app, db, typed, field):
    with app.test_request_context("/", method="POST", data=typed), pytest.raises(RuleBroken) as refused:
        SplitForm().told(lambda _: 1)
    assert (refused.value.code, refused.value.field) == ("half_filled", field)


@pytest.mark.parametrize(("typed", "pieces"), [("1", 1), ("12", 12), (" 7 ", 7), ("007", 7), ("1000000", 1_000_000)])
def test_pieces_are_whole_numbers_in_plain_digits(app, typed, pieces):
    assert read(app, PiecesField("Pieces"), typed) == pieces


@pytest.mark.parametrize(
    "typed",
    ["", " ", "0", "-1", "+1", "1.0", "1,0", "1_000", "1 000", "\uff11\uff12", "\u0663", "\u00b2", "1e3", "0x1", "Infinity", "nan", "1000001",
     "9223372036854775808", "1" * 400, "one", "1;", "--1", "\u22121"],
)  # fmt: skip
def test_anything_else_is_no_number_of_pieces(app, typed):
    assert is_refused(app, PiecesField("Pieces"), typed)


def test_pieces_may_be_none_or_left_open_where_the_form_says_so(app):
    assert read(app, PiecesField("Pieces", least=0), "0") == 0
    assert read(app, PiecesField("Pieces", optional=True), "") is None
    assert is_refused(app, PiecesField("Pieces", most=3), "4")


@pytest.mark.parametrize(
    ("typed", "bp"), [("0", 0), ("13.5", 1_350), ("5.55", 555), (" 20 % ", 2_000), ("9.05", 905), ("100", 10_000)]
)
def test_a_percentage_is_read_in_basis_points_and_shown_as_it_would_be_typed(app, typed, bp):
    field = PercentField("Tax", least=0, most=100)
    assert read(app, field, typed) == bp
    with app.test_request_context():
        shown = type("Shape", (Form,), {"field": field})(data={"field": bp}).field._value()
    assert shown == typed.strip().removesuffix("%").strip()


@pytest.mark.parametrize("typed", ["", "13.555", "100.01", "-1", "1e1", "13.", ".5", "13,5", "5%%", "\u0663", "nan"])
def test_anything_else_is_no_percentage(app, typed):
    assert is_refused(app, PercentField("Tax", least=0, most=100), typed)


def test_a_percentage_may_have_the_decimal_mark_of_the_co_ops_place(app, db):
    from coop.policy import service as policy

    with db.begin() as session:
        policy.settle(session, "locale", "fr_FR", by=0)
    assert read(app, PercentField("TVA", least=0, most=100), "5,5") == 550
    assert read(app, PercentField("TVA", least=0, most=100), "5.5") == 550


@pytest.mark.parametrize(
    "typed",
    [
        "1_000",
        "\uff11\uff12",
        "\u0663",
        "1e3",
        "1e400",
        "Infinity",
        "-0.01",
        "12.345",
        "0",
        "",
        "1.",
        ".5",
        "\u20ac5",
        "1,00,000",
    ],
)
def test_an_amount_is_refused_as_the_rules_of_money_refuse_it(app, typed):
    assert is_refused(app, AmountField("Amount"), typed)


@pytest.mark.parametrize(("typed", "minor"), [("0.01", 1), ("1,234.5", 123_450), ("1234.50", 123_450), (" 7 ", 700)])
def test_an_amount_is_read_in_minor_units(app, typed, minor):
    assert read(app, AmountField("Amount"), typed) == minor


def test_an_amount_is_typed_as_the_co_ops_place_writes_it(app, db):
    from coop.policy import service as policy

    with db.begin() as session:
        policy.settle(session, "locale", "de_DE", by=0)
    assert read(app, AmountField("Betrag"), "1.234,50") == 123_450
    assert is_refused(app, AmountField("Betrag"), "1,234.50")


@pytest.mark.parametrize(
    ("typed", "line"),
    [(" Ana  ", "Ana"), ("A\u030angstro\u0308m", "\u00c5ngstr\u00f6m"), ("\u0645\u0631\u0628\u0649", "\u0645\u0631\u0628\u0649"), ("x" * 120, "x" * 120), ("\u5c71\u7530", "\u5c71\u7530"), ("=1+1", "=1+1")],
)  # fmt: skip
def test_a_line_is_trimmed_and_in_one_form(app, typed, line):
    assert read(app, TextLine("Name"), typed) == line


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "x" * 121, "a\x00b", "Ana\u202egnp.exe", "a\u2066b", "a\nb", "a\rb", "a\ufffdb", "a\x1bb", "a\u2028b"],
)
def test_a_line_that_cannot_be_read_as_one_is_refused(app, typed):
    assert is_refused(app, TextLine("Name"), typed)


def test_a_block_keeps_its_lines_and_one_kind_of_line_end(app):
    assert read(app, TextBlock("Story"), "one\r\ntwo\rthree\n") == "one\ntwo\nthree"
    assert is_refused(app, TextBlock("Story"), "x" * 5001)
    assert is_refused(app, TextBlock("Story"), "a\u202eb")


@pytest.mark.parametrize(
    "typed", ["ana@example.org", "a.b+c@sub.example.co.uk", "\u00e4na@ex\u00e4mple.de", " ana@example.org "]
)
def test_a_mail_address_has_the_shape_of_one(app, typed):
    assert read(app, EmailField("Mail"), typed) == typed.strip()


@pytest.mark.parametrize(
    "typed",
    ["ana", "@example.org", "ana@", "ana@example", "a b@example.org", "ana@example..org", "ana@@example.org", "ana@example.org\nBcc: eve@example.org",
     "ana@example.org, eve@example.org", "<ana@example.org>", "a" * 250 + "@example.org", "ana@example.org\x00", '"a"@example.org'],
)  # fmt: skip
def test_what_is_no_mail_address_is_refused(app, typed):
    assert is_refused(app, EmailField("Mail"), typed)


@pytest.mark.parametrize(
    "typed",
    [
        "2026-02-30",
        "0001-01-01",
        "9999-12-31",
        "03.11.2026",
        "2026-1-2",
        "20261103",
        "2026-11-03T00:00",
        "\u0662026-11-03",
        "1999-12-31",
    ],
)
def test_a_day_must_exist_and_be_of_our_time(app, typed):
    assert is_refused(app, DayField("Day"), typed)


@pytest.mark.parametrize(
    ("locale", "typed", "shown"),
    [("en_IE", "3/11/2026", "03/11/2026"), ("de_DE", "3.11.2026", "03.11.2026"), ("en_US", "11/3/2026", "11/03/2026"), ("sv_SE", "2026-11-03", "2026-11-03")],
)  # fmt: skip
def test_a_day_is_typed_and_shown_as_the_co_ops_place_writes_it(app, db, locale, typed, shown):
    from coop.policy import service as policy

    with db.begin() as session:
        policy.settle(session, "locale", locale, by=0)
    assert read(app, DayField("Day"), typed) == date(2026, 11, 3)
    assert read(app, DayField("Day"), "2026-11-03") == date(2026, 11, 3)
    with app.test_request_context():
        assert type("Shape", (Form,), {"day": DayField("Day")})(day=date(2026, 11, 3)).day._value() == shown


@pytest.mark.parametrize("typed", ["31/2/2026", "11/23/2026", "3/11/26", "3/11", "3 / 11 / 2026", "3-11-2026"])
def test_a_day_of_another_place_is_asked_for_again_and_kept_as_typed(app, typed):
    with app.test_request_context():
        day = type("Shape", (Form,), {"day": DayField("Day")})(MultiDict({"day": typed})).day
        assert "like 23/11/2026" in day.process_errors[0]
        assert day._value() == typed


def test_a_day_is_read_as_browsers_send_it(app):
    assert read(app, DayField("Day"), "2028-02-29") == date(2028, 2, 29)
    assert is_refused(app, DayField("Day", latest=date(2026, 1, 1)), "2026-01-02")


@pytest.mark.parametrize("typed", [" spaces count ", "e\u0301 is not \u00e9", "tab\tand \U0001f375", "x" * 300])
def test_a_password_is_taken_exactly(app, typed):
    assert read(app, PasswordField("Password"), typed) == typed


def test_a_password_is_never_shown_again(app):
    shape = type("Shape", (Form,), {"field": PasswordField("Password")})
    with app.test_request_context():
        assert "secret words" not in str(shape(MultiDict({"field": "secret words"})).field())
