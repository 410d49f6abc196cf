"""A small season carried through by the services, with something of everything that the books know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from coop.agreements import service as agreements
from coop.audit import service as audit
from coop.bank import service as bank
from coop.clock import now
from coop.core.ledger import GOODWILL, MEMBER_CREDIT, Entry, Posting, household_party
from coop.db import Db
from coop.formats.bank_statement import BankLine, BankStatement
from coop.formats.camt import write_camt053
from coop.formats.iban import demo_iban
from coop.ledger import service as ledger
from coop.papers import queries as papers_told
from coop.papers import service as papers
from coop.papers.service import Habit
from coop.payouts import queries as payouts_told
from coop.payouts import service as payouts
from coop.policy import service as policy
from coop.transfers import service as transfers
from tests import rounds
from tests.builders import (
    FIELD_KEY,
    NOW,
    TODAY,
    a_household,
    a_person,
    a_pool,
    a_product,
    a_season,
    an_artisan,
    an_offering,
)
from tests.rounds import PICKUP

IBAN = demo_iban("GB", 1)


@dataclass(frozen=True, slots=True)
class Carried:
    ana: int
    ben: int
    mia: int
    pools: tuple[str, str, str]
    """Published and partly handed over; published; open with orders in it."""
    anas_jam: int
    bens_jam: int
    payout_run: int


def carry_through(db: Db) -> Carried:
    """Two pools shared out, the first short and partly fetched, its makers paid and the bank's word taken in; a third pool open."""
    with db.begin() as session:
        policy.settle(session, "coop_iban", IBAN, by=0)
        ana, ben = (a_household(session, name, credit_minor=40_000) for name in ("Ana", "Ben"))
        mia = an_artisan(session, "Mia's preserves", craft="jams")
        agreements.set_bank_details(
            session, mia, holder="Mia", iban=demo_iban("GB", 2), by=0, at=NOW, field_key=FIELD_KEY
        )
        jam, cup = a_product(session, mia), a_product(session, mia, "Salt-glaze cup")
        season = a_season(session)
        plan = [a_pool(session, season, f"Pool {n}", closes_at=NOW + timedelta(days=2, hours=n)) for n in (1, 2, 3)]
        jams = [an_offering(session, pool, jam, price_minor=520, deposit_minor=50) for pool in plan]
        cups = an_offering(session, plan[0], cup, price_minor=2500)
        _goodwill_taken_back(session, ana)
    rounds.order(db, plan[2], {ana: {jams[2]: 2}})
    lines = rounds.publish(db, plan[0], {ana: {jams[0]: 6, cups: 2}, ben: {jams[0]: 5}}, {jams[0]: 8, cups: 2})
    rounds.publish(db, plan[1], {ana: {jams[1]: 3}, ben: {jams[1]: 4}}, {jams[1]: 5})
    rounds.fetch(db, lines[ana, jams[0]], 2)
    rounds.fetch(db, lines[ana, jams[0]], 1)
    rounds.fetch(db, lines[ana, cups], 2)
    rounds.fetch(db, lines[ben, jams[0]], 1)
    run = _paid(db)
    _documents(db, ana, mia)
    audit.seal(db)
    return Carried(ana, ben, mia, ("Pool 1", "Pool 2", "Pool 3"), lines[ana, jams[0]], lines[ben, jams[0]], run)


def _documents(db: Db, ana: int, mia: int) -> None:
    """Ana has the invoice of what she fetched of Mia's, and the receipt of what she paid in."""
    acts = {"by": 0, "at": PICKUP}
    for seller in (None, mia):
        papers.name_seller(
            db, seller, legal_name="Mia Kell", address="Mill Yard 3", tax_number="", key=f"{seller}", **acts
        )
    papers.settle_habit(db, Habit("on_request", "on_request", TODAY), key="habit", **acts)
    papers.ask_invoices(db, ana, PICKUP.date().replace(day=1), key="invoice", **acts)
    with db() as session:
        (paid,) = papers_told.paid(session, ana, TODAY, TODAY)
    assert paid.entry_id is not None
    papers.ask_receipt(db, ana, paid.entry_id, key="receipt", **acts)


def _goodwill_taken_back(session, household_id: int) -> None:
    postings = (Posting(GOODWILL, "", 300), Posting(MEMBER_CREDIT, household_party(household_id), -300))
    given = Entry("goodwill:1", "goodwill", TODAY, postings, "a chipped cup")
    ledger.post(session, given, by=0, currency="EUR")
    taken_back = given.reversed(key="rev:goodwill:1", business_date=TODAY, memo="it was another household's")
    ledger.post(session, taken_back, by=0, currency="EUR")


def _paid(db: Db) -> int:
    with db.begin() as session:
        asks, approves = a_person(session, "Petra"), a_person(session, "Tomas")
    called_off = rounds.compute_payouts(db, by=asks)
    payouts.cancel(db, called_off, by=asks, reason="a day too early")
    run = rounds.compute_payouts(db, by=asks)
    transfers.approve(db, run, by=approves, at=PICKUP)
    transfers.make_file(db, run, by=asks, at=PICKUP, field_key=FIELD_KEY)
    with db() as session:
        sent = payouts_told.in_transit(session, run)
    day = PICKUP.date()
    lines = [BankLine(f"B{one.end_to_end_id}", -one.amount_minor, day, one.end_to_end_id, "Payout") for one in sent]
    lines.append(BankLine("B1", 700, day, None, "Ana, jam money"))
    closing = 80_000 + sum(line.minor for line in lines)
    statement = BankStatement("S1", IBAN, "EUR", 80_000, closing, day, day, tuple(lines))
    bank.import_statement(db, write_camt053(statement, created_at=now()), by=asks, at=PICKUP, field_key=FIELD_KEY)
    return run
