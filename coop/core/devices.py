"""Name a device from how its browser introduces itself: well enough to recognise one's own."""

from typing import Final

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_MACHINES: Final = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("CrOS", "a Chromebook"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("Linux", "Linux"),
)


def device_words(agent: str) -> str:
    """Say “Safari on an iPhone”; who names itself otherwise is shown as it does, cut short."""
    browser = next((words for mark, words in _BROWSERS if mark in agent), "")
    machine = next((words for mark, words in _MACHINES if mark in agent), "")
    if browser and machine:
        return f"{browser} on {machine}"
    return agent[:60] or "a browser without a name"
