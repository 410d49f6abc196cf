"""What is handed over is earned there: to the cent, piece by piece or at once, and never twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.catalog import service as catalog
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import (
    COST_OF_GOODS,
    DEPOSITS_HELD,
    FEE_INCOME,
    MEMBER_CREDIT,
    ORDER_HOLD,
    OWED_TO_MAKER,
    SALES_INCOME,
    TAX_PAYABLE,
    artisan_party,
    household_party,
)
from coop.fees import service as fees
from coop.pickups import service as pickups
from tests import rounds
from tests.builders import (
    NOW,
    a_household,
    a_person,
    a_pickup_point,
    a_pool,
    a_product,
    a_season,
    an_artisan,
    an_offering,
)
from tests.races import at_once
from tests.rounds import PICKUP, balances, fetch


class Round:
    """Mia's mugs at 25.00 in one pool: Ana asks for 3, Ben for 2."""

    def __init__(self, db, *, made=5, price=2500, deposit=0, fee_bp=1500, fee_tax_bp=1900, **product):
        with db.begin() as session:
            self.ana = a_household(session, "Ana", credit_minor=10_000)
            self.ben = a_household(session, "Ben", credit_minor=10_000)
            self.jo = a_person(session, "Jo")
            self.mia = catalog.add_artisan(session, "Mia's pottery")
            fees.agree_terms(
                session, self.mia, effective_from=NOW - timedelta(days=9), fee_bp=fee_bp, fee_tax_bp=fee_tax_bp
            )
            mug = a_product(session, self.mia, "Salt-glaze mug", **product)
            self.pool = a_pool(session, a_season(session))
            self.mugs = an_offering(session, self.pool, mug, price_minor=price, deposit_minor=deposit)
        lines = rounds.publish(db, self.pool, {self.ana: {self.mugs: 3}, self.ben: {self.mugs: 2}}, {self.mugs: made})
        self.anas, self.bens = lines[self.ana, self.mugs], lines[self.ben, self.mugs]


def refused(db, line_id, pieces, **more):
    with pytest.raises(RuleBroken) as refusal:
        fetch(db, line_id, pieces, key="refused", **more)
    return refusal.value


def test_the_worked_example_comes_out_to_the_cent(db):
    # 15 % of 7500 is 1125, of which 19 % tax inside: 1125 * 19 / 119 = 179.62 -> 180; of 2500: 375 and 59.87 -> 60
    one = Round(db)
    fetch(db, one.anas, 3)
    fetch(db, one.bens, 1)  # his second stays on the table
    assert balances(db, OWED_TO_MAKER) == {artisan_party(one.mia): 6375 + 2125}
    assert balances(db, FEE_INCOME) == {"": 945 + 315}
    assert balances(db, TAX_PAYABLE) == {"": 180 + 60}
    assert balances(db, ORDER_HOLD) == {household_party(one.ben): 2500}
    assert balances(db, MEMBER_CREDIT) == {household_party(one.ana): 2500, household_party(one.ben): 5000}


def test_what_a_short_batch_did_not_give_is_credit_again_and_cannot_be_fetched(db):
    one = Round(db, made=4)  # two each: Ana is one short
    assert balances(db, MEMBER_CREDIT)[household_party(one.ana)] == 10_000 - 2 * 2500
    assert refused(db, one.anas, 3).code == "exceeds_allocation"
    fetch(db, one.anas, 2)
    assert balances(db, ORDER_HOLD) == {household_party(one.ben): 5000}


@pytest.mark.parametrize("parts", [(3,), (2, 1), (1, 2), (1, 1, 1)])
def test_pieces_fetched_one_by_one_end_at_the_same_cent(db, parts):
    # at 0.35 with 10 %: fee of one is 3.5 -> 4, of two 7, of three 10.5 -> 11; one by one that is 4 + 3 + 4
    one = Round(db, price=35, fee_bp=1000, fee_tax_bp=0)
    for n, pieces in enumerate(parts):
        fetch(db, one.anas, pieces, key=f"part{n}")
    assert balances(db, FEE_INCOME) == {"": 11}
    assert balances(db, OWED_TO_MAKER) == {artisan_party(one.mia): 3 * 35 - 11}
    with db() as session:
        fees = session.scalars(text("SELECT fee_minor FROM hand_over_line ORDER BY hand_over_id")).all()
        assert fees == {(3,): [11], (2, 1): [7, 4], (1, 2): [4, 7], (1, 1, 1): [4, 3, 4]}[parts]


def test_a_deposit_becomes_one_held_and_bears_no_fee(db):
    # 3 mugs at 25.00 and 1.00 deposit: 7800 leaves the hold, 300 is held for Ana, the fee is on 7500 alone
    one = Round(db, deposit=100)
    fetch(db, one.anas, 3)
    assert balances(db, DEPOSITS_HELD) == {household_party(one.ana): 300}
    assert balances(db, OWED_TO_MAKER) == {artisan_party(one.mia): 6375}
    assert balances(db, ORDER_HOLD) == {household_party(one.ben): 5200}


def test_what_is_free_is_handed_over_without_an_entry(db):
    one = Round(db, price=0)
    hand_over_id = fetch(db, one.anas, 3)
    with db() as session:
        assert session.scalar(text("SELECT entry_id FROM hand_over WHERE id = :id"), {"id": hand_over_id}) is None
    assert refused(db, one.anas, 1).code == "exceeds_allocation"


def test_no_more_than_awarded_is_handed_over_and_the_refusal_says_when_and_by_whom(db):
    one = Round(db)
    assert refused(db, one.anas, 4).sentence == "Salt-glaze mug: 3 awarded, none yet, so at most 3 now."
    fetch(db, one.anas, 2, by=one.jo, at=PICKUP.replace(hour=17, minute=4))
    later = refused(db, one.anas, 2)
    assert (later.code, later.field) == ("exceeds_allocation", f"pieces-{one.anas}")
    assert later.sentence == (
        "Salt-glaze mug: 3 awarded, 2 handed over already (1 December at 17:04, by Jo), so at most 1 now."
    )
    fetch(db, one.anas, 1)
    assert refused(db, one.anas, 1).sentence.endswith("so nothing is left.")


@pytest.mark.parametrize(("pieces", "code"), [(-1, "exceeds_allocation"), (0, "nothing_handed_over")])
def test_less_than_a_piece_is_no_hand_over(db, pieces, code):
    assert refused(db, Round(db).anas, pieces).code == code


def test_a_line_of_another_order_is_not_handed_over_with_this_one(db):
    one = Round(db)
    with pytest.raises(RuleBroken) as refusal:
        pickups.hand_over(db, rounds.order_of(db, one.anas), {one.bens: 1}, by=0, at=PICKUP, key="k")
    assert refusal.value.code == "exceeds_allocation"
    assert balances(db, OWED_TO_MAKER) == {}


def test_a_form_sent_twice_hands_over_once(db):
    one = Round(db)
    assert fetch(db, one.anas, 1, key="same") == fetch(db, one.anas, 1, key="same")
    with pytest.raises(RuleBroken) as refusal:
        fetch(db, one.anas, 2, key="same")
    assert refusal.value.code == "key_reused"
    with db() as session:
        assert session.scalar(text("SELECT sum(pieces) FROM hand_over_line")) == 1


def test_gin_is_handed_over_only_where_somebody_says_to_have_checked_the_age(db):
    one = Round(db, min_age=18)
    refusal = refused(db, one.anas, 1)
    assert (refusal.code, refusal.field) == ("age_check", "age_checked")
    assert "18 or over: Salt-glaze mug" in refusal.sentence
    hand_over_id = fetch(db, one.anas, 1, age_checked=True)
    with db() as session:
        checked = "SELECT age_checked_minimum FROM hand_over WHERE id = :id"
        assert session.scalar(text(checked), {"id": hand_over_id}) == 18


def test_an_age_said_to_be_checked_where_none_is_asked_is_not_kept(db):
    hand_over_id = fetch(db, Round(db).anas, 1, age_checked=True)
    with db() as session:
        checked = "SELECT age_checked_minimum FROM hand_over WHERE id = :id"
        assert session.scalar(text(checked), {"id": hand_over_id}) is None


def test_nothing_is_handed_over_before_it_is_published(db):
    with db.begin() as session:
        ana, pool = a_household(session, credit_minor=5000), a_pool(session, a_season(session))
        jam = an_offering(session, pool)
    rounds.order(db, pool, {ana: {jam: 2}})
    line = rounds.lines_of(db, pool)[ana, jam]
    assert refused(db, line, 1).code == "exceeds_allocation"


def test_an_order_that_never_was_is_unknown(db):
    with pytest.raises(NotFound):
        pickups.hand_over(db, 999_999, {1: 1}, by=0, at=PICKUP, key="k")


def test_a_whole_pool_is_handed_over_once_with_what_still_waits(db):
    one = Round(db)
    fetch(db, one.anas, 2)
    assert pickups.hand_over_pool(db, one.pool, by=0, at=PICKUP) == (2, 3)
    assert pickups.hand_over_pool(db, one.pool, by=0, at=PICKUP) == (0, 0)
    assert balances(db, OWED_TO_MAKER) == {artisan_party(one.mia): 12_500 - 1875}


def test_of_two_packers_who_tick_the_same_line_at_once_one_is_told(fresh_db):
    one = Round(fresh_db)
    answers = at_once(*(lambda n=n: fetch(fresh_db, one.anas, 3, key=f"packer{n}") for n in range(4)))
    assert sorted(map(str, answers))[1:] == ["exceeds_allocation"] * 3
    assert balances(fresh_db, OWED_TO_MAKER) == {artisan_party(one.mia): 6375}


def test_a_packer_and_the_whole_pool_at_once_hand_over_each_piece_once(fresh_db):
    one = Round(fresh_db)
    answers = at_once(
        lambda: fetch(fresh_db, one.anas, 2),
        lambda: pickups.hand_over_pool(fresh_db, one.pool, by=0, at=PICKUP),
        lambda: fetch(fresh_db, one.bens, 2),
    )
    handed = 5 - answers[1][1]
    assert handed == sum(
        pieces for pieces, answer in ((2, answers[0]), (2, answers[2])) if answer != "exceeds_allocation"
    )
    with fresh_db() as session:
        assert session.scalar(text("SELECT sum(pieces) FROM hand_over_line")) == 5
    assert balances(fresh_db, ORDER_HOLD) == {}


def test_a_household_chooses_its_pickup_point_among_those_open(db):
    with db.begin() as session:
        ana, mill, yard = a_household(session), a_pickup_point(session), a_pickup_point(session, "Old Yard")
        session.execute(text("UPDATE pickup_point SET ended_at = now() WHERE id = :id"), {"id": yard})
    pickups.choose_point(db, ana, mill, by=1)
    for closed in (yard, 999_999):
        with pytest.raises(RuleBroken) as refusal:
            pickups.choose_point(db, ana, closed, by=1)
        assert refusal.value.code == "unknown_point"


def test_what_is_fetched_late_is_booked_on_the_day_it_is_fetched(db):
    one = Round(db)
    late = PICKUP + timedelta(days=40)
    with db.begin() as session:
        session.execute(
            text("UPDATE period SET closed_at = now(), closed_by = 1 WHERE starts <= :day"), {"day": PICKUP}
        )
    fetch(db, one.anas, 3, at=late)
    assert booked_on(db) == [late.date()]


def test_a_season_brought_in_from_files_is_booked_in_its_own_time(db):
    one = Round(db)
    with db.begin() as session:
        session.execute(text("UPDATE season SET files_digest = 'of the files'"))
    fetch(db, one.anas, 3, at=PICKUP + timedelta(days=4000))
    assert booked_on(db) == [PICKUP.date()]


def test_in_resale_the_maker_earns_what_the_co_op_agreed_to_pay_for_a_piece(db):
    # 3 at 23.80 are 71.40, 19 % tax in it 11.40, so sales are 60.00; the maker gets 12.00 for each
    with db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=10_000)
        mia = catalog.add_artisan(session, "Mia's pottery")
        fees.agree_terms(session, mia, effective_from=NOW - timedelta(days=9), model="resale", fee_bp=0, price_tax_bp=1900)  # fmt: skip
        pool, mug = a_pool(session, a_season(session)), a_product(session, mia, "Salt-glaze mug")
        with pytest.raises(RuleBroken) as refusal, session.begin_nested():
            an_offering(session, pool, mug, price_minor=2380)
        assert (refusal.value.code, refusal.value.field) == ("no_cost", "cost")
        mugs = an_offering(session, pool, mug, price_minor=2380, cost_minor=1200)
    lines = rounds.publish(db, pool, {ana: {mugs: 3}}, {mugs: 3})
    fetch(db, lines[ana, mugs], 1)
    fetch(db, lines[ana, mugs], 2)
    assert balances(db, OWED_TO_MAKER) == {artisan_party(mia): 3600}
    assert balances(db, SALES_INCOME) == {"": 6000}
    assert balances(db, TAX_PAYABLE) == {"": 1140}
    assert balances(db, COST_OF_GOODS) == {"": -3600}
    assert balances(db, FEE_INCOME) == {}


def test_an_agents_piece_has_no_cost(db):
    with db.begin() as session:
        mug = a_product(session, an_artisan(session, "Mia's pottery"), "Salt-glaze mug")
        with pytest.raises(RuleBroken, match=r"cost_of_agent: This maker gets the price less the fee"):
            an_offering(session, a_pool(session, a_season(session)), mug, price_minor=2380, cost_minor=1200)


def booked_on(db):
    with db() as session:
        return list(session.scalars(text("SELECT business_date FROM entry WHERE kind = 'pickup'")))
