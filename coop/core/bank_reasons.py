"""Why a bank refuses a payment or sends it back, in words: codes of ISO 20022 (external status and return reasons) and of ACH (Nacha)."""

from typing import Final

REASONS: Final = {
    "AC01": "The account number is wrong.",
    "AC04": "The account is closed.",
    "AC06": "The account is blocked.",
    "AG01": "The account may not receive this kind of payment.",
    "AM04": "The co-op's account does not cover it.",
    "AM05": "The bank took it for a duplicate.",
    "DUPL": "The bank took it for a duplicate.",
    "BE01": "The name does not belong to this account.",
    "FF01": "The bank could not read the file.",
    "MD07": "The account's holder has died.",
    "MS02": "The receiver refused it, without a reason.",
    "MS03": "The bank gave no reason.",
    "RC01": "The bank's own code is wrong.",
    "RR04": "A rule of the authorities stands against it.",
    "R02": "The account is closed.",
    "R03": "There is no such account, or it is in another name.",
    "R04": "The account number is not a possible one.",
    "R16": "The account is frozen.",
    "R20": "The account may not receive this kind of payment.",
    "R23": "The receiver refused it.",
    "R24": "The bank took it for a duplicate.",
}
"""What treasurers can choose; codes that banks write and that are not here are shown as they are."""


def reason_words(code: str, words: str = "") -> str:
    """Return a reason as people read it: "The account is closed. (AC04)", else the bank's own words, else the code."""
    known = REASONS.get(code)
    if known:
        return f"{known} ({code})"
    return " ".join(part for part in (words, f"({code})" if code else "") if part)
