"""Statements on paper: 500 of them with forty lots each laid out and kept as the worker does, against sixty seconds."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.measure import Figure, Plan, figure, peak_mib_of_family, seconds
from coop.formats.paper import write_paper

PAPERS = 500
SHORT = 50
LOTS = 40
SECONDS = 60.0
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)


def measure(plan: Plan) -> Iterator[Figure]:
    """Give the time of one process; the short form lays a tenth out against a tenth of the time."""
    many = PAPERS if plan.full else SHORT
    allowed = SECONDS * many / PAPERS
    pairs = [(seconds(lambda: _lay_out(many)), allowed) for _ in range(plan.runs)]
    yield figure("papers", many, pairs, yardstick=f"{allowed:.0f} seconds", target=1.0, peak_mib=peak_mib_of_family(os.getpid()))  # fmt: skip


def _lay_out(many: int) -> None:
    digests = set()
    for number in range(many):
        content = write_paper("statement", _values(number), title=f"Statement 2026-{number}", made_at=AT)
        digests.add(hashlib.sha256(content).hexdigest())
    assert len(digests) == many, "each statement is a paper of its own"


def _values(number: int) -> dict[str, object]:
    rows = [[f"Mug, lot M{number}-{lot}", "12", f"{lot + 1}", "€75.00", "€7.50", "€67.50"] for lot in range(LOTS)]
    return {
        "coop": "Riverside Craft Co-op",
        "maker": f"Workshop {number}",
        "through": "30 November 2026",
        "written": "1 December 2026",
        "account": f"{number:04}",
        "heads": ["Product and lot", "Hand-overs", "Pieces", "Sold", "Co-op fee", "Yours"],
        "rows": rows,
        "others": [],
        "bill": [["Sold", "€3,000.00"], ["Co-op fee", "-€300.00"]],
        "payable": "€2,700.00",
        "notes": [],
    }
