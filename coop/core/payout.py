"""What a hand-over earns for makers and co-op, and what a payout sends: to the cent, each piece exactly once.

Everything is computed on the *cumulated* quantity of a line and booked as the difference to what stands, so handing over piece by piece, or
crediting piece by piece, ends at the same cent as doing it at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from coop.core.errors import RuleBroken
from coop.core.ledger import (
    ADVANCE_TO_MAKER,
    BANK,
    BANK_FEES,
    COST_OF_GOODS,
    DEPOSITS_HELD,
    FEE_INCOME,
    HARDSHIP_FUND,
    MEMBER_CREDIT,
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


HIGHEST_FEE_BP: Final = 5000


ACCOUNT_RESTS: Final = timedelta(days=14)
"""How long nothing is paid to a bank account after it was changed: time for its maker to notice a change that was not theirs."""


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


class Standing(NamedTuple):
    """What an order line has earned by now, all its bookings added up: pieces that count, fee and tax with it, and the makers' net."""

    pieces: int = 0
    fee: int = 0
    tax: int = 0
    net: int = 0


class Line(NamedTuple):
    """What a piece of an order line costs, and the terms it is sold on."""

    unit_minor: int
    deposit_minor: int
    terms: Terms
    cost_minor: int = 0


def earned_by(line: Line, stands: Standing, pieces: int) -> Earned:
    """Compute what more pieces of a line earn (fewer where negative): what all of them come to, less what stands.

    So handing over piece by piece, crediting piece by piece, and a fee that has changed in between all end at the same cent. Deposits
    go with the pieces alone.
    """
    assert stands.pieces + pieces >= 0, stands
    unit_minor, deposit_minor, terms, cost_minor = line
    total = earned_in_total(stands.pieces + pieces, unit_minor, 0, terms, cost_minor)
    resale = terms.model is Model.RESALE
    return Earned(
        pieces * unit_minor,
        pieces * deposit_minor,
        total.fee - stands.fee,
        0 if resale else total.fee_tax - stands.tax,
        total.price_tax - stands.tax if resale else 0,
        total.net - stands.net,
    )


def makers_parts(net: int, parts_bp: Sequence[int], stands: Sequence[int]) -> list[int]:
    """Share a line's whole net among its makers by largest remainder, ties to the earlier listed, as the difference to what each has.

    Raises `does_not_add_up`.
    """
    check_parts(parts_bp)
    return [part - standing for part, standing in zip(split(net, parts_bp), stands, strict=True)]


def check_parts(parts_bp: Sequence[int]) -> None:
    """Raise `does_not_add_up` unless makers' parts are above nothing and add up to 100 %."""
    if sum(parts_bp) != BASIS_POINTS or min(parts_bp) <= 0:
        raise RuleBroken("does_not_add_up", "The makers' parts must add up to 100 %, each above 0 %.", field="parts")


class HandedOver(NamedTuple):
    """One line whose earning changes, ready to post: whose it is and which makers' nets change (they add up to `earned.net`)."""

    household: str
    line_id: int
    model: Model
    earned: Earned
    nets: Sequence[tuple[str, int]]


def handed_over(lines: Sequence[HandedOver], owed_to: Mapping[str, int] = MappingProxyType({})) -> tuple[Posting, ...]:
    """Post a hand-over: each line from its hold to its makers; fee, tax, sales and cost of goods in one posting each.

    What the gross and the deposits are on the debit side is, to the cent, fee, tax, nets and deposits on the credit side. `owed_to` says
    what is owed to those makers who lose by a changed fee.
    """
    postings: list[Posting] = []
    owed = dict(owed_to)
    for line in lines:
        household, line_id, _, (gross, deposit, *_), _ = line
        if gross + deposit:
            postings.append(Posting(ORDER_HOLD, household, gross + deposit, line_id))
        if deposit:
            postings.append(Posting(DEPOSITS_HELD, household, -deposit, line_id))
        postings.extend(_to_makers(line, owed))
    return *postings, *_to_coop(lines)


def put_right(line: HandedOver, fund: int, owed_to: Mapping[str, int]) -> tuple[Posting, ...]:
    """Post what is put right after a hand-over: a changed fee, or pieces found bad, whose price (below zero) goes back.

    Of the price `fund` goes back to the hardship fund and the rest to the household; deposits stay. What a maker was paid already it
    owes from now on.
    """
    own = (
        Posting(MEMBER_CREDIT, line.household, line.earned.gross - fund, line.line_id),
        Posting(HARDSHIP_FUND, "", fund, line.line_id),
    )
    return *(one for one in own if one.amount), *_to_makers(line, dict(owed_to)), *_to_coop([line])


def _to_makers(line: HandedOver, owed: dict[str, int]) -> list[Posting]:
    """Post the nets of a line. What is taken back is taken from what is owed to the maker; the rest it owes from now on."""
    _, line_id, _, earned, nets = line
    assert sum(minor for _, minor in nets) == earned.net, f"the makers of line {line_id} do not share its net"
    postings = []
    for maker, minor in nets:
        from_owed = max(minor, -max(owed.get(maker, 0), 0))
        if minor < 0:
            owed[maker] = owed.get(maker, 0) + from_owed
        if from_owed:
            postings.append(Posting(OWED_TO_MAKER, maker, -from_owed, line_id))
        if minor - from_owed:
            postings.append(Posting(OWED_BY_MAKER, maker, from_owed - minor, line_id))
    return postings


def _to_coop(lines: Iterable[HandedOver]) -> list[Posting]:
    fee = tax = sales = cost = 0
    resale = Model.RESALE
    for _, _, model, (gross, _, line_fee, fee_tax, price_tax, net), _ in lines:
        tax += fee_tax + price_tax
        fee += line_fee - fee_tax
        if model is resale:
            sales += gross - price_tax
            cost += net
    found = ((FEE_INCOME, -fee), (SALES_INCOME, -sales), (TAX_PAYABLE, -tax), (COST_OF_GOODS, cost))
    return [Posting(code, "", amount) for code, amount in found if amount]


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
