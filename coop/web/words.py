"""The co-op's words for what the database calls otherwise, with the colour a state is shown in."""

from typing import Final, NamedTuple


class Said(NamedTuple):
    """A state as people say it, and the kind of pill: good, short, wrong, told, now or plain."""

    words: str
    kind: str = ""


ROLES: Final = {
    "member": "member",
    "artisan": "maker",
    "packer": "packer",
    "treasurer": "treasurer",
    "admin": "co-op admin",
}

STATES: Final = {
    "pool": {
        "planned": Said("planned"),
        "open": Said("open for orders", "good"),
        "closed": Said("closed", "short"),
        "allocated": Said("shared out, not yet published", "short"),
        "published": Said("published", "good"),
        "picked_up": Said("picked up", "told"),
    },
    "allocation_run": {
        "requested": Said("being worked out", "told"),
        "proposed": Said("ready to look at", "short"),
        "publishing": Said("being published", "told"),
        "published": Said("published", "good"),
        "failed": Said("went wrong", "wrong"),
        "cancelled": Said("cancelled"),
        "superseded": Said("replaced by a later one"),
    },
}


def said(kind: str, state: str) -> Said:
    """Return how people say a state of a pool, a run, a batch."""
    return STATES[kind][state]
