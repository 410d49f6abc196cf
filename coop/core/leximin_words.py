"""What happened at a member's turns when several products were shared out together, said from the record alone."""

from collections.abc import Sequence
from typing import NamedTuple

from coop.core.leximin import Shares
from coop.core.networks import Network

_CHOICES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


class Turn(NamedTuple):
    """One piece: the `number` of the turn among all `turns`, the product taken, and the better liked ones that were gone.

    `choice` counts from 1 in the member's own order.
    """

    number: int
    turns: int
    product: int
    choice: int
    gone: Sequence[int]


def turns_of(network: Network, shares: Shares, member: int) -> list[Turn]:
    """List a member's turns; a product of which the member already had all it would take is not called gone."""
    room = dict(network.wishes[member])
    order = [product for product, _ in network.wishes[member]]
    found = []
    for number, pick in enumerate(shares.picks, start=1):
        if pick.member == member:
            place = order.index(pick.product)
            gone = [product for product in order[:place] if room[product] > 0]
            room[pick.product] -= 1
            found.append(Turn(number, len(shares.picks), pick.product, place + 1, gone))
    return found


def turn_sentence(turn: Turn, names: Sequence[str]) -> str:
    """Explain one piece: “Plum was gone at your turn, number 214 of 300; your second choice, quince, was free.”"""
    when = f"your turn, number {turn.number} of {turn.turns}"
    choice = _CHOICES[turn.choice - 1] if turn.choice <= len(_CHOICES) else f"{turn.choice}th"
    own = f"your {choice} choice, {names[turn.product]}, was free"
    if not turn.gone:
        return f"At {when}, {own}."
    *others, last = [names[product] for product in turn.gone]
    gone = f"{', '.join(others)} and {last}" if others else last
    return f"{gone[0].upper()}{gone[1:]} {'were' if others else 'was'} gone at {when}; {own}."
