"""Jars and bottles that come back: what a move of them posts, and how many are out too long."""

from coop.core.ledger import DEPOSITS_HELD, FORFEITED_DEPOSITS, MEMBER_CREDIT, Posting


def brought_back(household: str, minor: int) -> tuple[Posting, ...]:
    """A household brings containers back, and their deposit becomes credit."""
    return Posting(DEPOSITS_HELD, household, minor), Posting(MEMBER_CREDIT, household, -minor)


def forfeited(household: str, minor: int) -> tuple[Posting, ...]:
    """Containers will not come back, and their deposit becomes the co-op's income."""
    return Posting(DEPOSITS_HELD, household, minor), Posting(FORFEITED_DEPOSITS, "", -minor)


def overdue(out_by_then: int, gone_since: int) -> int:
    """Return how many pieces are still out of those handed out by a day, if the oldest came back first.

    `gone_since` are all that were ever brought back or forfeited.
    """
    return max(0, out_by_then - gone_since)
