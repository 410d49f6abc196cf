"""What the co-op says of itself now."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy.orm import Session

from coop.core.money import MINOR_EXPONENT
from coop.policy import service as policy


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """The policies in effect by name, but for the bank account: of that only the last four characters."""

    agreed: dict[str, Any]
    iban_ending: str
    currencies: list[str]
    zones: list[str]


def settings_page(session: Session, *, at: datetime) -> SettingsPage:
    """Return the facts in effect, and what may be chosen instead."""
    agreed = policy.all_current(session, at=at)
    iban = str(agreed.pop("coop_iban"))
    return SettingsPage(agreed, iban[-4:], sorted(MINOR_EXPONENT), _zones())


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
