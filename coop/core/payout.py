"""What a hand-over earns for makers and co-op, and what a payout sends: to the cent, each piece exactly once.

Everything is computed on the *cumulated* quantity of a line and booked as the difference to what stands, so handing over piece by piece, or
crediting piece by piece, ends at the same cent as doing it at once.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from coop.core.errors import RuleBroken
from coop.core.ledger import (
    ADVANCE_TO_MAKER,
    BANK,
    BANK_FEES,
    COST_OF_GOODS,
    DEPOSITS_HELD,
    FEE_INCOME,
    ORDER_HOLD,
    OWED_BY_MAKER,
    OWED_TO_MAKER,
    PAYOUT_TRANSIT,
    SALES_INCOME,
    TAX_PAYABLE,
    Posting,
)
from coop.core.money import BASIS_POINTS, split


class Model(StrEnum):
    """Who sells: the maker through the co-op as agent (income is the fee only), or the co-op itself after buying from the maker."""

    AGENT = "agent"
    RESALE = "resale"


class Terms(NamedTuple):
    """What was agreed with a maker for the season, in basis points: the fee, the tax inside the fee, the tax inside the price (resale)."""

    model: Model
    fee_bp: int
    fee_tax_bp: int = 0
    price_tax_bp: int = 0


def agreed_cost(model: Model, cost_minor: int | None) -> int:
    """Return what the maker gets for a piece: needed in resale (`no_cost`), and nothing as agent (`cost_of_agent`)."""
    if model is Model.RESALE and not cost_minor:
        raise RuleBroken("no_cost", "The co-op buys this and sells it on: give what the maker gets for a piece.", field="cost")  # fmt: skip
    if model is Model.AGENT and cost_minor:
        raise RuleBroken("cost_of_agent", "This maker gets the price less the fee. Leave the cost empty.", field="cost")
    return cost_minor or 0


IMPORTED_TERMS: Final = Terms(Model.AGENT, fee_bp=1000)
"""A co-op fee of 10 % and no tax: the product's default, and the terms of imported artisans."""


ACCOUNT_RESTS: Final = timedelta(days=14)
"""How long nothing is paid to a bank account after it was changed: time for its maker to notice a change that was not theirs."""


class Sale(NamedTuple):
    """One order line at a hand-over: pieces handed over before it, pieces now (negative when they come back), and prices per piece."""

    line_id: int
    pieces_before: int
    pieces_now: int
    unit_minor: int
    deposit_minor: int
    terms: Terms
    cost_minor: int = 0


class Earned(NamedTuple):
    """What pieces of a line come to: gross = fee + net (agent), tax inside fee or price; net is the makers' and deposits stand apart."""

    gross: int
    deposit: int
    fee: int
    fee_tax: int
    price_tax: int
    net: int


def earned_in_total(pieces: int, unit_minor: int, deposit_minor: int, terms: Terms, cost_minor: int = 0) -> Earned:
    """Compute what this many pieces of a line come to: fee half up on the gross, tax half up inside the fee or the price.

    With a changed fee the difference to book is this, under the new terms, less what already stands in the books.
    """
    gross = pieces * unit_minor
    model, fee_bp, fee_tax_bp, price_tax_bp = terms
    if model is Model.RESALE:
        price_tax = (2 * gross * price_tax_bp + BASIS_POINTS + price_tax_bp) // (2 * (BASIS_POINTS + price_tax_bp))
        return Earned(gross, pieces * deposit_minor, 0, 0, price_tax, pieces * cost_minor)
    fee = (2 * gross * fee_bp + BASIS_POINTS) // (2 * BASIS_POINTS)
    fee_tax = (
        (2 * fee * fee_tax_bp + BASIS_POINTS + fee_tax_bp) // (2 * (BASIS_POINTS + fee_tax_bp)) if fee_tax_bp else 0
    )
    return Earned(gross, pieces * deposit_minor, fee, fee_tax, 0, gross - fee)


def earned(sale: Sale) -> Earned:
    """Compute what a hand-over adds to what its line has earned before."""
    _, before, now, unit_minor, deposit_minor, terms, cost_minor = sale
    assert before >= 0, sale
    assert before + now >= 0, sale
    total = earned_in_total(before + now, unit_minor, deposit_minor, terms, cost_minor)
    if not before:
        return total
    stands = earned_in_total(before, unit_minor, deposit_minor, terms, cost_minor)
    return Earned(*(after - standing for after, standing in zip(total, stands, strict=True)))


def makers_parts(net_before: int, net_now: int, parts_bp: Sequence[int]) -> list[int]:
    """Share a line's net among its makers by largest remainder, ties to the earlier listed, as the difference to what they had before."""
    if sum(parts_bp) != BASIS_POINTS:
        raise RuleBroken("does_not_add_up", "The makers' parts must add up to 100 %.")
    total, stands = split(net_before + net_now, parts_bp), split(net_before, parts_bp)
    return [after - standing for after, standing in zip(total, stands, strict=True)]


class HandedOver(NamedTuple):
    """One line of a hand-over, ready to post: whose hold it leaves and which makers' nets it becomes (they add up to `earned.net`)."""

    household: str
    line_id: int
    model: Model
    earned: Earned
    nets: Sequence[tuple[str, int]]


def handed_over(lines: Iterable[HandedOver]) -> tuple[Posting, ...]:
    """Post a hand-over: each line from its hold to its makers; fee, tax, sales and cost of goods in one posting each.

    What the gross and the deposits are on the debit side is, to the cent, fee, tax, nets and deposits on the credit side.
    """
    postings: list[Posting] = []
    fee = tax = sales = cost = 0
    resale = Model.RESALE
    for household, line_id, model, (gross, deposit, line_fee, fee_tax, price_tax, net), nets in lines:
        if gross + deposit:
            postings.append(Posting(ORDER_HOLD, household, gross + deposit, line_id))
        if deposit:
            postings.append(Posting(DEPOSITS_HELD, household, -deposit, line_id))
        left = net
        for maker, minor in nets:
            left -= minor
            if minor:
                postings.append(Posting(OWED_TO_MAKER, maker, -minor, line_id))
        assert left == 0, f"the makers of line {line_id} do not share its net"
        tax += fee_tax + price_tax
        fee += line_fee - fee_tax
        if model is resale:
            sales += gross - price_tax
            cost += net
    for code, amount in ((FEE_INCOME, -fee), (SALES_INCOME, -sales), (TAX_PAYABLE, -tax), (COST_OF_GOODS, cost)):
        if amount:
            postings.append(Posting(code, "", amount))
    return tuple(postings)


class Settlement(NamedTuple):
    """What becomes of the money owed to one maker in a payout run; set off + recouped + sent + kept = what was owed."""

    set_off: int
    recouped: int
    sent: int
    kept: int
    reason: str


def settle(
    owed: int, *, owed_by_maker: int = 0, advance: int = 0, recoup_bp: int = 0, minimum: int = 0, held: bool = False
) -> Settlement:
    """Decide one maker's payout: set off what the maker owes, recoup the advance, then apply the minimum.

    At most `recoup_bp` of what is left after the set-off is recouped, rounded down. What would be sent below the minimum is kept whole for
    the next run, and then nothing is recouped; the set-off stands. A `held` maker's money stays untouched. `reason` is `sent`, `nothing_owed`,
    `held`, `below_minimum` or `used_up`.
    """
    assert min(owed, owed_by_maker, advance, minimum) >= 0
    assert 0 <= recoup_bp <= BASIS_POINTS
    if held:
        return Settlement(0, 0, 0, owed, "held")
    if owed == 0:
        return Settlement(0, 0, 0, 0, "nothing_owed")
    set_off = min(owed, owed_by_maker)
    rest = owed - set_off
    recouped = min(advance, rest * recoup_bp // BASIS_POINTS)
    sent = rest - recouped
    if sent == 0:
        return Settlement(set_off, recouped, 0, 0, "used_up")
    if sent < minimum:
        return Settlement(set_off, 0, 0, rest, "below_minimum")
    return Settlement(set_off, recouped, sent, 0, "sent")


def payout_sent(maker: str, payment: str, settlement: Settlement) -> tuple[Posting, ...]:
    """Post a settled payout: what was owed is set off, recouped, and put in transit to the maker. Nothing at all gives no postings."""
    set_off, recouped, sent, _, _ = settlement
    parts = (
        (OWED_TO_MAKER, maker, set_off + recouped + sent),
        (OWED_BY_MAKER, maker, -set_off),
        (ADVANCE_TO_MAKER, maker, -recouped),
    )
    return tuple(Posting(*part) for part in (*parts, (PAYOUT_TRANSIT, payment, -sent)) if part[2])


def payout_settled(payment: str, minor: int) -> tuple[Posting, ...]:
    """Post that the bank confirms a payment: it has left the account."""
    return Posting(PAYOUT_TRANSIT, payment, minor), Posting(BANK, "", -minor)


def payout_rejected(maker: str, payment: str, minor: int) -> tuple[Posting, ...]:
    """Post that the bank refused a payment before moving money: it is owed to the maker again."""
    return Posting(PAYOUT_TRANSIT, payment, minor), Posting(OWED_TO_MAKER, maker, -minor)


def payout_returned(maker: str, minor: int, *, bank_fee: int = 0) -> tuple[Posting, ...]:
    """Post that a settled payment came back: it is owed to the maker again, and the bank's charge falls on the co-op."""
    returned = Posting(BANK, "", minor), Posting(OWED_TO_MAKER, maker, -minor)
    return (*returned, Posting(BANK_FEES, "", bank_fee), Posting(BANK, "", -bank_fee)) if bank_fee else returned
