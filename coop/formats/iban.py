"""Bank account numbers: checked offline, and refused with a sentence that helps to find the slip."""

import re
from string import digits

from schwifty import IBAN
from schwifty.exceptions import InvalidChecksumDigits, InvalidCountryCode, InvalidLength, SchwiftyException

from coop.core.errors import RuleBroken

_LONGEST_TYPED = 60


def read_iban(text: str) -> str:
    """Read an IBAN as typed, with or without spaces, and give it compact. Checks country, length, structure and the check digits.

    Raises `required`, `iban_characters`, `iban_country`, `iban_length`, `iban_structure` or `iban_checksum`, which says where to look.
    """
    compact = re.sub(r"[ \t\u00a0\u202f-]", "", text).upper()
    if not compact:
        raise RuleBroken("required", "Please give an IBAN.")
    if len(text) > _LONGEST_TYPED or re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", compact) is None:
        raise RuleBroken(
            "iban_characters",
            "An IBAN is two letters, two digits, then letters and digits, such as GB29 NWBK 6016 1331 9268 19.",
        )
    try:
        return str(IBAN(compact))
    except InvalidCountryCode:
        raise RuleBroken(
            "iban_country", f"No country writes its IBANs with {compact[:2]}; please check the first two letters."
        ) from None
    except InvalidLength:
        raise RuleBroken(
            "iban_length", f"This IBAN has {len(compact)} characters, which is not the length for {compact[:2]}."
        ) from None
    except InvalidChecksumDigits:
        raise RuleBroken(
            "iban_checksum", f"The check digits of this IBAN do not fit. {_where_to_look(compact)}"
        ) from None
    except SchwiftyException:
        rule = f"This is not how IBANs of {compact[:2]} are built: letters stand where digits belong, or the other way round."
        raise RuleBroken("iban_structure", rule) from None


def grouped(iban: str) -> str:
    """Write an IBAN in groups of four, as people read it."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def bic_of(iban: str) -> str | None:
    """Give the BIC of the account's bank if the bank list knows it."""
    bic = IBAN(iban).bic
    return str(bic) if bic else None


def demo_iban(country: str, number: int) -> str:
    """Make a valid IBAN (GB, IE or DE) at a bank code that no bank has, for demo co-ops and imported artisans."""
    if country in {"GB", "IE"}:
        return str(IBAN.generate(country, bank_code="DEMO", branch_code="000000", account_code=f"{number:08}"))
    return str(IBAN.generate("DE", bank_code="00000000", account_code=f"{number:010}"))


def _where_to_look(compact: str) -> str:
    """Name the groups in which one other digit, or two swapped neighbours, would make the check digits fit."""
    suspects: dict[int, None] = {}
    for place in range(2, len(compact)):
        if place > 4 and _fits(compact[: place - 1] + compact[place] + compact[place - 1] + compact[place + 1 :]):
            suspects[place // 4] = None
        if compact[place].isdigit() and any(_fits(compact[:place] + digit + compact[place + 1 :]) for digit in digits):
            suspects[place // 4] = None
    groups = grouped(compact).split(" ")
    if not suspects:
        return "More than one character differs; please compare all of it."
    named = " or ".join(f"“{groups[group]}”" for group in sorted(suspects))
    return f"If one slip was made, it is in {named}."


def _fits(compact: str) -> bool:
    return int("".join(str(int(mark, 36)) for mark in compact[4:] + compact[:4])) % 97 == 1
