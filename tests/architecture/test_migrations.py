"""The migrations stand in one line."""

from pathlib import Path

from alembic.script import ScriptDirectory

from coop.migrating import config


def test_each_migration_follows_exactly_one_other_and_one_is_the_newest() -> None:
    scripts = ScriptDirectory.from_config(config("postgresql://nowhere"))
    followed = [script.down_revision for script in scripts.walk_revisions()]
    assert len(scripts.get_heads()) == 1
    assert len(followed) == len(set(followed))


def test_the_order_of_the_names_is_the_order_of_the_line() -> None:
    scripts = ScriptDirectory.from_config(config("postgresql://nowhere"))
    oldest_first = [Path(script.path).name for script in scripts.walk_revisions()][::-1]
    assert oldest_first == sorted(oldest_first)
