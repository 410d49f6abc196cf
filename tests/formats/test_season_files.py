"""A season's files are read whole, in any order of their rows, or refused whole with every fault named."""

import gzip
import random
from datetime import UTC, date, datetime

import pytest

from coop.core.errors import RuleBroken
from coop.core.payout import IMPORTED_TERMS, Model, Terms
from coop.formats.csv_reading import LISTED_PROBLEMS, FilesRefused
from coop.formats.season_files import read_season

LONDON = "Europe/London"
MEMBERS = "member,share_weight\nM1,1\nM2,4\n"
PRODUCTS = "product,name,artisan\nJAM,Damson jam,A1\nMUG,Salt-glazed mug,A2\n"
ORDERS = """cycle,ordered_at,member,product,quantity,unit_price_minor
2011-W12,2011-03-21T08:26:00,M2,MUG,2,2500
2011-W12,2011-03-27T23:59:59,M1,JAM,3,650
2011-W13,2011-03-28T00:00:00,M1,MUG,1,2600
"""
YIELDS = "cycle,product,yield_units\n2011-W12,JAM,0\n2011-W12,MUG,5\n2011-W13,MUG,1\n"


def season_in(folder, **files):
    for stem, content in {
        "members": MEMBERS,
        "products": PRODUCTS,
        "orders": ORDERS,
        "yields": YIELDS,
        **files,
    }.items():
        if content is not None:
            (folder / f"{stem}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def faults_of(folder):
    with pytest.raises(FilesRefused) as refused:
        read_season(folder, LONDON)
    assert refused.value.count >= len(refused.value.problems)
    return [(problem.file, problem.line, problem.column, problem.code) for problem in refused.value.problems]


def test_a_season_is_read_by_columns_sorted_by_code(tmp_path):
    season = read_season(season_in(tmp_path), LONDON)
    assert season.cycles == ["2011-W12", "2011-W13"]
    assert [week.pickup for week in season.weeks] == [date(2011, 3, 30), date(2011, 4, 6)]
    assert (season.members, season.member_weights) == (["M1", "M2"], [1, 4])
    assert (season.artisans, season.artisan_terms) == (["A1", "A2"], [IMPORTED_TERMS, IMPORTED_TERMS])
    assert (season.products, season.product_names, season.product_artisans) == (
        ["JAM", "MUG"],
        ["Damson jam", "Salt-glazed mug"],
        [0, 1],
    )
    lines = zip(
        season.line_cycles,
        season.line_members,
        season.line_products,
        season.line_pieces,
        season.line_prices,
        strict=True,
    )
    assert list(lines) == [(0, 0, 0, 3, 650), (0, 1, 1, 2, 2500), (1, 0, 1, 1, 2600)]
    assert season.line_times == [
        datetime(2011, 3, 27, 22, 59, 59, tzinfo=UTC),
        datetime(2011, 3, 21, 8, 26, tzinfo=UTC),
        datetime(2011, 3, 27, 23, 0, tzinfo=UTC),
    ]
    assert list(zip(season.yield_cycles, season.yield_products, season.yield_pieces, strict=True)) == [
        (0, 0, 0),
        (0, 1, 5),
        (1, 1, 1),
    ]


def reordered(content, seed):
    header, *rows = content.splitlines()
    random.Random(seed).shuffle(rows)
    return "\n".join([header, *rows]) + "\n"


def test_the_order_of_rows_and_columns_line_ends_quotes_and_packing_do_not_matter(tmp_path):
    season = read_season(season_in(tmp_path), LONDON)
    for seed in range(5):
        shuffled = {
            stem: reordered(content, seed)
            for stem, content in (("members", MEMBERS), ("orders", ORDERS), ("yields", YIELDS))
        }
        assert read_season(season_in(tmp_path, **shuffled), LONDON) == season
    assert read_season(season_in(tmp_path, members="share_weight,member\r\n1,M1\r\n4,M2\r\n"), LONDON) == season
    assert read_season(season_in(tmp_path, members='\ufeff"member","share_weight"\n"M1",1\nM2,"4"\n'), LONDON) == season
    (tmp_path / "orders.csv").unlink()
    (tmp_path / "orders.csv.gz").write_bytes(gzip.compress(ORDERS.encode()))
    assert read_season(tmp_path, LONDON) == season


@pytest.mark.parametrize(
    "changed",
    [
        {"members": MEMBERS.replace("M1,1", "M1,2")},
        {"products": PRODUCTS.replace("Damson", "Plum")},
        {"products": PRODUCTS.replace("A2", "A1")},
        {"orders": ORDERS.replace("M1,JAM,3", "M1,JAM,4")},
        {"orders": ORDERS.replace("08:26:00", "08:26:01")},
        {"yields": YIELDS.replace("MUG,5", "MUG,4")},
        {"artisans": "artisan,fee_bp,fee_tax_bp\nA1,1500,1900\n"},
    ],
)
def test_other_rows_are_another_season(tmp_path, changed):
    season = read_season(season_in(tmp_path), LONDON)
    assert read_season(season_in(tmp_path, **changed), LONDON).digest != season.digest


def test_artisans_may_have_terms_of_their_own(tmp_path):
    season = read_season(season_in(tmp_path, artisans="artisan,fee_bp,fee_tax_bp\nA2,1500,1900\n"), LONDON)
    assert season.artisan_terms == [IMPORTED_TERMS, Terms(Model.AGENT, 1500, 1900)]
    assert faults_of(season_in(tmp_path, artisans="artisan,fee_bp,fee_tax_bp\nA3,5001,x\nA3,0,0\n")) == [
        ("artisans.csv", 2, "fee_bp", "bad_number"),
        ("artisans.csv", 2, "fee_tax_bp", "bad_number"),
        ("artisans.csv", 2, "artisan", "unknown_artisan"),
        ("artisans.csv", 3, "artisan", "duplicate"),
        ("artisans.csv", 3, "artisan", "unknown_artisan"),
    ]


def test_every_bad_row_is_named_with_its_file_line_and_column(tmp_path):
    orders = """cycle,ordered_at,member,product,quantity,unit_price_minor
2011-W12,2011-03-21T08:26:00,M9,MUG,0,2500
2011-W12,2011-03-28T00:00:00,M1,JAM,-3,650
2011-W99,2011-03-28 00:00:00,M1,MUG,1_0,2600
2011-W12,2011-03-21T08:26:00,M1,JAM,\uff11,651
2011-W13,2011-03-31T08:26:00,M1,MUG,9999999,1e3
2011-W13,2011-03-31T08:26:00,M2,CUP,1
2011-W13,2011-03-31T08:26:00,M2,CUP,1,100
"""
    assert ("orders.csv", 7, "row", "wrong_width") in faults_of(season_in(tmp_path, orders=orders))
    whole = orders.replace("M2,CUP,1\n", "M2,CUP,1,100\n")
    assert sorted(set(faults_of(season_in(tmp_path, orders=whole)))) == [
        ("orders.csv", 2, "member", "unknown_member"),
        ("orders.csv", 2, "quantity", "bad_number"),
        ("orders.csv", 3, "ordered_at", "outside_cycle"),
        ("orders.csv", 3, "quantity", "bad_number"),
        ("orders.csv", 4, "cycle", "bad_cycle"),
        ("orders.csv", 4, "cycle+product", "no_yield"),
        ("orders.csv", 4, "ordered_at", "bad_time"),
        ("orders.csv", 4, "quantity", "bad_number"),
        ("orders.csv", 5, "cycle+member+product", "duplicate"),
        ("orders.csv", 5, "quantity", "bad_number"),
        ("orders.csv", 5, "unit_price_minor", "two_prices"),
        ("orders.csv", 6, "quantity", "bad_number"),
        ("orders.csv", 6, "unit_price_minor", "bad_number"),
        ("orders.csv", 7, "cycle+product", "no_yield"),
        ("orders.csv", 7, "product", "unknown_product"),
        ("orders.csv", 8, "cycle+member+product", "duplicate"),
        ("orders.csv", 8, "cycle+product", "no_yield"),
        ("orders.csv", 8, "product", "unknown_product"),
    ]


def test_a_fault_reads_as_place_and_sentence(tmp_path):
    with pytest.raises(FilesRefused) as refused:
        read_season(season_in(tmp_path, members=MEMBERS.replace("M2,4", "M2,four")), LONDON)
    assert [str(problem) for problem in refused.value.problems] == [
        "members.csv:3: share_weight: “four” is not allowed; give a whole number from 1 to 32767"
    ]
    assert refused.value.code == "bad_number"


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"members": None}, ("members.csv", 1, "file", "missing_file")),
        ({"members": ""}, ("members.csv", 1, "header", "empty_file")),
        ({"members": "member,share_weight\n"}, ("members.csv", 1, "file", "no_rows")),
        ({"members": "member,weight\nM1,1\n"}, ("members.csv", 1, "header", "missing_column")),
        ({"members": "member,share_weight,age\nM1,1,30\n"}, ("members.csv", 1, "header", "unknown_column")),
        ({"members": "member,share_weight,member\nM1,1,M1\n"}, ("members.csv", 1, "header", "duplicate_column")),
        ({"members": MEMBERS.replace(",", ";")}, ("members.csv", 1, "header", "wrong_separator")),
        ({"members": MEMBERS.replace(",", "\t")}, ("members.csv", 1, "header", "wrong_separator")),
        ({"members": MEMBERS.encode("utf-16")}, ("members.csv", 1, "file", "wrong_encoding")),
        (
            {"products": PRODUCTS.replace("Damson", "Pr\u00fcnelle").encode("latin-1")},
            ("products.csv", 2, "file", "wrong_encoding"),
        ),
        ({"products": PRODUCTS.replace("Salt", "S\ufffdlt")}, ("products.csv", 3, "file", "wrong_encoding")),
        ({"products": PRODUCTS.replace("Salt", "S\0lt")}, ("products.csv", 3, "file", "nul")),
        ({"products": PRODUCTS.replace("Salt", '"Salt')}, ("products.csv", 3, "row", "bad_quotes")),
        ({"products": PRODUCTS.replace("Salt", "S\u202elt")}, ("products.csv", 3, "name", "bad_name")),
        ({"products": PRODUCTS.replace("A2", "=A2")}, ("products.csv", 3, "artisan", "bad_code")),
        ({"members": gzip.compress(MEMBERS.encode())}, ("members.csv", 1, "file", "wrong_encoding")),
        ({"members": MEMBERS[:-1]}, ("members.csv", 3, "file", "truncated")),
        ({"members": MEMBERS + MEMBERS}, ("members.csv", 4, "row", "doubled_file")),
        ({"members": MEMBERS + "M2,4\n"}, ("members.csv", 4, "member", "duplicate")),
        ({"members": MEMBERS + "\n"}, ("members.csv", 4, "row", "wrong_width")),
        ({"yields": YIELDS[: YIELDS.index("2011-W13")]}, ("orders.csv", 4, "cycle+product", "no_yield")),
        ({"orders": ORDERS[: ORDERS.index("2011-W13")]}, ("yields.csv", 4, "cycle+product", "no_order")),
        (
            {"orders": ORDERS.replace("M1,JAM,3,650", "M1,JAM,1000,1000000000")},
            ("orders.csv", 3, "quantity", "too_large"),
        ),
    ],
)
def test_a_damaged_file_is_refused_and_named(tmp_path, files, fault):
    assert fault in faults_of(season_in(tmp_path, **files))


def test_a_damaged_or_doubled_packed_file_is_refused(tmp_path):
    folder = season_in(tmp_path)
    packed = gzip.compress(ORDERS.encode())
    (folder / "orders.csv.gz").write_bytes(packed)
    assert faults_of(folder) == [("orders.csv", 1, "file", "doubled_file")]
    (folder / "orders.csv").unlink()
    for content, fault in (
        (packed[:-9], (1, "file", "truncated")),
        (packed[:40] + b"\xff\xff\xff" + packed[43:], (1, "file", "not_gzip")),
        (ORDERS.encode(), (1, "file", "not_gzip")),
        (packed + packed, (5, "row", "doubled_file")),
    ):
        (folder / "orders.csv.gz").write_bytes(content)
        assert faults_of(folder)[0] == ("orders.csv.gz", *fault)


def test_of_very_many_faults_the_first_are_listed_and_all_are_counted(tmp_path):
    members = "member,share_weight\n" + "".join(f"M{n},0\n" for n in range(1, LISTED_PROBLEMS + 501))
    with pytest.raises(FilesRefused) as refused:
        read_season(season_in(tmp_path, members=members), LONDON)
    assert refused.value.count == LISTED_PROBLEMS + 500
    assert [problem.line for problem in refused.value.problems] == list(range(2, LISTED_PROBLEMS + 2))


def test_wherever_a_file_is_cut_it_is_refused(tmp_path):
    for cut in range(0, len(ORDERS), 3):
        faults_of(season_in(tmp_path, orders=ORDERS[:cut]))


def test_an_unknown_zone_is_refused_before_any_file(tmp_path):
    with pytest.raises(RuleBroken, match="bad_timezone"):
        read_season(tmp_path, "Mars/Olympus")
