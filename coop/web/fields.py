"""Fields that read what people type strictly and keep it as typed when it cannot be."""

import re
import unicodedata
from datetime import date
from typing import Any, ClassVar, Final

from wtforms import Field
from wtforms.widgets import HiddenInput, PasswordInput, TextArea, TextInput

from coop.core.errors import RuleBroken
from coop.core.money import format_minor, parse_amount
from coop.web.days import EXAMPLE, read_day, write_day
from coop.web.reading import customs

PIECES_LIMIT: Final = 1_000_000

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]")
_LINE_BREAK = re.compile("[\n\r\t\u0085\u2028\u2029]")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"\\]+@[^\s@<>()\[\],;:\"\\.]+(\.[^\s@<>()\[\],;:\"\\.]+)+")


class Typed(Field):  # type: ignore[misc]
    """A field of one line that people type; `read` turns the text into the value or says what is wrong with it."""

    widget = TextInput()
    empty: ClassVar[Any] = None
    """What an optional field that was left empty is."""

    attributes: ClassVar[dict[str, str]] = {}
    """What each input of this kind says to browsers."""

    def __init__(self, label: str, *, optional: bool = False, **named: Any) -> None:
        named["render_kw"] = self.attributes | (named.get("render_kw") or {})
        super().__init__(label, **named)
        self.optional = optional
        self.flags.required = not optional
        self.typed: str | None = None

    def read(self, typed: str) -> Any:
        """Return the value of what was typed, here the text itself; raise RuleBroken where it has none."""
        return typed

    def show(self, value: Any) -> str:
        """Write a value as a person would type it."""
        return str(value)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the posted text, keeping it for the page that comes back."""
        self.typed = valuelist[0] if valuelist and isinstance(valuelist[0], str) else ""
        self.data = self.empty
        try:
            if self.typed.strip():
                self.data = self.read(self.typed)
        except RuleBroken as broken:
            raise ValueError(broken.sentence) from broken
        if not self.typed.strip() and not self.optional:
            raise ValueError(self.missing())

    def missing(self) -> str:
        """Ask for what was left empty."""
        return f"Please fill in: {self.label.text}."

    def _value(self) -> str:
        if self.typed is not None:
            return self.typed
        return "" if self.data is None else self.show(self.data)


class PiecesField(Typed):
    """A whole number of pieces, in plain digits."""

    attributes: ClassVar[dict[str, str]] = {"inputmode": "numeric", "autocomplete": "off"}

    def __init__(self, label: str, *, least: int = 1, most: int = PIECES_LIMIT, **named: Any) -> None:
        super().__init__(label, **named)
        self.least, self.most = least, most

    def read(self, typed: str) -> int:
        """Accept digits only: no sign, no decimals, no other script."""
        digits = typed.strip()
        if re.fullmatch("[0-9]{1,18}", digits) is None:
            raise RuleBroken("not_a_number", f"Please give a whole number, such as {max(self.least, 12)}.")
        if not self.least <= int(digits) <= self.most:
            raise RuleBroken("out_of_range", f"Please give a number from {self.least} to {self.most}.")
        return int(digits)

    def missing(self) -> str:
        """Ask for a number."""
        return f"Please give a whole number, {self.least} or more."


class PercentField(Typed):
    """A percentage of at most two decimals, typed as the co-op's place writes it; the value is in basis points."""

    attributes: ClassVar[dict[str, str]] = {"inputmode": "decimal", "autocomplete": "off"}

    def __init__(self, label: str, *, least: int, most: int, **named: Any) -> None:
        super().__init__(label, **named)
        self.least, self.most = least, most

    def read(self, typed: str) -> int:
        """Turn percent into basis points; nobody writes thousands here, so a point is a decimal one everywhere."""
        mark = customs().numbers.decimal
        written = typed.strip().removesuffix("%").rstrip().replace(mark, ".")
        if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", written) is None:
            raise RuleBroken("not_a_number", f"Please give a percentage with at most two decimals, such as 13{mark}5.")
        whole, _, decimals = written.partition(".")
        value = 100 * int(whole) + int(decimals.ljust(2, "0"))
        if not 100 * self.least <= value <= 100 * self.most:
            raise RuleBroken("out_of_range", f"Please give a percentage from {self.least} to {self.most}.")
        return value

    def show(self, value: int) -> str:
        """Turn basis points into percent, without decimals that say nothing."""
        return format_minor(value, 2).rstrip("0").rstrip(".").replace(".", customs().numbers.decimal)

    def missing(self) -> str:
        """Ask for a percentage."""
        return f"Please give a percentage from {self.least} to {self.most}."


class AmountField(Typed):
    """An amount of money, typed as the co-op's place writes it; the value is in minor units."""

    attributes: ClassVar[dict[str, str]] = {"inputmode": "decimal", "autocomplete": "off"}

    def __init__(self, label: str, *, least: int = 1, **named: Any) -> None:
        super().__init__(label, **named)
        self.least = least

    def read(self, typed: str) -> int:
        """Read it by the rules of `coop.core.money`."""
        return parse_amount(typed, customs().exponent, customs().numbers, least=self.least)

    def show(self, value: int) -> str:
        """Write it as it would be typed."""
        return format_minor(value, customs().exponent).replace(".", customs().numbers.decimal)

    def missing(self) -> str:
        """Ask for an amount."""
        return "Please give an amount."


class TextLine(Typed):
    """One line of text: trimmed, in one Unicode form, within its length."""

    empty = ""

    def __init__(self, label: str, *, most: int = 120, **named: Any) -> None:
        super().__init__(label, **named)
        self.most = most

    def read(self, typed: str) -> str:
        """Refuse what cannot be seen or would turn other text around."""
        line = plain(typed, most=self.most)
        if _LINE_BREAK.search(line):
            raise RuleBroken("one_line", "Please write this on one line.")
        return line


class TextBlock(Typed):
    """Text of several lines."""

    widget = TextArea()
    empty = ""

    def __init__(self, label: str, *, most: int = 5000, **named: Any) -> None:
        super().__init__(label, **named)
        self.most = most

    def read(self, typed: str) -> str:
        """Bring line ends to one form, and refuse what TextLine refuses but for line breaks."""
        return plain(typed.replace("\r\n", "\n").replace("\r", "\n"), most=self.most)


class EmailField(TextLine):
    """A mail address, not followed further than its shape."""

    widget = TextInput(input_type="email")
    attributes: ClassVar[dict[str, str]] = {"autocomplete": "email", "spellcheck": "false"}

    def __init__(self, label: str, **named: Any) -> None:
        super().__init__(label, most=254, **named)

    def read(self, typed: str) -> str:
        """Ask for something@somewhere.tld."""
        address = super().read(typed)
        if _EMAIL.fullmatch(address) is None or ".." in address:
            raise RuleBroken("bad_email", "This is not a mail address; write it like ana@example.org.")
        return address

    def missing(self) -> str:
        """Ask for an address."""
        return "Please give a mail address."


class PasswordField(Typed):
    """A password, exactly as given: nothing is trimmed, folded or cut, and it is never shown again."""

    widget = PasswordInput()

    def read(self, typed: str) -> str:
        """Take it as it is; the rules about it are the command's."""
        if "\x00" in typed:
            raise RuleBroken("bad_text", "A password cannot hold the character NUL.")
        return typed


class DayField(Typed):
    """A day, typed as the co-op's place writes it, which a hint shows; 2026-11-23 is understood everywhere.

    It is a line of text: a browser's own field for days follows the browser's language, not the page's, and forgets what is no day.
    """

    attributes: ClassVar[dict[str, str]] = {"autocomplete": "off"}

    def __init__(
        self, label: str, *, earliest: date = date(2000, 1, 1), latest: date = date(2099, 12, 31), **named: Any
    ) -> None:
        named["description"] = f"{named.get('description', '')} Like {self.show(EXAMPLE)}.".strip()
        super().__init__(label, **named)
        self.earliest, self.latest = earliest, latest

    def read(self, typed: str) -> date:
        """Accept a real day within the field's range."""
        day = read_day(typed.strip(), customs().locale)
        if day is None:
            raise RuleBroken("bad_day", f"Please give a day that exists, like {self.show(EXAMPLE)}.")
        if not self.earliest <= day <= self.latest:
            between = f"from {self.show(self.earliest)} to {self.show(self.latest)}"
            raise RuleBroken("day_out_of_range", f"Please give a day {between}.")
        return day

    def show(self, value: date) -> str:
        """Write it as it would be typed."""
        return write_day(value, customs().locale)

    def missing(self) -> str:
        """Ask for a day."""
        return "Please give a day."


class KeyField(Field):  # type: ignore[misc]
    """The form's own key: made when the form is shown, so that a form sent twice acts once."""

    widget = HiddenInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take the key that came back."""
        key = valuelist[0] if valuelist else ""
        if not isinstance(key, str) or re.fullmatch("[A-Za-z0-9_-]{16,64}", key) is None:
            raise ValueError("This page is out of date. Please send it once more.")
        self.data = key

    def _value(self) -> str:
        return str(self.data)


def plain(typed: str, *, most: int) -> str:
    """Trim a text and bring it to one Unicode form; raise RuleBroken for what is too long or cannot be read as text."""
    words = unicodedata.normalize("NFC", typed).strip()
    if len(words) > most:
        raise RuleBroken("too_long", f"This has {len(words)} characters; please keep to {most}.")
    if _NOT_TEXT.search(words):
        raise RuleBroken("bad_text", "This holds a character that cannot be shown; please type it anew.")
    return words
