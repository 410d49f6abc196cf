"""What a member asks of the payment page: an amount, in the address."""

from flask import request

from coop.core.errors import RuleBroken
from coop.core.money import parse_amount
from coop.web.reading import customs


def asked_amount() -> tuple[int | None, str, str]:
    """Return the amount asked for, as typed, and what is wrong with it; without one there is nothing wrong."""
    typed = request.args.get("amount", "")[:80]
    if not typed.strip():
        return None, "", ""
    try:
        return parse_amount(typed, customs().exponent, customs().numbers), typed, ""
    except RuleBroken as broken:
        return None, typed, broken.sentence
