"""What leaves the house: a ledger that another tool proves, and proofs that anybody can check; whole or not at all."""

from __future__ import annotations

import csv
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZipFile

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

from coop.books import queries
from coop.books import service as books
from coop.core.errors import NotFound, RuleBroken
from coop.core.proof import verify_lines
from coop.formats.beancount import account_name
from tests.builders import FIELD_KEY, NOW, a_household, give_credit
from tests.carried import carry_through
from tests.journal_reader import hledger_too, read_journal


@pytest.fixture(scope="module")
def season(module_database):
    engine = create_engine(module_database.app_url, connect_args={"options": "-c timezone=UTC"})
    db = sessionmaker(engine, expire_on_commit=False)
    yield db, carry_through(db)
    engine.dispose()


def bean_check(file: Path) -> tuple[int, str]:
    program = Path(sys.executable).with_name("bean-check")
    checked = subprocess.run([program, file], capture_output=True, text=True, check=False)
    return checked.returncode, checked.stdout + checked.stderr


def test_an_accounting_tool_accepts_the_ledger_and_ends_where_we_do(season, tmp_path):
    db, _ = season
    file = tmp_path / "coop.beancount"
    written = books.export_ledger(db, file, at=NOW)
    with db() as session:
        counts = "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM posting), (SELECT count(*) FROM account)"
        assert (written.entries, written.postings, written.accounts) == tuple(session.execute(text(counts)).one())
        ends = {account_name(code, party): amount for code, party, amount in queries.ledger_balances(session)}
    assert bean_check(file) == (0, "")
    told = dict(line.split()[2:4] for line in file.read_text().splitlines() if " balance " in line)
    assert {name: round(float(amount) * 100) for name, amount in told.items()} == ends
    assert sum(ends.values()) == 0


def test_another_accounting_tool_reads_it_to_the_cent_too(season, tmp_path):
    db, _ = season
    file = tmp_path / "coop.journal"
    books.export_ledger(db, file, at=NOW, form="hledger")
    with db() as session:
        ends = {
            account_name(code, party).lower(): amount
            for code, party, amount in queries.ledger_balances(session)
            if amount
        }
    told = read_journal(file.read_text("utf-8"))
    assert {name: int(end * 100) for name, end in told.items()} == ends
    assert hledger_too(file) == (0, "")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_other_forms_of_the_ledger_are_written_too(season, tmp_path, form):
    db, _ = season
    written = books.export_ledger(db, tmp_path / f"ledger.{form}", at=NOW, form=form)
    with db() as session:
        assert written.postings == session.scalar(text("SELECT count(*) FROM posting"))
    if form == "csv":
        rows = list(csv.DictReader((tmp_path / "ledger.csv").read_text("utf-8").splitlines()))
        assert len(rows) == written.postings
        minor = [int((row["debit"] or f"-{row['credit']}").replace(".", "")) for row in rows]
        assert sum(minor) == 0


def test_a_new_co_op_has_a_ledger_too(fresh_db, tmp_path):
    written = books.export_ledger(fresh_db, tmp_path / "empty.beancount", at=NOW)
    assert (written.entries, written.postings, written.accounts) == (0, 0, 0)
    assert bean_check(tmp_path / "empty.beancount") == (0, "")


def test_the_ledger_is_that_of_one_instant_though_others_go_on_posting(fresh_db, tmp_path, monkeypatch):
    with fresh_db.begin() as session:
        household = a_household(session, "Ana", credit_minor=1_000)
    read_balances = queries.ledger_balances

    def and_another_pays_in_meanwhile(session):
        balances = read_balances(session)
        with fresh_db.begin() as other:
            give_credit(other, household, 50)
        return balances

    monkeypatch.setattr(queries, "ledger_balances", and_another_pays_in_meanwhile)
    assert books.export_ledger(fresh_db, tmp_path / "coop.beancount", at=NOW).entries == 1
    assert bean_check(tmp_path / "coop.beancount") == (0, "")


def test_a_published_pools_proof_is_checked_by_anybody(season, tmp_path):
    db, carried = season
    digest = books.export_proof(db, carried.pools[0], tmp_path / "proof.jsonl", field_key=FIELD_KEY)
    with (tmp_path / "proof.jsonl").open("rb") as lines:
        verdict = verify_lines(lines)
    assert verdict == {"ok": True, "batches": 2, "result_digest": digest, "first_difference": None}


def test_there_is_no_proof_before_the_publication(season, tmp_path):
    db, carried = season
    with pytest.raises(RuleBroken) as refused:
        books.export_proof(db, carried.pools[2], tmp_path / "proof.jsonl", field_key=FIELD_KEY)
    assert refused.value.code == "not_published"
    with pytest.raises(NotFound):
        books.export_proof(db, "Pool 99", tmp_path / "proof.jsonl", field_key=FIELD_KEY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", [".", "missing/proof.jsonl", "/dev/null"])
def test_a_place_that_is_no_file_is_refused_and_nothing_is_left(season, tmp_path, where):
    db, carried = season
    with pytest.raises(RuleBroken) as refused:
        books.export_proof(db, carried.pools[0], tmp_path / where, field_key=FIELD_KEY)
    assert refused.value.code == "unwritable_file"
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_when_the_new_one_is_whole_and_not_before(season, tmp_path, monkeypatch):
    db, _ = season
    file = tmp_path / "coop.beancount"
    file.write_text("the one before")

    def broken_off(session):
        yield from list(queries.ledger_balances(session))[:0]
        raise psycopg.OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(queries, "ledger_rows", broken_off)
        with pytest.raises(psycopg.OperationalError):
            books.export_ledger(db, file, at=NOW)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the one before"]
    books.export_ledger(db, file, at=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["coop.beancount"]
    assert file.read_text().startswith('option "title"')


@pytest.mark.parametrize("form", ["beancount", "hledger", "csv", "xlsx"])
def test_each_download_is_whole_and_opens_and_says_no_words_to_whom_they_are_not_for(season, tmp_path, form):
    db, _ = season
    with db() as session:
        postings = session.scalar(text("SELECT count(*) FROM posting"))
        memos = set(session.scalars(text("SELECT DISTINCT memo FROM entry WHERE length(memo) > 8")))
    assert memos
    for words in (True, False):
        out = BytesIO()
        assert books.write_ledger(db, out, form=form, at=NOW, words=words).postings == postings
        if form == "xlsx":
            with ZipFile(out) as book:
                told = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
        else:
            told = out.getvalue().decode()
        assert any(escape(memo) in told or memo in told for memo in memos) is words
        if form == "csv":
            assert len(list(csv.DictReader(told.splitlines()))) == postings
        if form == "beancount":
            (tmp_path / "ledger.beancount").write_bytes(out.getvalue())
            assert bean_check(tmp_path / "ledger.beancount") == (0, "")
