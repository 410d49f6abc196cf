"""A bank file of 10,000 lines: read, matched by references, and booked, against ten seconds."""

import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Figure, Plan, figure, peak_mib_of_family, seconds
from bench.season import at_home
from coop.bank import service as bank
from coop.clock import now
from coop.commands.running import Running
from coop.core.payment_reference import CREDIT, PaymentReference
from coop.formats.bank_statement import BankLine, BankStatement
from coop.formats.camt import write_camt053
from coop.formats.iban import demo_iban
from coop.people import service as people
from coop.policy import service as policy

LINES = 10_000
HOUSEHOLDS = 2_500
SECONDS = 10.0
MIB = 300
OURS = demo_iban("DE", 1)
AT = datetime(2026, 11, 20, 18, tzinfo=UTC)


def measure(plan: Plan) -> Iterator[Figure]:
    """Give the time from a file's bytes to all its lines booked; every fourth line names nobody."""
    pairs = []
    for _ in range(plan.runs):
        with tempfile.TemporaryDirectory(prefix="coop-bench-") as folder, at_home(Path(folder) / "home") as coop:
            content = _statement(_households(coop))
            key = coop.settings.field_key
            took = seconds(lambda: bank.import_statement(coop.db, content, by=0, at=now(), field_key=key))  # noqa: B023 - called at once
            pairs.append((took, SECONDS))
    peak = peak_mib_of_family(os.getpid())
    yield figure("bank", LINES, pairs, yardstick="ten seconds", target=1.0, peak_mib=peak, most_mib=MIB)


def _households(coop: Running) -> list[int]:
    with coop.db.begin() as session:
        policy.settle(session, "coop_iban", OURS, by=0)
        policy.settle(session, "currency", "EUR", by=0)
        return [people.new_household(session, f"Household {number}") for number in range(HOUSEHOLDS)]


def _statement(households: list[int]) -> bytes:
    lines = tuple(_line(number, households[number % HOUSEHOLDS]) for number in range(LINES))
    closing = sum(line.minor for line in lines)
    told = BankStatement("BENCH", OURS, "EUR", 0, closing, AT.date(), AT.date(), lines)
    return re.sub(rb">\s+<", b"><", write_camt053(told, created_at=AT)).replace(
        b"<EndToEndId>NOTPROVIDED</EndToEndId>", b""
    )


def _line(number: int, household_id: int) -> BankLine:
    words = "" if number % 4 == 0 else PaymentReference(CREDIT, household_id).written()
    return BankLine(
        f"B{number}", 100 + number, AT.date(), None, words, f"Payer {household_id}", demo_iban("DE", household_id)
    )
