"""Who claims in a pool: order lines in columns are put with their batches, under names that only the season's secret opens."""

import hmac
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coop.core.claims import TOGETHER_RULE, BatchInput
from coop.core.long_batches import column
from coop.core.pool_run import ClaimedBatch, Whole
from coop.core.together import Choice


class Offered(NamedTuple):
    """A batch that is offered in a pool; `rule` is its own, None where the season's holds."""

    offering_id: int
    lot_number: str
    family: str
    rule: str | None
    units: int


class Accounts(NamedTuple):
    """Who claims, once for each family of products claimed in: pseudonym and weight; `of_claim` points into them."""

    names: NDArray[np.object_]
    weights: Whole
    of_claim: NDArray[np.intp]


def pseudonym(secret: bytes, family: str, household_id: int) -> str:
    """Name a household's standing in a family of products, for one season, so that only itself knows it by name."""
    return hmac.digest(secret, f"{household_id}:{family}".encode(), "sha256")[:16].hex()


def name_of_claim(secret: bytes, household_id: int, lot_number: str, choice: int | None) -> str:
    """Name a claim on batches that are shared out together: a household may have several there, each with its own draw."""
    return pseudonym(secret, f"choice {choice}" if choice else f"lot {lot_number}", household_id)


def gathered(
    claims: Mapping[str, Whole],
    offered: Sequence[Offered],
    secret: bytes,
    weights: Mapping[int, int],
    rule: str,
    chosen: Mapping[int, tuple[int, int]],
) -> list[ClaimedBatch]:
    """Put the pool's claims with their batches, each batch's in the order of their pseudonyms.

    A line stores when its wish was last raised, not each raise by itself; by `priority` the whole wish has that time. It is
    there whatever the rule, so that `priority` can be set beside it. `chosen` gives choice and rank by line.
    """
    offerings = np.array([row.offering_id for row in offered], np.int64)
    by_id = np.argsort(offerings)
    batch_of_claim = by_id[np.searchsorted(offerings, claims["offering"], sorter=by_id)]
    accounts = _accounts(claims, batch_of_claim, offered, secret, weights, rule, chosen)
    ranks = np.empty(len(accounts.names), np.int64)
    ranks[np.argsort(accounts.names)] = np.arange(len(ranks))
    order = np.lexsort((ranks[accounts.of_claim], batch_of_claim))
    owners = accounts.of_claim[order]
    members = column(owners)
    ids, own_weights = accounts.names[owners].tolist(), accounts.weights[owners].tolist()
    names = ("household", "line", "wish", "more", "raised")
    households, lines, wishes, more, raised = (claims[name][order].tolist() for name in names)
    some_take_more = bool(claims["more"].any())
    ends = np.searchsorted(batch_of_claim[order], np.arange(len(offered)), side="right").tolist()
    batches = []
    start = 0
    for row, end in zip(offered, ends, strict=True):
        own = slice(start, end)
        batch = BatchInput(
            id=row.lot_number,
            units=row.units,
            ids=ids[own],
            weights=own_weights[own],
            requests=wishes[own],
            tolerances=more[own] if some_take_more and any(more[own]) else (),
            rule=row.rule or rule,
            times=raised[own],
            members=members[own],
        )
        batches.append(ClaimedBatch(row.offering_id, lines[own], households[own], batch))
        start = end
    return batches


def choices_of(batches: Sequence[ClaimedBatch], chosen: Mapping[int, tuple[int, int]]) -> list[Choice]:
    """Gather the claims on several batches; all their lines ask for the same number of pieces."""
    lines: dict[str, list[tuple[int, int, int]]] = {}
    for place, claimed in enumerate(batches) if chosen else ():
        for line, claim, wish in zip(claimed.line_ids, claimed.batch.ids, claimed.batch.requests, strict=True):
            if line in chosen:
                lines.setdefault(claim, []).append((chosen[line][1], place, wish))
    return [Choice(claim, own[0][2], tuple(place for _, place, _ in sorted(own))) for claim, own in lines.items()]


def _accounts(
    claims: Mapping[str, Whole],
    batch_of_claim: NDArray[np.intp],
    offered: Sequence[Offered],
    secret: bytes,
    weights: Mapping[int, int],
    rule: str,
    chosen: Mapping[int, tuple[int, int]],
) -> Accounts:
    """Gather the accounts of claims; what is shared out together has one for each choice, or for the batch alone."""
    families = [f"lot {row.lot_number}" if (row.rule or rule) == TOGETHER_RULE else row.family for row in offered]
    families += [f"choice {choice}" for choice, _ in chosen.values()]
    kinds = sorted(set(families))
    places = {kind: place for place, kind in enumerate(kinds)}
    kind_of_claim = np.array([places[family] for family in families], np.int64)[batch_of_claim]
    for place, line in enumerate(claims["line"].tolist()) if chosen else ():
        if line in chosen:
            kind_of_claim[place] = places[f"choice {chosen[line][0]}"]
    households, household_of_claim = np.unique(claims["household"], return_inverse=True)
    pairs, of_claim = np.unique(kind_of_claim * len(households) + household_of_claim, return_inverse=True)
    own_kinds, own_households = np.divmod(pairs, max(1, len(households)))
    held = households[own_households].tolist()
    names = [
        pseudonym(secret, kinds[kind], household) for kind, household in zip(own_kinds.tolist(), held, strict=True)
    ]
    return Accounts(np.array(names, object), np.array([weights[household] for household in held], np.int64), of_claim)
