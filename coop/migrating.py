"""Bring a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def config(url: str) -> Config:
    """Return Alembic's settings for a database; there is no ini file to drift."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    settings.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s")
    return settings


def upgrade(url: str) -> None:
    """Run all migrations that the database has not seen."""
    command.upgrade(config(url), "head")
