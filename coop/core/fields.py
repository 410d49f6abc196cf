"""Reads typed fields out of a parsed JSON file, and refuses what does not fit with a code, a sentence and its path."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from coop.core.canonical import INTEGERS_BELOW
from coop.core.errors import RuleBroken

ID_BYTES = 200
_DIGITS = 20


class Repeated(dict[str, Any]):
    """An object in which one key stands twice; `key` is that key."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object and the path to it, read field by field."""

    values: dict[str, Any]
    path: str = ""

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def only(self, names: Sequence[str]) -> None:
        """Refuse every field but `names`."""
        for name in self.values:
            if name not in names:
                allowed = ", ".join(names)
                raise RuleBroken(
                    "unknown_field", f"“{name}” is not a field here; allowed are {allowed}.", field=self.at(name)
                )

    def whole(self, name: str, default: int | None = None, *, least: int = 0, most: int = INTEGERS_BELOW - 1) -> int:
        """Read a whole number between `least` and `most`; without a default the field is needed."""
        if name not in self.values and default is not None:
            return default
        value = self._needed(name)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise RuleBroken("not_a_number", f"“{name}” must be a whole number.", field=self.at(name))
        if isinstance(value, Decimal) and not _huge_whole(value):
            raise RuleBroken("not_whole", f"“{name}” must be a whole number, without a fraction.", field=self.at(name))
        if not least <= value <= most:
            raise RuleBroken("out_of_range", f"“{name}” must lie between {least} and {most}.", field=self.at(name))
        return int(value)

    def whole_or_none(self, name: str, *, needed: bool = False, least: int = 0) -> int | None:
        """Read a whole number, or None where the field is null or, unless `needed`, left out."""
        if (name in self.values or not needed) and self.values.get(name) is None:
            return None
        return self.whole(name, least=least)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise RuleBroken("not_a_flag", f"“{name}” must be true or false.", field=self.at(name))
        return value

    def text(self, name: str, default: str | None = None) -> str:
        if name not in self.values and default is not None:
            return default
        value = self._needed(name)
        if not isinstance(value, str):
            raise RuleBroken("not_text", f"“{name}” must be text.", field=self.at(name))
        return value

    def identifier(self, name: str, default: str | None = None) -> str:
        """Read an id: 1 to 200 bytes of valid text in Unicode's composed form (NFC), without control characters."""
        text = self.text(name, default)
        if 0 < len(text) <= ID_BYTES and text.isascii() and text.isprintable():
            return text
        if any("\ud800" <= letter <= "\udfff" for letter in text) or unicodedata.normalize("NFC", text) != text:
            raise RuleBroken("not_nfc", f"“{name}” must be valid text in composed form (NFC).", field=self.at(name))
        if not text or len(text.encode()) > ID_BYTES or any(unicodedata.category(letter) == "Cc" for letter in text):
            sentence = f"“{name}” must have 1 to {ID_BYTES} bytes and no control characters."
            raise RuleBroken("bad_id", sentence, field=self.at(name))
        return text

    def hexadecimal(self, name: str, default: bytes | None = None, *, length: int | None = None) -> bytes:
        """Read bytes written in hexadecimal digits, `length` of them where given."""
        if name not in self.values and default is not None:
            return default
        text = self.text(name)
        digits = set(text.lower()) <= set("0123456789abcdef") and len(text) % 2 == 0
        if not digits or (length is not None and len(text) != 2 * length):
            wanted = f"{length} bytes, {2 * length} hexadecimal digits" if length else "hexadecimal digits, two a byte"
            code = "bad_seed" if name == "seed" else "bad_hexadecimal"
            raise RuleBroken(code, f"“{name}” must be {wanted}.", field=self.at(name))
        return bytes.fromhex(text)

    def choice(self, name: str, allowed: Sequence[str], default: str, code: str) -> str:
        value = self.values.get(name, default)
        if value not in allowed:
            raise RuleBroken(code, f"“{name}” must be one of {', '.join(allowed)}.", field=self.at(name))
        return str(value)

    def inner(self, name: str, *, needed: bool = True) -> "Fields":
        """Read an object; one left out that is not needed is empty."""
        value = self._needed(name) if needed else self.values.get(name, {})
        return fields_of(value, self.at(name))

    def inners(self, name: str, *, most: int) -> list["Fields"]:
        """Read a list of at most `most` objects."""
        value = self._needed(name)
        if not isinstance(value, list):
            raise RuleBroken("not_a_list", f"“{name}” must be a list.", field=self.at(name))
        if len(value) > most:
            raise RuleBroken(f"too_many_{name}", f"“{name}” may hold at most {most} entries.", field=self.at(name))
        return [fields_of(entry, f"{self.at(name)}[{place}]") for place, entry in enumerate(value)]

    def _needed(self, name: str) -> Any:
        if name not in self.values:
            raise RuleBroken("missing_field", f"“{name}” is missing.", field=self.at(name))
        return self.values[name]


def fields_of(value: Any, path: str) -> Fields:
    """See a parsed value as an object's fields."""
    if not isinstance(value, dict):
        raise RuleBroken("not_an_object", "An object with named fields is needed here.", field=path)
    if isinstance(value, Repeated):
        raise RuleBroken("repeated_field", f"“{value.key}” stands twice here.", field=path)
    return Fields(value, path)


def parsed(text: str | bytes) -> Any:
    """Parse JSON without ever making a float; what is not JSON raises `RuleBroken`."""
    try:
        return json.loads(
            text, parse_float=Decimal, parse_int=_integer, parse_constant=Decimal, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as wrong:
        raise RuleBroken("not_json", f"The file is not JSON in UTF-8: {wrong}.") from wrong


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _DIGITS else Decimal(digits)


def _huge_whole(value: Decimal) -> bool:
    """Tell whether a number was written as an integer too long for any bound here."""
    return value.is_finite() and value.as_tuple().exponent == 0 and len(value.as_tuple().digits) > _DIGITS - 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    repeated = Repeated(found)
    repeated.key = next(name for name in names if names.count(name) > 1)
    return repeated
