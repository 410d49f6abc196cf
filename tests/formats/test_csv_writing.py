"""A table for a spreadsheet starts no formula, keeps its numbers, and is read back as it was."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.formats.csv_writing import guarded, write_csv


@pytest.mark.parametrize(
    "text", ["=1+1", "+44 20", "-x", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x", "-1+cmd|' /C calc'!A0", "\uff1d1"]
)
def test_a_cell_that_would_start_a_formula_is_guarded(text):
    assert guarded(text) == "'" + text.replace("\0", "\ufffd")


@pytest.mark.parametrize("text", ["-12.50", "-12,50", "-5", "12", "Ana", "", "a=b", "2026-12-01"])
def test_numbers_and_plain_words_are_left_alone(text):
    assert guarded(text) == text


def test_rows_of_every_kind_of_cell_come_back():
    content = b"".join(
        write_csv(
            ["member", "=minor", "day"], [["Ana, “the potter”", -150, date(2026, 12, 1)], ["=HYPERLINK(1)", None, None]]
        )
    )
    assert content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))) == [
        ["member", "'=minor", "day"],
        ["Ana, “the potter”", "-150", "2026-12-01"],
        ["'=HYPERLINK(1)", "", ""],
    ]


def test_many_rows_come_in_pieces_and_are_all_there():
    pieces = list(write_csv(["n"], ([n] for n in range(1201))))
    assert len(pieces) == 3
    assert b"".join(pieces).decode("utf-8-sig").split() == ["n", *map(str, range(1201))]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_no_written_cell_starts_a_formula(cells):
    content = b"".join(write_csv(["a"] * len(cells), [cells])).decode("utf-8-sig")
    _, row = csv.reader(io.StringIO(content, newline=""))
    for text, cell in zip(cells, row, strict=True):
        assert cell.removeprefix("'") == text.replace("\0", "\ufffd") or cell == text
        assert cell == "" or (
            cell[0] not in "=+@\t\r" and (cell[0] != "-" or cell[1:].replace(".", "").replace(",", "").isdigit())
        )
