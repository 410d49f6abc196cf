"""Bring a database to the newest schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from coop.config import libpq_url

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def config(url: str) -> Config:
    """Return Alembic's settings for a database; there is no ini file to drift."""
    from alembic.config import Config  # noqa: PLC0415 - a start with nothing to do shall not wait for Alembic and all models

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    settings.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s")
    return settings


def upgrade(url: str) -> None:
    """Run all migrations that the database has not seen."""
    if is_newest(url):
        return
    from alembic import command  # noqa: PLC0415 - as above

    command.upgrade(config(url), "head")


def is_newest(url: str) -> bool:
    """Whether the database has seen the last migration, which is the last by name too."""
    with psycopg.connect(libpq_url(url)) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() != (None,):
            return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
                (known_revisions()[-1],)
            ]
    return False


def known_revisions() -> list[str]:
    """Return the names of all migrations of this version, oldest first."""
    texts = [path.read_text("utf-8") for path in sorted((MIGRATIONS / "versions").glob("*.py"))]
    return [name for words in texts for name in re.findall(r'^revision = "(.+)"$', words, re.MULTILINE)]
