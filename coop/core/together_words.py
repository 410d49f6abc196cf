"""What one line came to where batches were shared out together, said from the turns at which pieces were handed out."""

from collections.abc import Mapping

from coop.core.leximin_words import Turn, turn_sentence, turns_of
from coop.core.networks import Network
from coop.core.together import SharedPart


def line_steps(shared: SharedPart, claim: str, batch_id: str, names: Mapping[str, str]) -> list[str]:
    """Tell of each piece that the line received at which turn it came, and then what was not to be had; `names` by batch."""
    network = shared.network
    member = network.ids.index(claim)
    place = list(network.products).index(batch_id)
    turns = turns_of(network, shared.shares, member)
    called = [names[batch] for batch in network.products]
    own = [turn for turn in turns if turn.product == place]
    is_choice = len(network.wishes[member]) > 1
    steps = [_piece(turn, called, is_choice=is_choice) for turn in own]
    missing = network.caps[member] - len(turns)
    if own and not missing:
        return steps
    return [*steps, _rest(network, member, place, turns, called, missing)]


def _piece(turn: Turn, names: list[str], *, is_choice: bool) -> str:
    if is_choice:
        return turn_sentence(turn, names)
    return f"Your piece was handed out at turn {turn.number} of {turn.turns}."


def _rest(network: Network, member: int, place: int, turns: list[Turn], names: list[str], missing: int) -> str:
    """Say why a line received nothing, or not all."""
    if not missing:
        took = ", ".join(
            f"{sum(turn.product == n for turn in turns)} {names[n]}" for n in sorted({turn.product for turn in turns})
        )
        liked = [product for product, _ in network.wishes[member]]
        better = liked.index(place) < min(liked.index(turn.product) for turn in turns)
        if better:
            return f"{names[place]} was gone at your turns; you received {took} instead."
        return f"You received {took}, which you like better, so this one was not needed."
    named = " or ".join(names[product] for product, _ in network.wishes[member])
    count = "1 piece is" if missing == 1 else f"{missing} pieces are"
    return f"{count} short: when the turn came, no {named} was left that could still be freed."
