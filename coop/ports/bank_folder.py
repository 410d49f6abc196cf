"""The bank folder port: a folder from which the bank's own program, or a transfer to its server, takes payment files."""

import os
from pathlib import Path

from coop.core.errors import RuleBroken


class NotHandedIn(RuleBroken):
    """The file is certainly not in the folder: what went wrong did so before it was there under its name."""

    def __init__(self, why: str) -> None:
        super().__init__("not_handed_in", f"The bank's folder did not take the file: {why}.")


def hand_in(folder: Path | None, name: str, content: bytes) -> None:
    """Put a file into the folder, whole or not at all. Raises NotHandedIn; any other error leaves it unknown."""
    if folder is None:
        raise NotHandedIn("no folder is set up")
    if (folder / name).exists():
        raise NotHandedIn("a file of this name lies there still")
    unfinished = folder / f".{name}.unfinished"
    try:
        with unfinished.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        raise NotHandedIn(error.strerror or "it cannot be written") from error
    unfinished.rename(folder / name)
