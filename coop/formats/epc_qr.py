"""The code that banking apps scan to fill in a transfer: EPC069-12, version 002, drawn as SVG without script or style."""

import segno

from coop.core.money import AMOUNT_LIMIT, format_minor
from coop.formats.xml_writing import bank_text

CURRENCY = "EUR"
"""The code is defined for SEPA credit transfers alone."""


def epc_payload(*, holder: str, iban: str, amount_minor: int, reference: str) -> str:
    """Return what the code says: whom to pay, how much, and the structured reference."""
    assert 0 < amount_minor <= AMOUNT_LIMIT
    amount = f"{CURRENCY}{format_minor(amount_minor, 2)}"
    return "\n".join(("BCD", "002", "1", "SCT", "", bank_text(holder, 70), iban, amount, "", reference, "", ""))


def drawn(payload: str) -> str:
    """Draw a code as inline SVG, dark on light whatever the page's theme; its size is the page's to give."""
    code = segno.make(payload, error="m", boost_error=False, micro=False, encoding="utf-8")
    picture: str = code.svg_inline(svgclass="qr", lineclass=None, omitsize=True, dark="#000", light="#fff", border=4)
    return picture
