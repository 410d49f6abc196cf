"""Run the migrations: one at a time, never waiting long for a lock."""

import importlib
import pkgutil

from alembic import context
from sqlalchemy import create_engine, make_url, text

import coop
from coop.db import Base

LOCK = 7263544


def _load_models() -> None:
    importlib.import_module("coop.jobs")
    importlib.import_module("coop.keys")
    for area in pkgutil.iter_modules(coop.__path__):
        if area.ispkg:
            for module in pkgutil.iter_modules([f"{coop.__path__[0]}/{area.name}"]):
                if module.name == "models":
                    importlib.import_module(f"coop.{area.name}.models")


def run() -> None:
    _load_models()
    url = make_url(context.config.get_main_option("sqlalchemy.url") or "").set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(
            text("SELECT set_config('lock_timeout', '10s', false), set_config('statement_timeout', '600s', false)")
        )
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.commit()
    engine.dispose()


run()
