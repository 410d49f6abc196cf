"""A backup brings everything back, or says why not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from coop import clock, keeping
from coop.config import libpq_url
from coop.core.errors import RuleBroken
from coop.embedded import Services
from coop.migrating import is_newest, upgrade

ROOT = Path(__file__).parents[2]
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
_RIGHTS = """
SELECT c.relname, p.privilege_type FROM pg_class c, aclexplode(c.relacl) p JOIN pg_roles r ON r.oid = p.grantee
WHERE r.rolname = 'coop_app' AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_GUARDS = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
_DEFAULTS = "SELECT defaclobjtype, defaclacl::text FROM pg_default_acl ORDER BY 1"


def _seen(url: str) -> list:
    """Every row of every table, and who may do what to which."""
    with psycopg.connect(libpq_url(url)) as connection:
        tables = [name for (name,) in connection.execute(_TABLES)]
        rows = {
            name: sorted(row for (row,) in connection.execute(f'SELECT t::text FROM "{name}" t')) for name in tables
        }
        return [rows, *(connection.execute(words).fetchall() for words in (_RIGHTS, _GUARDS, _DEFAULTS))]


@pytest.fixture
def taken(database, tmp_path):
    with psycopg.connect(libpq_url(database.owner_url)) as connection:
        connection.execute("INSERT INTO artisan (name, craft) VALUES ('Ana', 'mugs'), ('Tomas', 'gin')")
    path = tmp_path / "monday.backup"
    return path, keeping.backup(database.owner_url, path, at=clock.now())


@pytest.fixture(scope="module")
def elsewhere(shared_home):
    """Another installation, still empty."""
    with Services(shared_home, durable=False, valkey=False) as services:
        yield services


def _emptied(services: Services) -> str:
    with psycopg.connect(libpq_url(services.owner_url), dbname="postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE coop WITH (FORCE)")
        connection.execute("CREATE DATABASE coop")
    return services.owner_url


def test_a_restored_database_has_the_rows_the_rights_and_the_guards(database, taken, elsewhere):
    owner_url = _emptied(elsewhere)
    assert keeping.restore(owner_url, taken[0]) == taken[1]
    assert _seen(owner_url) == _seen(database.owner_url)
    assert is_newest(owner_url)


def test_the_restored_app_still_may_not_rewrite_the_ledger(taken, elsewhere):
    keeping.restore(_emptied(elsewhere), taken[0])
    with (
        psycopg.connect(libpq_url(elsewhere.app_url)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("UPDATE posting SET amount = 0")


def test_a_restore_never_overwrites(taken, elsewhere):
    owner_url = _emptied(elsewhere)
    upgrade(owner_url)
    with pytest.raises(RuleBroken, match="not_empty: This database is not empty"):
        keeping.restore(owner_url, taken[0])


@pytest.mark.parametrize("cut", [0, 100, 5000, -20_000])
def test_a_backup_cut_short_is_refused_and_stores_nothing(taken, elsewhere, cut):
    owner_url = _emptied(elsewhere)
    path = taken[0].with_name("cut.backup")
    path.write_bytes(taken[0].read_bytes()[:cut])
    with pytest.raises(RuleBroken, match="not_a_backup"):
        keeping.restore(owner_url, path)
    assert _seen(owner_url)[0] == {}


def test_a_changed_byte_is_noticed(taken, elsewhere):
    path = taken[0].with_name("changed.backup")
    words = bytearray(taken[0].read_bytes())
    words[len(words) // 2] ^= 1
    path.write_bytes(words)
    with pytest.raises(RuleBroken, match="not_a_backup"):
        keeping.restore(_emptied(elsewhere), path)


def test_a_backup_of_a_newer_version_is_refused(taken, elsewhere):
    path = taken[0].with_name("newer.backup")
    revision = taken[1].revision
    path.write_bytes(
        taken[0]
        .read_bytes()
        .replace(f'"revision": "{revision}"'.encode(), f'"revision": "{"z" * len(revision)}"'.encode(), 1)
    )
    with pytest.raises(RuleBroken, match="newer_backup"):
        keeping.restore(_emptied(elsewhere), path)


def test_an_empty_database_is_not_worth_a_file(elsewhere, tmp_path):
    with pytest.raises(RuleBroken, match="nothing_to_back_up"):
        keeping.backup(_emptied(elsewhere), tmp_path / "none.backup", at=clock.now())
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_one_that_tar_reads_and_only_its_owner_may(taken):
    path, manifest = taken
    listed = subprocess.run(["tar", "-tf", str(path)], capture_output=True, text=True, check=True).stdout.split()
    assert listed == ["manifest.json", "coop.dump"]
    told = subprocess.run(
        ["tar", "-xOf", str(path), "manifest.json"], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(told)["dump_sha256"] == manifest.dump_sha256
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == [path.name]


SEASON = {
    "members.csv": "member,share_weight\n101,1\n102,2\n",
    "products.csv": "product,name,artisan\nM1,Celadon mug,7\nG1,Sloe gin,8\n",
    "orders.csv": "cycle,ordered_at,member,product,quantity,unit_price_minor\n2011-W10,2011-03-08T10:00:00,101,M1,3,1250\n2011-W10,2011-03-09T11:30:00,102,G1,2,3100\n",
    "yields.csv": "cycle,product,yield_units\n2011-W10,M1,2\n2011-W10,G1,2\n",
}


def test_the_commands_take_a_co_op_to_another_folder_with_its_books_in_order(tmp_path):
    (tmp_path / "season").mkdir()
    for name, words in SEASON.items():
        (tmp_path / "season" / name).write_text(words)

    def coop(home: str, *words: str) -> tuple[int, list]:
        env = {**os.environ, "COOP_HOME": str(tmp_path / home), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "coop.cli", *words], env=env, capture_output=True, text=True, check=False
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    code, told = coop("old", "import", str(tmp_path / "season"))
    assert (code, told[-1]["lines"]) == (0, 2)
    code, [manifest] = coop("old", "backup", str(tmp_path / "file"))
    assert code == 0
    code, [restored] = coop("new", "restore", str(tmp_path / "file"))
    assert (code, restored["broken"], restored["dump_sha256"]) == (0, [], manifest["dump_sha256"])
    assert restored["rules"] > 10
    code, again = coop("new", "import", str(tmp_path / "season"))
    assert (code, again[-1]["unchanged"]) == (0, True)
    code, [refused] = coop("new", "restore", str(tmp_path / "file"))
    assert (code, refused["error"]["code"]) == (2, "not_empty")
