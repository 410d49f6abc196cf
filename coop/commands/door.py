"""Letting the first person in: first-admin."""

from __future__ import annotations

import click

from coop.commands.house import settings
from coop.embedded import at_hand


@click.command("first-admin")
@click.argument("email")
def first_admin(email: str) -> None:
    """Print the link by which the holder of EMAIL becomes admin. It works once, for a day; nobody else is told."""
    from coop.access import service  # noqa: PLC0415 - read only when this word is used
    from coop.clock import now  # noqa: PLC0415
    from coop.db import connect  # noqa: PLC0415

    with at_hand(settings()) as ready:
        token = service.first_admin(connect(ready.database_url, assume_role=ready.assume_role), email, at=now())
    print(f"{ready.base_url}/first-admin/{token}")
