"""Amounts of money: whole minor units of the co-op's one currency, split and rounded without a cent lost.

An amount is a plain `int`: it adds, subtracts and is multiplied by pieces, but it is never divided. Where a part of it is wanted, `half_up`,
`share_bp`, `tax_inside` and `split` say exactly how the odd cent falls.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from coop.core.errors import RuleBroken

BASIS_POINTS = 10_000
AMOUNT_LIMIT = 10**11
"""The largest amount, in minor units, that one entry may move or a person may type."""

_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD "
    "EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK "
    "SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
MINOR_EXPONENT = {code: exponent for exponent, codes in _EXPONENTS.items() for code in codes.split()}
"""Decimals of each currency in use, by its ISO 4217 code."""


def minor_exponent(currency: str) -> int:
    """Say how many decimals the currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    if currency not in MINOR_EXPONENT:
        raise RuleBroken(
            "unknown_currency", f"“{currency[:10]}” is no currency we know; give its ISO code, such as EUR or GBP."
        )
    return MINOR_EXPONENT[currency]


def half_up(numerator: int, denominator: int) -> int:
    """Round a fraction to the nearest whole, a half away from zero, so that a refund mirrors its charge. `denominator` > 0."""
    assert denominator > 0
    if numerator < 0:
        return -((denominator - 2 * numerator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def share_bp(amount: int, basis_points: int) -> int:
    """Take so many basis points of the amount, half up."""
    return half_up(amount * basis_points, BASIS_POINTS)


def tax_inside(amount: int, rate_bp: int) -> int:
    """Find the tax contained in an amount that already includes it, half up."""
    return half_up(amount * rate_bp, BASIS_POINTS + rate_bp)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Split the total by largest remainder (Hamilton); ties go to the earlier listed, a negative total mirrors the positive one.

    Raises `negative_weight`, and `no_weights` when there is nobody to give to. The parts always add up to the total, but are not monotone in
    it: when a total changes, reverse the old split and book the new one.
    """
    if any(weight < 0 for weight in weights):
        raise RuleBroken("negative_weight", "A part cannot weigh less than nothing; give weights of 0 or more.")
    whole = sum(weights)
    if whole == 0:
        raise RuleBroken("no_weights", "There is nobody to split this among; give at least one weight above 0.")
    if total < 0:
        return [-part for part in split(-total, weights)]
    shared = [divmod(total * weight, whole) for weight in weights]
    parts = [part for part, _ in shared]
    left_over = total - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda place: -shared[place][1])
    for place in by_remainder[:left_over]:
        parts[place] += 1
    return parts


class NumberStyle(NamedTuple):
    """How people of a place write numbers: the decimal mark, and the marks they may put between thousands."""

    decimal: str
    grouping: str


_SPACES = "\u202f\u00a0 "
_STYLES = {
    "en": NumberStyle(".", ","),
    "de": NumberStyle(",", "."),
    "de_AT": NumberStyle(",", _SPACES + "."),
    "de_CH": NumberStyle(".", "\u2019'"),
    "de_LI": NumberStyle(".", "\u2019'"),
    "es": NumberStyle(",", "."),
    "fr": NumberStyle(",", _SPACES),
    "fr_CH": NumberStyle(",", _SPACES + "\u2019'"),
    "it": NumberStyle(",", "."),
    "nl": NumberStyle(",", "."),
    "pl": NumberStyle(",", _SPACES),
    "pt": NumberStyle(",", "."),
    "sv": NumberStyle(",", _SPACES),
}


def number_style(locale: str) -> NumberStyle:
    """Find the number style of a locale such as `de_CH`: its own, else its language's, else the English one."""
    return _STYLES.get(locale) or _STYLES.get(locale.partition("_")[0], _STYLES["en"])


_LONGEST_TYPED = 60


def parse_amount(text: str, exponent: int, style: NumberStyle = _STYLES["en"], *, least: int = 1) -> int:
    """Read an amount as a person types it, in minor units.

    `least` is the smallest amount accepted: 1, or 0 where nothing is a fair answer. Raises `required`, `not_a_number`, `bad_grouping`,
    `too_many_decimals`, `must_be_positive` or `too_large`. Only plain digits count: no exponents, no plus sign, no other scripts.
    """
    typed = text.strip(" \t\r\n\u00a0\u202f")
    if not typed:
        raise RuleBroken("required", "Please give an amount.")
    marks = re.escape(style.grouping)
    shape = re.fullmatch(rf"(-?)([0-9][0-9{marks}]*)(?:{re.escape(style.decimal)}([0-9][0-9{marks}]*))?", typed)
    if shape is None or len(typed) > _LONGEST_TYPED:
        raise RuleBroken(
            "not_a_number", f"“{_shown(typed)}” is not an amount; use digits, such as {_example(exponent, style)}."
        )
    minus, whole, decimals = shape[1], shape[2], shape[3] or ""
    grouped_in_threes = rf"[0-9]+|[0-9]{{1,3}}([{marks}])[0-9]{{3}}(\1[0-9]{{3}})*"
    if re.fullmatch(grouped_in_threes, whole) is None or re.search(rf"[{marks}]", decimals):
        raise RuleBroken(
            "bad_grouping",
            f"The thousands in “{typed}” are not in groups of three; the marks between them may be left out.",
        )
    if len(decimals) > exponent:
        allowed = f"give at most {exponent} decimals" if exponent else "give whole units, with no decimals"
        raise RuleBroken("too_many_decimals", f"“{typed}” is finer than the currency; {allowed}.")
    minor = int(re.sub(rf"[{marks}]", "", whole) + decimals.ljust(exponent, "0"))
    if minor < least or (minus and minor):
        raise RuleBroken("must_be_positive", f"Please give {format_minor(least, exponent)} or more.")
    if minor > AMOUNT_LIMIT:
        raise RuleBroken("too_large", f"Please give {format_minor(AMOUNT_LIMIT, exponent)} or less.")
    return minor


def format_minor(minor: int, exponent: int) -> str:
    """Write an amount plainly for files and messages: `-1234.50`, with a point, no grouping and all decimals."""
    sign, digits = "-" if minor < 0 else "", str(abs(minor))
    if exponent == 0:
        return sign + digits
    digits = digits.rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def _shown(typed: str) -> str:
    return "".join(mark if mark.isprintable() else "\ufffd" for mark in typed[:40])


def _example(exponent: int, style: NumberStyle) -> str:
    return format_minor(1234 if exponent < 3 else 12340, exponent).replace(".", style.decimal)
