"""What the treasurer's own acts post: gifts, goodwill, refunds, shared costs, suppliers, advances, chargebacks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from coop.core.ledger import (
    ADVANCE_TO_MAKER,
    BANK,
    GOODWILL,
    HARDSHIP_FUND,
    MEMBER_CREDIT,
    OWED_BY_MEMBER,
    PAYOUT_TRANSIT,
    SHARE_PREPAID,
    SUPPLIERS,
    Posting,
    bank_charged,
)
from coop.core.money import split


def gift_given(household: str, minor: int) -> tuple[Posting, ...]:
    """A household gives credit to the hardship fund."""
    return Posting(MEMBER_CREDIT, household, minor), Posting(HARDSHIP_FUND, "", -minor)


def goodwill_shown(household: str, minor: int) -> tuple[Posting, ...]:
    """The co-op gives a household credit at its own expense."""
    return Posting(GOODWILL, "", minor), Posting(MEMBER_CREDIT, household, -minor)


def credit_refunded(household: str, minor: int) -> tuple[Posting, ...]:
    """A household's credit goes back to it from the bank."""
    return Posting(MEMBER_CREDIT, household, minor), Posting(BANK, "", -minor)


def refund_prepared(household: str, payment: str, minor: int) -> tuple[Posting, ...]:
    """A household's credit is on its way back to it."""
    return Posting(MEMBER_CREDIT, household, minor), Posting(PAYOUT_TRANSIT, payment, -minor)


def cost_shared(supplier: str, minor: int, weights: Mapping[str, int]) -> tuple[Posting, ...]:
    """A supplier's bill is borne by households in proportion, by largest remainder, ties to the earlier listed.

    Raises `negative_weight` and `no_weights`.
    """
    parts = zip(weights, split(minor, list(weights.values())), strict=True)
    borne = [Posting(MEMBER_CREDIT, household, part) for household, part in parts if part]
    return *borne, Posting(SUPPLIERS, supplier, -minor)


def supplier_paid(supplier: str, minor: int) -> tuple[Posting, ...]:
    """A supplier's bill is paid from the bank."""
    return Posting(SUPPLIERS, supplier, minor), Posting(BANK, "", -minor)


def advance_paid(maker: str, minor: int) -> tuple[Posting, ...]:
    """A maker gets money before the batch, paid from the bank and recouped from later payouts."""
    return Posting(ADVANCE_TO_MAKER, maker, minor), Posting(BANK, "", -minor)


def charged_back(household: str, minor: int, *, credit: int, bank_fee: int) -> tuple[Posting, ...]:
    """A card payment is taken back: from the household's credit as far as it goes, the rest it owes; the charge is the co-op's."""
    from_credit = min(minor, max(credit, 0))
    parts = ((MEMBER_CREDIT, household, from_credit), (OWED_BY_MEMBER, household, minor - from_credit))
    taken = [Posting(*part) for part in parts if part[2]]
    return *taken, Posting(BANK, "", -minor), *(bank_charged(bank_fee) if bank_fee else ())


class Source(NamedTuple):
    """An account that bears something as far as what it has goes."""

    code: int
    party: str
    has_minor: int


def taken_back(minor: int, sources: Sequence[Source], *, rest: tuple[int, str], bank_fee: int) -> tuple[Posting, ...]:
    """The bank takes a payment back: the sources bear it in their order, `rest` what they do not have; the charge is the co-op's."""
    borne: list[Posting] = []
    left = minor
    for source in sources:
        part = min(left, max(0, source.has_minor))
        left -= part
        borne.append(Posting(source.code, source.party, part))
    borne.append(Posting(*rest, left))
    return (
        *(one for one in borne if one.amount),
        Posting(BANK, "", -minor),
        *(bank_charged(bank_fee) if bank_fee else ()),
    )


def share_moved(household: str, to: str, minor: int) -> tuple[Posting, ...]:
    """Prepaid money of a season share goes to another household."""
    return Posting(SHARE_PREPAID, household, minor), Posting(SHARE_PREPAID, to, -minor)


def share_refunded(household: str, minor: int) -> tuple[Posting, ...]:
    """Prepaid money of a season share goes back from the bank."""
    return Posting(SHARE_PREPAID, household, minor), Posting(BANK, "", -minor)


def taken_off(planned: Sequence[int], minor: int) -> list[int]:
    """Take a sum off planned instalments, from the first on; what it takes more than all of them comes to is left aside."""
    left: list[int] = []
    for amount in planned:
        off = min(minor, amount)
        minor -= off
        left.append(amount - off)
    return left


ALONE: Sequence[str] = (
    "gift",
    "goodwill",
    "refund",
    "shared_cost",
    "supplier_paid",
    "advance",
    "chargeback",
    "top_up",
    "gift_received",
    "capital_paid_in",
    "given_to_reserve",
    "share_paid",
    "early_release",
    "share_moved",
    "share_refund",
)
"""Kinds of entries that no other row speaks of, so that a reversal undoes them whole."""
