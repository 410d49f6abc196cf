"""Whose a receipt may be: what speaks for each household, and how sure that makes us. A person still has to say so."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

ACCOUNT: Final = "account"
NAME: Final = "name"
AMOUNT: Final = "amount"

_SURE: Final = {
    frozenset({ACCOUNT, AMOUNT}): 4,
    frozenset({ACCOUNT, NAME}): 4,
    frozenset({ACCOUNT, NAME, AMOUNT}): 4,
    frozenset({NAME, AMOUNT}): 3,
    frozenset({ACCOUNT}): 3,
    frozenset({NAME}): 2,
    frozenset({AMOUNT}): 1,
}
CONFIDENCE: Final = {4: "very_likely", 3: "likely", 2: "possible", 1: "possible"}


class Guess(NamedTuple):
    """The household that most speaks for, how sure that is, and what spoke for it: account, name, amount."""

    household_id: int
    confidence: str
    reasons: tuple[str, ...]


def best_guess(spoken_for: Mapping[int, AbstractSet[str]]) -> Guess | None:
    """Choose among households by what speaks for each; None where nothing does, or equally much for two."""
    ranked = sorted(
        ((_SURE[frozenset(reasons)], household_id) for household_id, reasons in spoken_for.items()), reverse=True
    )
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    sure, household_id = ranked[0]
    reasons = tuple(one for one in (ACCOUNT, NAME, AMOUNT) if one in spoken_for[household_id])
    return Guess(household_id, CONFIDENCE[sure], reasons)


def name_forms(name: str) -> tuple[str, str]:
    """Return how a payer's name is compared: as it stands, and with the family name behind where a comma parts it."""
    plain = " ".join(name.replace(".", " ").casefold().split())
    family, comma, given = plain.partition(",")
    return plain, f"{given} {family}".strip() if comma else plain
