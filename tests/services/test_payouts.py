"""Each piece sold is paid for once: gathered, approved by a second person, sent in one file, and paid when the bank says so."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop import jobs
from coop.agreements import service as agreements
from coop.core.errors import RuleBroken
from coop.core.ledger import OWED_TO_MAKER, PAYOUT_TRANSIT, artisan_party, payment_party
from coop.formats.iban import demo_iban
from coop.payouts import queries
from coop.payouts import service as payouts
from coop.payouts.models import BankFile, Payment, PayoutRun, Statement
from coop.policy import service as policy
from coop.transfers import service as transfers
from tests import rounds
from tests.builders import (
    FIELD_KEY,
    a_household,
    a_person,
    a_pool,
    a_product,
    a_role,
    a_season,
    an_artisan,
    an_offering,
)
from tests.races import at_once
from tests.rounds import PICKUP, balances, compute_payouts, fetch


class Coop:
    """Two makers: Mia's mugs at 25.00, of which Ana asks for 3 and Ben for 2, and Orchard Lane's jam at 5.20, Ana 2. Fee 10 %."""

    def __init__(self, db, *, accounts=True):
        with db.begin() as session:
            policy.settle(session, "coop_iban", demo_iban("GB", 1), by=0)
            self.ana = a_household(session, "Ana", credit_minor=50_000)
            self.ben = a_household(session, "Ben", credit_minor=50_000)
            self.jun, self.petra = a_person(session, "Jun"), a_person(session, "Petra")
            self.mia, self.orchard = an_artisan(session, "Mia's pottery"), an_artisan(session, "Orchard Lane")
            if accounts:
                for number, maker in ((2, self.mia), (3, self.orchard)):
                    give_account(session, maker, number)
            pool = a_pool(session, a_season(session))
            mugs = an_offering(session, pool, a_product(session, self.mia, "Mug"), price_minor=2500)
            jam = an_offering(session, pool, a_product(session, self.orchard, "Damson jam"), price_minor=520)
        wishes = {self.ana: {mugs: 3, jam: 2}, self.ben: {mugs: 2}}
        lines = rounds.publish(db, pool, wishes, {mugs: 5, jam: 2})
        self.anas_mugs, self.anas_jam, self.bens_mugs = (
            lines[k] for k in ((self.ana, mugs), (self.ana, jam), (self.ben, mugs))
        )


def give_account(session, maker, number, *, at=PICKUP - timedelta(days=60)):
    agreements.set_bank_details(
        session, maker, holder="Holder", iban=demo_iban("GB", number), by=0, at=at, field_key=FIELD_KEY
    )


def told(db, what, *columns):
    with db() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(what.id))]


def statements(db):
    columns = (
        Statement.artisan_id,
        Statement.series,
        Statement.number,
        Statement.sold_minor,
        Statement.fee_minor,
        Statement.payable_minor,
    )
    return told(db, Statement, *columns)


def state(db, run_id):
    with db() as session:
        return session.get_one(PayoutRun, run_id).state


def refusal(act, *args, **named):
    with pytest.raises(RuleBroken) as refused:
        act(*args, **named)
    return refused.value.code


def approve(db, run_id, by):
    transfers.approve(db, run_id, by=by, at=PICKUP)


def make_file(db, run_id, by=0):
    return transfers.make_file(db, run_id, by=by, at=PICKUP, field_key=FIELD_KEY)


def sent(db, coop):
    """A run through to its bank file."""
    run_id = compute_payouts(db, by=coop.jun)
    approve(db, run_id, coop.petra)
    make_file(db, run_id)
    return run_id


def test_a_statement_holds_what_was_handed_over_and_nothing_else(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    fetch(db, coop.anas_jam, 2)
    run_id = compute_payouts(db, by=coop.jun)  # Ben's two mugs are still on the table
    # 7500 less 750; the jam's 1040 less 104 is 9.36, under the minimum of 10.00
    assert statements(db) == [(coop.mia, "2026", 1, 7500, 750, 6750)]
    assert state(db, run_id) == "computed"


def test_what_is_under_the_minimum_waits_and_the_next_run_pays_both(db):
    coop = Coop(db)
    fetch(db, coop.anas_jam, 1)
    fetch(db, coop.anas_mugs, 3)
    sent(db, coop)
    with db.begin() as session:  # the jam's other jar is 4.68 more: 9.36 in all, so the minimum comes down to 9.00
        policy.settle(session, "payout_minimum_minor", 900, by=0, effective_from=PICKUP)
    fetch(db, coop.anas_jam, 1, key="later")
    compute_payouts(db, by=coop.jun, at=PICKUP + timedelta(days=1))
    assert statements(db)[1:] == [(coop.orchard, "2026", 2, 1040, 104, 936)]


def test_a_maker_without_a_bank_account_waits(db):
    coop = Coop(db, accounts=False)
    with db.begin() as session:
        give_account(session, coop.mia, 2)
    fetch(db, coop.anas_jam, 2)
    fetch(db, coop.anas_mugs, 1)
    with db() as session:
        waits = {
            one.artisan_id: queries.why_it_waits(one, 100, at=PICKUP)
            for one in queries.owed_to_makers(session, PICKUP.date())
        }
    assert waits == {coop.mia: "", coop.orchard: "no_account"}


@pytest.mark.parametrize(("days", "paid"), [(13, 0), (14, 1)])
def test_nothing_is_paid_to_an_account_changed_in_the_last_fourteen_days(db, days, paid):
    coop = Coop(db)
    with db.begin() as session:
        give_account(session, coop.mia, 4, at=PICKUP - timedelta(days=days))
    fetch(db, coop.anas_mugs, 3)
    compute_payouts(db, by=coop.jun)
    assert len(statements(db)) == paid


def test_a_run_that_pays_nobody_ends_by_itself(db):
    coop = Coop(db)
    assert state(db, compute_payouts(db, by=coop.jun)) == "cancelled"
    fetch(db, coop.anas_mugs, 1)
    assert state(db, compute_payouts(db, by=coop.jun)) == "computed"


def test_statement_lines_payment_and_ledger_say_the_same(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 2)
    fetch(db, coop.anas_mugs, 1, key="second")
    fetch(db, coop.bens_mugs, 2)
    sent(db, coop)
    # 5 mugs: 12500 less 1250
    with db() as session:
        (statement_id,) = session.scalars(select(Statement.id)).all()
        lines = session.scalar(text("SELECT sum(amount_minor) FROM statement_line WHERE live"))
        payment = session.scalars(select(Payment)).one()
    assert (lines, payment.amount_minor, payment.statement_id) == (11_250, 11_250, statement_id)
    assert balances(db, PAYOUT_TRANSIT) == {payment_party(payment.id): 11_250}
    assert balances(db, OWED_TO_MAKER) == {}


def test_the_second_run_pays_only_what_came_after_the_first(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 2)
    sent(db, coop)
    fetch(db, coop.anas_mugs, 1, key="second")
    sent(db, coop)
    assert [(number, payable) for _, _, number, _, _, payable in statements(db)] == [(1, 4500), (2, 2250)]
    assert balances(db, OWED_TO_MAKER) == {}


def test_a_cancelled_run_frees_its_lines_and_keeps_its_number(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 2)
    first = compute_payouts(db, by=coop.jun)
    assert refusal(payouts.cancel, db, first, by=coop.jun, reason="  ") == "reason_missing"
    payouts.cancel(db, first, by=coop.jun, reason="one day too early")
    payouts.cancel(db, first, by=coop.jun, reason="once more changes nothing")
    second = compute_payouts(db, by=coop.jun)
    assert (state(db, first), state(db, second)) == ("cancelled", "computed")
    assert [(number, payable) for _, _, number, _, _, payable in statements(db)] == [(1, 4500), (2, 4500)]
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM statement_line WHERE live")) == 1


def test_numbers_have_no_gaps_within_the_year_of_the_run(db):
    coop = Coop(db)
    for pieces in (1, 2):
        fetch(db, coop.anas_mugs, pieces)
        sent(db, coop)
    fetch(db, coop.bens_mugs, 2, at=PICKUP + timedelta(days=40))
    compute_payouts(db, by=coop.jun, at=PICKUP + timedelta(days=40))
    assert [(series, number) for _, series, number, *_ in statements(db)] == [("2026", 1), ("2026", 2), ("2027", 1)]


def test_a_run_covers_days_that_are_over_or_today(db):
    coop = Coop(db)
    day = PICKUP.date()
    assert (
        refusal(payouts.request_payouts, db, through=day + timedelta(days=1), by=coop.jun, at=PICKUP) == "future_date"
    )
    payouts.request_payouts(db, through=day, by=coop.jun, at=PICKUP)


def test_what_is_handed_over_after_the_last_day_of_a_run_waits_for_the_next(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = compute_payouts(db, by=coop.jun, through=PICKUP.date() - timedelta(days=1))
    assert state(db, run_id) == "cancelled"


def test_one_run_at_a_time(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = compute_payouts(db, by=coop.jun)
    for then in (lambda: approve(db, run_id, coop.petra), lambda: make_file(db, run_id)):
        assert refusal(payouts.request_payouts, db, through=PICKUP.date(), by=coop.jun, at=PICKUP) == "run_open"
        then()
    payouts.request_payouts(db, through=PICKUP.date(), by=coop.jun, at=PICKUP)


def test_a_form_sent_twice_asks_for_one_run(db):
    coop = Coop(db)
    ask = {"through": PICKUP.date(), "by": coop.jun, "at": PICKUP, "key": "k"}
    assert payouts.request_payouts(db, **ask) == payouts.request_payouts(db, **ask)


def test_whoever_asked_does_not_approve(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = compute_payouts(db, by=coop.jun)
    assert refusal(approve, db, run_id, coop.jun) == "second_person"
    approve(db, run_id, coop.petra)
    approve(db, run_id, coop.petra)  # once more changes nothing
    assert refusal(approve, db, run_id, coop.ana) == "not_computed"


def test_nobody_approves_what_pays_their_own_workshop(db):
    coop = Coop(db)
    with db.begin() as session:
        a_role(session, coop.petra, "artisan", artisan_id=coop.mia)
    fetch(db, coop.anas_mugs, 3)
    run_id = compute_payouts(db, by=coop.jun)
    assert refusal(approve, db, run_id, coop.petra) == "own_workshop"
    with db.begin() as session:
        session.execute(text("UPDATE role_grant SET ended_at = now()"))
    approve(db, run_id, coop.petra)


def test_steps_are_neither_skipped_nor_repeated(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = payouts.request_payouts(db, through=PICKUP.date(), by=coop.jun, at=PICKUP)
    assert refusal(approve, db, run_id, coop.petra) == "not_computed"
    assert refusal(make_file, db, run_id) == "not_approved"
    rounds.work_off(db, jobs.COMPUTE_PAYOUTS, run_id, lambda d, lease: payouts.carry_out(d, lease, at=PICKUP))
    assert refusal(make_file, db, run_id) == "not_approved"
    approve(db, run_id, coop.petra)
    make_file(db, run_id)
    assert refusal(approve, db, run_id, coop.ana) == "too_late"
    assert refusal(payouts.cancel, db, run_id, by=coop.jun, reason="too late") == "too_late"


def test_the_file_is_made_once_and_stays_the_same(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = compute_payouts(db, by=coop.jun)
    approve(db, run_id, coop.petra)
    first = make_file(db, run_id)
    assert transfers.make_file(db, run_id, by=0, at=PICKUP + timedelta(days=3), field_key=FIELD_KEY) == first
    with db() as session:
        file = session.get_one(BankFile, run_id)
        assert hashlib.sha256(file.bytes).hexdigest() == file.sha256 == first
        assert b'<InstdAmt Ccy="EUR">67.50</InstdAmt>' in file.bytes
        assert demo_iban("GB", 2).encode() in file.bytes
        assert session.scalar(text("SELECT count(*) FROM entry WHERE kind = 'payout'")) == 1


def test_no_file_without_the_coops_own_account(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = compute_payouts(db, by=coop.jun)
    approve(db, run_id, coop.petra)
    with db.begin() as session:
        policy.settle(session, "coop_iban", "", by=0, effective_from=PICKUP)
    assert refusal(make_file, db, run_id) == "no_bank_account"


def test_a_run_that_the_bank_account_does_not_cover_is_not_approved(db):
    from coop.core.ledger import BANK, BANK_FEES, Entry, Posting
    from coop.ledger import service as ledger

    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run_id = compute_payouts(db, by=coop.jun)  # pays 67.50

    def leave(minor, key):  # 1,000.00 came in for Ana and Ben
        with db.begin() as session:
            gone = Posting(BANK_FEES, "", minor), Posting(BANK, "", -minor)
            ledger.post(session, Entry(key, "bank_fee", PICKUP.date(), gone), by=0, currency="EUR")

    leave(100_000 - 6749, "a")
    assert refusal(approve, db, run_id, coop.petra) == "not_covered"
    leave(-1, "b")
    approve(db, run_id, coop.petra)


def test_the_makers_people_are_told_when_the_bank_file_is_made(db):
    coop = Coop(db)
    with db.begin() as session:
        a_role(session, a_person(session, "Mia"), "artisan", artisan_id=coop.mia)
    fetch(db, coop.anas_mugs, 3)
    sent(db, coop)
    with db() as session:
        (values,) = session.scalars(text("SELECT values FROM notice WHERE template = 'payout_sent'")).all()
        statement_id = session.scalar(select(Statement.id))
    assert values == {
        "artisan": "Mia's pottery",
        "amount_minor": 6750,
        "statement": "2026-1",
        "statement_id": statement_id,
        "through": "2026-12-01",
    }


def test_two_treasurers_who_approve_at_once_are_one_approval(fresh_db):
    coop = Coop(fresh_db)
    fetch(fresh_db, coop.anas_mugs, 3)
    run_id = compute_payouts(fresh_db, by=coop.jun)
    others = [coop.petra, coop.petra + 1000, coop.petra + 2000]
    answers = at_once(*(lambda by=by: approve(fresh_db, run_id, by) or "approved" for by in others))
    assert sorted(answers) == ["approved", "not_computed", "not_computed"]


def test_two_who_make_the_file_at_once_get_the_same(fresh_db):
    coop = Coop(fresh_db)
    fetch(fresh_db, coop.anas_mugs, 3)
    run_id = compute_payouts(fresh_db, by=coop.jun)
    approve(fresh_db, run_id, coop.petra)
    answers = at_once(*(lambda: make_file(fresh_db, run_id) for _ in range(3)))
    assert len(set(answers)) == 1
    assert sum(balances(fresh_db, PAYOUT_TRANSIT).values()) == 6750


def test_two_who_ask_at_once_start_one_run(fresh_db):
    coop = Coop(fresh_db)
    ask = {"through": PICKUP.date(), "at": PICKUP}
    answers = at_once(*(lambda by=by: payouts.request_payouts(fresh_db, by=by, **ask) for by in (1, 2, 3)))
    assert sorted(map(str, answers))[1:] == ["run_open", "run_open"]
    assert coop.jun


def test_hand_overs_that_go_on_while_a_run_is_gathered_are_on_its_statement_whole_or_not_at_all(fresh_db):
    coop = Coop(fresh_db)
    fetch(fresh_db, coop.anas_mugs, 1)
    run_id = payouts.request_payouts(fresh_db, through=PICKUP.date(), by=coop.jun, at=PICKUP)

    def keep_handing():
        for n, line in enumerate((coop.anas_mugs, coop.bens_mugs, coop.anas_mugs, coop.bens_mugs)):
            fetch(fresh_db, line, 1, key=f"meanwhile{n}")

    packer = threading.Thread(target=keep_handing)
    packer.start()
    rounds.work_off(fresh_db, jobs.COMPUTE_PAYOUTS, run_id, lambda d, lease: payouts.carry_out(d, lease, at=PICKUP))
    packer.join()
    with fresh_db() as session:
        taken = session.scalar(text("SELECT sum(amount_minor) FROM statement_line"))
        statement = session.scalars(select(Statement)).one()
        paid = session.scalar(select(Payment.amount_minor))
    assert taken == statement.earned_minor == statement.sold_minor - statement.fee_minor == paid
    assert paid % 2250 == 0


def test_another_makers_money_is_never_on_ones_statement(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    fetch(db, coop.anas_jam, 2)
    with db.begin() as session:
        policy.settle(session, "payout_minimum_minor", 0, by=0)
    compute_payouts(db, by=coop.jun)
    with db() as session:
        parties = session.execute(
            text(
                "SELECT DISTINCT s.artisan_id, a.party FROM statement s JOIN statement_line l ON l.statement_id = s.id"
                " JOIN posting p ON p.entry_id = l.entry_id AND p.n = l.n JOIN account a ON a.id = p.account_id"
            )
        ).all()
    assert {tuple(row) for row in parties} == {(one, artisan_party(one)) for one in (coop.mia, coop.orchard)}
