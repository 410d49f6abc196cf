"""Small XML documents for banks, written the same byte for byte each time."""

import re
import unicodedata
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from coop.core.money import format_minor

_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "ẞ": "SS",
        "æ": "ae",
        "Æ": "AE",
        "ø": "o",
        "Ø": "O",
        "œ": "oe",
        "Œ": "OE",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "&": "+",
    }
)


def add(parent: Element, path: str, text: str | None = None, **attributes: str) -> Element:
    """Add an element under its parent, through elements that are made on the way: `add(entry, "Sts/Cd", "BOOK")`."""
    for name in path.split("/"):
        parent = SubElement(parent, name)
    parent.text = text
    parent.attrib.update(attributes)
    return parent


def add_amount(parent: Element, name: str, minor: int, currency: str, exponent: int) -> None:
    """Add an amount of 0 or more with its currency."""
    assert minor >= 0
    add(parent, name, format_minor(minor, exponent), Ccy=currency)


def document(namespace: str) -> Element:
    """Begin an ISO 20022 document."""
    return Element("Document", xmlns=f"urn:iso:std:iso:20022:tech:xsd:{namespace}")


def to_bytes(root: Element) -> bytes:
    """Write the document in UTF-8, indented for people."""
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'.encode()


def iso_second(at: datetime) -> str:
    """Write an instant in UTC, to the second."""
    assert at.tzinfo is not None
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bank_text(text: str, longest: int) -> str:
    """Write a name or remark in the letters that every bank takes (EPC217-08), cut to what fits; what has no such letter becomes a dot."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    plain = re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9/?:().,'+ \s-]", ".", plain)).strip()
    return plain[:longest].strip() or "."
