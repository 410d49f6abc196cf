"""A hundred thousand lines of five hundred artisans, handed over one by one and paid out; each against COPY on the same server."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from bench.longer import write_rows
from bench.measure import Figure, Plan, figure, peak_mib_of_family, seconds
from bench.season import TARGETS, at_home, steps
from bench.yardstick import Yardstick
from coop.config import libpq_url

LINES, SHORT = 100_000, 10_000
OF_AN_ARTISAN = 200
WEEKS = 10
FIRST_MONDAY = date(2011, 1, 3)
MEASURED = ("handover", "payout")


def measure(plan: Plan) -> Iterator[Figure]:
    """Give a figure for handing over, where each line has an order, a hand-over and an entry of its own, and one for paying out."""
    lines = LINES if plan.full else SHORT
    pairs: dict[str, list[tuple[float, float]]] = {step: [] for step in MEASURED}
    peak = 0
    for _ in range(plan.runs):
        with tempfile.TemporaryDirectory(prefix="coop-bench-") as folder, at_home(Path(folder) / "home") as coop:
            write_deliveries(Path(folder), lines)
            yardstick = None
            for step, work in steps(coop, Path(folder)):
                ours = seconds(work)
                yardstick = yardstick or Yardstick(libpq_url(coop.settings.owner_url))
                if step in pairs:
                    pairs[step].append((ours, yardstick.seconds(step)))
            peak = max(peak, peak_mib_of_family())
    for step in MEASURED:
        yield figure(f"deliveries.{step}", lines, pairs[step], yardstick="copy", target=TARGETS[step], peak_mib=peak)


def write_deliveries(folder: Path, lines: int) -> None:
    """Write the files of a season of ten weeks in which every order is one line, and of every product all is made that is wanted."""
    members, artisans = lines // WEEKS, lines // OF_AN_ARTISAN
    write_rows(folder / "members.csv", [{"member": f"D{n:05}", "share_weight": "1"} for n in range(members)])
    made = [{"product": f"P{n:03}", "name": f"Bowl {n}", "artisan": f"W{n:03}"} for n in range(artisans)]
    write_rows(folder / "products.csv", made)
    orders, wanted = [], Counter[tuple[str, str]]()
    for week in range(WEEKS):
        monday = FIRST_MONDAY + timedelta(weeks=week)
        year, number, _ = monday.isocalendar()
        cycle = f"{year}-W{number:02}"
        for n in range(members):
            product, pieces = (n + 7 * week) % artisans, 1 + n % 3
            wanted[cycle, f"P{product:03}"] += pieces
            orders.append(
                {
                    "cycle": cycle,
                    "ordered_at": f"{monday}T10:00:00",
                    "member": f"D{n:05}",
                    "product": f"P{product:03}",
                    "quantity": str(pieces),
                    "unit_price_minor": str(500 + product),
                }
            )
    write_rows(folder / "orders.csv", orders)
    yields = [{"cycle": c, "product": p, "yield_units": str(pieces)} for (c, p), pieces in wanted.items()]
    write_rows(folder / "yields.csv", yields)
