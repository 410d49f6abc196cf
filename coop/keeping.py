"""Backups: one file that holds a dump and says what it is, and the way back into an empty database."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from coop.config import APP_ROLE, libpq_url
from coop.core.errors import RuleBroken
from coop.migrating import known_revisions
from coop.wheels import postgres_program

FORMAT = "smallbatch-backup-1"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    format: str
    taken_at: str
    revision: str
    dump_bytes: int
    dump_sha256: str


def backup(owner_url: str, path: Path, *, at: datetime) -> Manifest:
    """Write the whole database into one file that appears only when it is complete."""
    with psycopg.connect(libpq_url(owner_url)) as connection:
        revision = _revision(connection)
    if not revision:
        raise RuleBroken("nothing_to_back_up", "This database has no tables yet, so there is nothing to back up.")
    with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".backup-") as folder:
        dump, whole = Path(folder) / "coop.dump", Path(folder) / "whole.tar"
        _run("pg_dump", owner_url, "--format=custom", "--file", str(dump))
        manifest = Manifest(FORMAT, at.isoformat(timespec="seconds"), revision, dump.stat().st_size, _sha256(dump))
        with whole.open("xb") as raw:
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
                words = json.dumps(asdict(manifest), indent=1).encode() + b"\n"
                entry = tarfile.TarInfo("manifest.json")
                entry.size = len(words)
                tar.addfile(entry, io.BytesIO(words))
                tar.add(dump, "coop.dump", filter=_nameless)
            raw.flush()
            os.fsync(raw.fileno())
        whole.chmod(0o600)  # it holds what members trust the co-op with
        whole.replace(path)
    return manifest


def restore(owner_url: str, path: Path) -> Manifest:
    """Fill an empty database from a backup, all of it or nothing."""
    with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        if tables != (0,):
            sentence = "This database is not empty, and a restore never overwrites. Set COOP_HOME to a new folder, or DATABASE_URL to a new database."
            raise RuleBroken("not_empty", sentence)
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone() is None:
            connection.execute(f"CREATE ROLE {APP_ROLE} NOLOGIN")
    with _unpacked(path) as (manifest, dump):
        listed = _run("pg_restore", None, "--list", str(dump)).splitlines()
        chosen = dump.with_suffix(".list")
        chosen.write_text("\n".join(line for line in listed if " DEFAULT ACL " not in line), "utf-8")
        _run(
            "pg_restore",
            owner_url,
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--use-list",
            str(chosen),
            str(dump),
        )
        _default_rights(owner_url, dump, [line for line in listed if " DEFAULT ACL " in line])
    with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
        connection.execute("ANALYZE")
    return manifest


def _default_rights(owner_url: str, dump: Path, listed: list[str]) -> None:
    """Give the app its rights on tables that later migrations make, whatever the owner is called here."""
    chosen = dump.with_suffix(".rights")
    chosen.write_text("\n".join(listed), "utf-8")
    words = _run("pg_restore", None, "--use-list", str(chosen), "--file", "-", str(dump))
    with psycopg.connect(libpq_url(owner_url)) as connection:
        for statement in re.findall(r"^ALTER DEFAULT PRIVILEGES .*?;$", words, re.MULTILINE):
            connection.execute(re.sub(r" FOR ROLE \S+", "", statement).encode())


@contextmanager
def _unpacked(path: Path) -> Iterator[tuple[Manifest, Path]]:
    """Take a backup apart and believe nothing that its manifest does not prove."""
    with tempfile.TemporaryDirectory(prefix="coop-restore-") as folder:
        dump = Path(folder) / "coop.dump"
        try:
            with tarfile.open(path) as tar:
                manifest = Manifest(**json.loads(_member(tar, "manifest.json").read(_BLOCK)))
                with dump.open("wb") as out, _member(tar, "coop.dump") as read:
                    while block := read.read(_BLOCK):
                        out.write(block)
        except (OSError, tarfile.TarError, ValueError, TypeError, KeyError) as fault:
            raise RuleBroken("not_a_backup", f"{path} is not a whole backup of Smallbatch: {fault}") from fault
        if manifest.format != FORMAT or _sha256(dump) != manifest.dump_sha256:
            raise RuleBroken("not_a_backup", f"{path} was changed or cut short since it was taken.")
        if manifest.revision not in known_revisions():
            raise RuleBroken(
                "newer_backup", f"{path} was taken by a newer Smallbatch. Restore it with that version or a later one."
            )
        yield manifest, dump


def _member(tar: tarfile.TarFile, name: str) -> Any:
    found = tar.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def _run(program: str, url: str | None, *words: str) -> str:
    """Run one of PostgreSQL's programs; the password goes by the environment, where `ps` does not show it."""
    env, where = dict(os.environ), []
    if url is not None:
        parts = conninfo_to_dict(libpq_url(url))
        env["PGPASSWORD"] = str(parts.pop("password", "") or "")
        where = ["--dbname", make_conninfo("", **{name: value for name, value in parts.items() if value is not None})]
    done = subprocess.run(
        [postgres_program(program), *where, *words], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuleBroken(f"{program}_failed", f"{program} did not finish: {done.stderr.strip()}")
    return done.stdout


def _revision(connection: psycopg.Connection) -> str:
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _sha256(path: Path) -> str:
    with path.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()


def _nameless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
