"""Papers are laid out as PDF: readable by machines and people alike, the same wherever they are made."""

import re
from datetime import UTC, datetime

import pytest
import typst

from coop.formats.paper import write_paper

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
VALUES = {
    "coop": "Riverside Craft Co-op", "season": "Autumn 2026", "audience": "", "version": "1", "made_on": "1 Dec", "how": "level",
    "filled": "87.1 %", "wished": "70", "received": "61", "members": "9", "pools": "2", "batches": "3", "fully": "5",
    "histogram": [["from 0 %", "4"], ["all", "5"]], "rules": [["level (in force)", *["1"] * 7]],
    "lowest": [], "unserved": [], "unserved_head": "Members", "reach": [], "reach_heads": ["Family", "Most", "Bound"],
    "by_pool": [["November", "70", "61", "87.1 %"]], "by_craft": [], "hidden": "",
}  # fmt: skip


def paper(**changed):
    return write_paper("fairness", VALUES | changed, title="How fairly we shared out: Autumn 2026", made_at=AT)


def test_a_paper_is_a_tagged_pdf_with_a_title_and_the_fonts_it_needs():
    made = paper()
    assert made.startswith(b"%PDF-")
    assert b"pdfuaid:part" in made
    assert b"/MarkInfo" in made
    assert b"How fairly we shared out: Autumn 2026" in made
    names = set(re.findall(rb"/BaseFont */[A-Z]{6}\+([A-Za-z]+)", made))
    assert names <= {b"LibertinusSerif"}


def test_the_same_values_give_the_same_bytes():
    assert paper() == paper()


def test_what_a_value_says_is_text_and_never_a_command():
    assert paper(season='#panic("no") $x$ *b* <l> @r "').startswith(b"%PDF-")


def test_a_paper_that_is_told_too_little_is_not_made():
    with pytest.raises(typst.TypstError):
        write_paper("fairness", {"coop": "Riverside"}, title="Half", made_at=AT)
