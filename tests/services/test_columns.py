"""A bank's CSV files: their columns are asked once, remembered, and the file is taken in like every other."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from coop.bank import service as bank
from coop.bank.models import BankLine, BankStatement
from coop.columns import service as columns
from coop.columns.models import BankColumns, WaitingFile
from coop.core.errors import NotFound
from coop.core.ledger import MEMBER_CREDIT, household_party
from coop.core.payment_reference import CREDIT, PaymentReference
from coop.formats.bank_csv import Columns
from coop.sealing import unseal
from tests.builders import FIELD_KEY, NOW
from tests.rounds import balances
from tests.services.test_bank import OURS, ana, count, refusal  # noqa: F401 - a fixture

SAID = Columns(booked_on="Buchung", amount="Betrag", balance="Saldo", text="Zweck", name="Name")


def a_file(*rows: str, headings: str = "Buchung;Name;Zweck;Betrag;Saldo") -> bytes:
    return "\n".join(("Umsatzliste;;", headings, *rows)).encode()


def take_in(db, content: bytes, **named) -> int:
    return bank.import_statement(db, content, by=1, at=NOW, field_key=FIELD_KEY, **named)


@pytest.fixture
def first(ana) -> bytes:  # noqa: F811
    reference = PaymentReference(CREDIT, ana).written()
    return a_file(f"20.11.2026;Ana;{reference};25,00;1.025,00", "21.11.2026;Ben;hello;1.000,50;2.025,50")


def test_columns_are_asked_once_and_remembered(db, ana, first):  # noqa: F811
    assert refusal(take_in, db, first) == "columns_needed"
    assert (count(db, BankStatement), count(db, BankLine)) == (0, 0)
    take_in(db, first, columns=SAID)
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 2500}
    take_in(db, a_file("22.11.2026;Cem;;10,00;2.035,50"))
    assert count(db, BankLine) == 3
    assert count(db, BankColumns) == 1


def test_another_heading_or_account_is_asked_about_anew(db, first):
    take_in(db, first, columns=SAID)
    assert refusal(take_in, db, a_file("x;1;2;3;4", headings="Datum;Name;Zweck;Betrag;Saldo")) == "columns_needed"


def test_a_file_that_overlaps_brings_only_what_is_new(db, first):
    take_in(db, first, columns=SAID)
    take_in(db, a_file("21.11.2026;Ben;hello;1.000,50;2.025,50", "22.11.2026;Cem;;10,00;2.035,50"))
    assert count(db, BankLine) == 3


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"booked_on": ""}, "column_missing"),
        ({"amount": ""}, "column_missing"),
        ({"paid_in": "Name"}, "same_column_twice"),
        ({"balance": "Betrag"}, "same_column_twice"),
        ({"balance": ""}, "missing_balance"),
        ({"text": "Gone"}, "missing_column"),
        ({"decimal": "."}, "bad_row"),
        ({"day_order": "mdy"}, "bad_row"),
    ],
)
def test_columns_that_do_not_fit_are_refused_and_not_remembered(db, first, said, code):
    told = {name: getattr(SAID, name) for name in ("booked_on", "amount", "balance", "text", "name")} | said
    assert refusal(take_in, db, first, columns=Columns(**told)) == code
    assert (count(db, BankStatement), count(db, BankColumns)) == (0, 0)


def test_balances_that_do_not_follow_from_the_lines_refuse_the_file(db, ana):  # noqa: F811
    broken = a_file("20.11.2026;Ana;;25,00;1.025,00", "21.11.2026;Ben;;1,00;1.025,00")
    assert refusal(take_in, db, broken, columns=SAID) == "does_not_add_up"


def test_without_a_column_of_balances_the_last_one_is_given(db, ana):  # noqa: F811
    plain = a_file("20.11.2026;Ana;;25,00", headings="Buchung;Name;Zweck;Betrag")
    said = Columns(booked_on="Buchung", amount="Betrag", text="Zweck", name="Name")
    take_in(db, plain, columns=said, closing_minor=10_000)
    with db() as session:
        one = session.scalars(select(BankStatement)).one()
        assert (one.opening_minor, one.closing_minor) == (7500, 10_000)


def test_a_statements_file_is_stored_sealed(db, first):
    take_in(db, first, columns=SAID)
    with db() as session:
        stored = session.scalars(select(BankStatement.sealed)).one()
    assert b"hello" not in stored
    assert unseal(stored, FIELD_KEY, purpose=bank.FILE) == first


def test_files_from_before_are_sealed_with_the_next_one(db, first):
    take_in(db, first, columns=SAID)
    with db.begin() as session:
        session.execute(text("UPDATE bank_statement SET sealed = 'plain words'"))
    take_in(db, a_file("22.11.2026;Cem;;10,00;2.035,50"))
    with db() as session:
        for stored in session.scalars(select(BankStatement.sealed)):
            assert unseal(stored, FIELD_KEY, purpose=bank.FILE) in {b"plain words", stored, *_known()}


def _known() -> tuple[bytes, ...]:
    return (a_file("22.11.2026;Cem;;10,00;2.035,50"),)


def test_a_file_that_waits_is_sealed_and_goes_once_it_is_taken_in(db, first):
    waiting = columns.put_by(db, first, by=1, at=NOW, field_key=FIELD_KEY)
    assert columns.put_by(db, first, by=1, at=NOW, field_key=FIELD_KEY) == waiting
    with db() as session:
        assert b"hello" not in session.scalars(select(WaitingFile.sealed)).one()
        assert columns.content_of(session, waiting, field_key=FIELD_KEY) == first
    take_in(db, first, columns=SAID)
    with db() as session, pytest.raises(NotFound):
        columns.content_of(session, waiting, field_key=FIELD_KEY)


def test_our_account_is_asked_for_first(db):
    assert refusal(take_in, db, a_file("a;b;c;d;e")) == "no_bank_account"
    assert OURS.startswith("GB")
