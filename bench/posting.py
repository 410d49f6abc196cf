"""A hundred thousand hand-overs booked in bulk, against COPY of their entries and postings on the same server."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.measure import Figure, Plan, figure, peak_mib_of_family, seconds
from bench.season import at_home
from bench.yardstick import Yardstick
from coop.clock import now
from coop.config import libpq_url
from coop.core.ledger import BANK, ORDER_HOLD, Entry, Posting, artisan_party, household_party
from coop.core.payout import IMPORTED_TERMS, HandedOver, earned_in_total, handed_over
from coop.db import Db
from coop.ledger import service as ledger

LINES, SHORT = 100_000, 10_000
HOUSEHOLDS, ARTISANS = 2_000, 500
TARGET = 4.0


def measure(plan: Plan) -> Iterator[Figure]:
    """Give the time from what was handed over to entries that are checked and committed; each line has an entry of its own."""
    lines = LINES if plan.full else SHORT
    with tempfile.TemporaryDirectory(prefix="coop-bench-") as folder, at_home(Path(folder), worker=False) as coop:
        yardstick = Yardstick(libpq_url(coop.settings.owner_url), lines)
        pairs = []
        for run in range(plan.runs):
            handed = [_handed(run * lines + n) for n in range(1, lines + 1)]
            _hold(coop.db, run, handed)
            ours = seconds(lambda: _book(coop.db, handed))  # noqa: B023 - called at once
            pairs.append((ours, yardstick.seconds("handover")))
        yardstick.close()
    yield figure("posting", lines, pairs, yardstick="copy", target=TARGET, peak_mib=peak_mib_of_family())


def _handed(line_id: int) -> HandedOver:
    """Hand a line over: some pieces of one of five hundred artisans, to one of two thousand households."""
    artisan_id = 1 + line_id % ARTISANS
    earned = earned_in_total(1 + line_id % 3, 500 + artisan_id, 0, IMPORTED_TERMS)
    maker = (artisan_party(artisan_id), earned.net)
    return HandedOver(household_party(1 + line_id % HOUSEHOLDS), line_id, IMPORTED_TERMS.model, earned, [maker])


def _hold(db: Db, run: int, handed: Sequence[HandedOver]) -> None:
    """Put into the holds what is about to be earned."""
    held: dict[str, int] = {}
    for line in handed:
        held[line.household] = held.get(line.household, 0) + line.earned.gross
    postings = (Posting(BANK, "", sum(held.values())), *(Posting(ORDER_HOLD, *one) for one in _credited(held)))
    with db.begin() as session:
        ledger.post(session, Entry(f"bank:bench:{run}", "order", now().date(), postings), by=0, currency="EUR")


def _credited(held: dict[str, int]) -> Iterator[tuple[str, int]]:
    return ((household, -minor) for household, minor in held.items())


def _book(db: Db, handed: Sequence[HandedOver]) -> None:
    today = now().date()
    with db.begin() as session:
        entries = [Entry(f"pickup:{line.line_id}", "pickup", today, handed_over([line])) for line in handed]
        ledger.post_all(session, entries, by=0, currency="EUR")
