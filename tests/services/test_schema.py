"""The migrations end at the very tables that the models describe."""

from alembic import command

from coop.migrating import config


def test_the_migrations_and_the_models_agree(database):
    command.check(config(database.owner_url))
