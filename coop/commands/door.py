"""Letting people in from the machine: first-admin, end-second-step."""

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


@click.command("end-second-step")
@click.argument("email")
def end_second_step(email: str) -> None:
    """Take away the second step of the holder of EMAIL, who lost it; they are told by mail and need their password still."""
    from coop.clock import now  # noqa: PLC0415 - read only when this word is used
    from coop.db import connect  # noqa: PLC0415
    from coop.proving import service  # noqa: PLC0415

    with at_hand(settings()) as ready:
        db = connect(ready.database_url, assume_role=ready.assume_role)
        ended = service.end_lost_factors_of(db, email, at=now())
    print(f"{ended} taken away. They sign in with their password and set up a new one.")
