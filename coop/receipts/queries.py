"""Whose the receipts may be that nobody knows: by the account they came from, the payer's name, and what households owe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.matching import AMOUNT, Guess, best_guess, name_forms
from coop.instalments import service as instalments


class Asked(NamedTuple):
    """A receipt whose household is sought."""

    line_id: int
    name: str
    payer_hash: str | None
    minor: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A household that a receipt may be of; `share_id` is the share that it would pay for, None for credit."""

    household_id: int
    household: str
    share_id: int | None
    confidence: str
    reasons: tuple[str, ...]


def suggestions(session: Session, asked: Sequence[Asked]) -> dict[int, Suggestion]:
    """Return the likeliest household of each receipt, by the line's id; receipts that nothing speaks for are left out."""
    if not asked:
        return {}
    forms = [name_forms(one.name) for one in asked]
    told = {
        "lines": [one.line_id for one in asked],
        "names": [plain for plain, _ in forms],
        "turned": [turned for _, turned in forms],
        "hashes": [one.payer_hash or "" for one in asked],
        "minors": [one.minor for one in asked],
    }
    spoken: dict[int, dict[int, set[str]]] = {one.line_id: {} for one in asked}
    for row in session.execute(_FOUND, told):
        spoken[row.line_id].setdefault(row.household_id, set()).add(row.why)
    households = sorted({household_id for found in spoken.values() for household_id in found})
    owed = instalments.owed_by(session, set(households))
    known = {row.id: row for row in session.execute(_HOUSEHOLDS, {"ids": households})}
    result = {}
    for one in asked:
        for household_id, reasons in spoken[one.line_id].items():
            if owed[household_id] == one.minor:
                reasons.add(AMOUNT)
        guess = best_guess(
            {household_id: why for household_id, why in spoken[one.line_id].items() if household_id in known}
        )
        if guess is not None:
            result[one.line_id] = _suggestion(
                guess, known[guess.household_id], is_owed=one.minor <= owed[guess.household_id]
            )
    return result


def _suggestion(guess: Guess, household: Any, *, is_owed: bool) -> Suggestion:
    share_id = household.share_id if is_owed else None
    return Suggestion(guess.household_id, household.name, share_id, guess.confidence, guess.reasons)


_FOUND = text("""
WITH asked AS (
  SELECT * FROM unnest(CAST(:lines AS bigint[]), CAST(:names AS text[]), CAST(:turned AS text[]), CAST(:hashes AS text[]),
                       CAST(:minors AS bigint[])) AS a (line_id, name, turned, payer_hash, minor))
SELECT a.line_id, p.household_id, 'account' AS why FROM asked a JOIN payer_account p ON p.payer_hash = a.payer_hash
UNION
SELECT a.line_id, g.household_id, 'name' FROM asked a
  JOIN person p ON a.name <> '' AND p.left_at IS NULL AND lower(p.name) IN (a.name, a.turned)
  JOIN belonging g ON g.person_id = p.id AND g.ended_at IS NULL
UNION
SELECT a.line_id, h.id, 'name' FROM asked a JOIN household h ON a.name <> '' AND lower(h.name) IN (a.name, a.turned)
UNION
SELECT a.line_id, min(s.household_id), 'amount' FROM asked a
  JOIN instalment i ON i.amount_minor = a.minor AND i.released_at IS NULL
  JOIN season_share s ON s.id = i.share_id AND s.ended_at IS NULL
 GROUP BY a.line_id HAVING count(DISTINCT s.household_id) = 1
""")

_HOUSEHOLDS = text("""
SELECT h.id, h.name, (SELECT min(s.id) FROM season_share s JOIN instalment i ON i.share_id = s.id AND i.released_at IS NULL
                       WHERE s.household_id = h.id AND s.ended_at IS NULL) AS share_id
  FROM household h WHERE h.id = ANY(CAST(:ids AS bigint[])) AND h.left_at IS NULL
""")
