"""The application as a web server reads it, once for all its processes."""

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def application() -> "Flask":
    """Return the application, put together while nobody looks for garbage; what stays for good is set apart from what requests leave.

    A fifth of the time to start went into looking through modules for garbage, and each later search would go through them again.
    """
    gc.disable()
    from coop.app import create_app  # noqa: PLC0415 - reading it is most of the work

    app = create_app()
    gc.freeze()
    gc.enable()
    return app
