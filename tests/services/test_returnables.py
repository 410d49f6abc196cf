"""Jars and bottles by kind and holder: the register is the ledger, to the piece and to the cent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.books.queries import results
from coop.catalog import service as catalog
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import DEPOSITS_HELD, FORFEITED_DEPOSITS, MEMBER_CREDIT, household_party
from coop.policy import service as policy
from coop.returnables import queries
from coop.returnables import service as returnables
from tests import rounds
from tests.builders import NOW, a_household, a_pool, a_product, a_season, an_artisan, an_offering
from tests.races import at_once
from tests.rounds import PICKUP, balances, fetch


class Cellar:
    """Ana fetched 3 jams (a jar of 0.50 each) and 1 crate of cider (6 bottles of 0.20), Ben 2 jams."""

    def __init__(self, db):
        self.jar = catalog.add_container_type(db, "jar 0.5 l", deposit_minor=50, by=0, key="jar")
        self.bottle = catalog.add_container_type(db, "bottle 0.7 l", deposit_minor=20, by=0, key="bottle")
        with db.begin() as session:
            self.ana = a_household(session, "Ana", credit_minor=10_000)
            self.ben = a_household(session, "Ben", credit_minor=10_000)
            maker = an_artisan(session)
            self.pool = a_pool(session, a_season(session))
            jam = a_product(session, maker, "Damson jam", container_type_id=self.jar)
            cider = a_product(session, maker, "Cider", container_type_id=self.bottle, containers_each=6)
            self.jam = an_offering(session, self.pool, jam, price_minor=520)
            self.cider = an_offering(session, self.pool, cider, price_minor=1800)
        wishes = {self.ana: {self.jam: 3, self.cider: 1}, self.ben: {self.jam: 2}}
        lines = rounds.publish(db, self.pool, wishes, {self.jam: 5, self.cider: 1})
        for (household, offering), line in lines.items():
            fetch(db, line, wishes[household][offering])

    def out(self, db, household_id):
        with db() as session:
            return {one.name: one.pieces for one in queries.outs(session, household_id)}


def broken(db):
    with db() as session:
        return [(one.id, one.rows) for one in results(session) if not one.ok]


def refused(act, *args, **more):
    with pytest.raises(RuleBroken) as refusal:
        act(*args, **{"by": 0, "at": PICKUP, "key": "refused"} | more)
    return refusal.value


def test_what_is_handed_over_is_out_by_kind_and_deposited_to_the_cent(db):
    one = Cellar(db)
    assert one.out(db, one.ana) == {"jar 0.5 l": 3, "bottle 0.7 l": 6}
    assert one.out(db, one.ben) == {"jar 0.5 l": 2}
    held = balances(db, DEPOSITS_HELD)
    assert held == {household_party(one.ana): 3 * 50 + 6 * 20, household_party(one.ben): 2 * 50}
    assert broken(db) == []


def test_what_comes_back_is_credit_again_under_the_key_of_its_move(db):
    one = Cellar(db)
    before = balances(db, MEMBER_CREDIT)[household_party(one.ana)]
    move = returnables.bring_back(db, one.ana, {one.jar: 2, one.bottle: 1}, by=0, at=PICKUP, key="back")
    assert balances(db, MEMBER_CREDIT)[household_party(one.ana)] == before + 2 * 50 + 20
    assert one.out(db, one.ana) == {"jar 0.5 l": 1, "bottle 0.7 l": 5}
    with db() as session:
        keys = session.scalars(text("SELECT key FROM entry WHERE kind = 'returnables_back' ORDER BY id")).all()
    assert keys == [f"jar:{move}", f"jar:{move + 1}"]
    assert returnables.bring_back(db, one.ana, {one.jar: 2, one.bottle: 1}, by=0, at=PICKUP, key="back") == move
    assert one.out(db, one.ana) == {"jar 0.5 l": 1, "bottle 0.7 l": 5}
    assert broken(db) == []


@pytest.mark.parametrize(
    ("pieces", "code"),
    [(4, "deposit_exceeds_outstanding"), (-1, "deposit_exceeds_outstanding"), (0, "nothing_brought_back")],
)
def test_no_more_comes_back_than_is_out(db, pieces, code):
    one = Cellar(db)
    refusal = refused(returnables.bring_back, db, one.ana, {one.jar: pieces})
    assert refusal.code == code
    assert one.out(db, one.ana)["jar 0.5 l"] == 3
    assert refused(returnables.bring_back, db, one.ben, {one.bottle: 1}).code == "deposit_exceeds_outstanding"
    assert refused(returnables.forfeit, db, one.ben, {one.jar: 3}, reason="lost").code == "deposit_exceeds_outstanding"


def test_the_refusal_says_how_many_are_out(db):
    one = Cellar(db)
    refusal = refused(returnables.bring_back, db, one.ana, {one.jar: 4})
    assert (refusal.sentence, refusal.field) == ("jar 0.5 l: 3 out, so at most 3.", f"back-{one.jar}")


def test_a_forfeited_deposit_is_income_and_says_why(db):
    one = Cellar(db)
    assert refused(returnables.forfeit, db, one.ana, {one.jar: 1}, reason=" ").code == "reason_missing"
    returnables.forfeit(db, one.ana, {one.jar: 1}, reason="Broken at home", by=0, at=PICKUP, key="f")
    assert balances(db, FORFEITED_DEPOSITS) == {"": 50}
    assert one.out(db, one.ana)["jar 0.5 l"] == 2
    with db() as session:
        assert session.scalar(text("SELECT memo FROM entry WHERE kind = 'returnables_forfeited'")) == "Broken at home"
    assert broken(db) == []


def test_by_the_co_ops_rule_the_oldest_count_as_brought_back_first(db):
    one = Cellar(db)
    late = PICKUP + timedelta(days=91)
    assert refused(returnables.forfeit_overdue, db, at=late).code == "no_such_rule"
    with db.begin() as session:
        policy.settle(session, "returnables_kept_days", 90, by=0)
    assert refused(returnables.forfeit_overdue, db, at=PICKUP + timedelta(days=89)).code == "nothing_overdue"
    returnables.bring_back(db, one.ana, {one.jar: 1, one.bottle: 6}, by=0, at=PICKUP, key="back")
    assert returnables.forfeit_overdue(db, by=0, at=late, key="rule") == 2
    assert returnables.forfeit_overdue(db, by=0, at=late, key="rule") == 2
    assert balances(db, FORFEITED_DEPOSITS) == {"": (2 + 2) * 50}
    assert balances(db, DEPOSITS_HELD) == {}
    assert broken(db) == []


def test_a_move_noted_wrongly_is_undone_once_by_its_mirror(db):
    one = Cellar(db)
    move = returnables.bring_back(db, one.ana, {one.jar: 2}, by=0, at=PICKUP, key="back")
    assert refused(returnables.undo_move, db, move, reason="").code == "reason_missing"
    undone = returnables.undo_move(db, move, reason="Only one", by=0, at=PICKUP, key="undo")
    assert one.out(db, one.ana)["jar 0.5 l"] == 3
    for again in (move, undone):
        assert refused(returnables.undo_move, db, again, reason="again").code == "already_reversed"
    with pytest.raises(NotFound):
        returnables.undo_move(db, 999_999, reason="x", by=0, at=PICKUP, key="never")
    assert broken(db) == []


def test_a_count_keeps_beside_it_what_should_have_stood_there(db):
    one = Cellar(db)
    returnables.count_at_coop(db, {one.jar: 10}, note="", by=0, at=NOW, key="first")
    returnables.bring_back(db, one.ana, {one.jar: 2}, by=0, at=PICKUP, key="back")
    later = PICKUP + timedelta(days=1)
    returnables.count_at_coop(db, {one.jar: 11}, note="one broken", by=0, at=later, key="second")
    with db() as session:
        counts = session.execute(text("SELECT pieces, expected FROM container_count ORDER BY id")).all()
        assert [tuple(row) for row in counts] == [(10, 0), (11, 12)]
        assert queries.expected_at_coop(session) == {one.jar: 11, one.bottle: 0}
    assert refused(returnables.count_at_coop, db, {one.jar: -1}, note="").code == "must_be_positive"
    assert refused(returnables.count_at_coop, db, {999: 1}, note="").code == "unknown_container"


def test_an_amount_alone_is_one_container_of_that_deposit(db):
    with db.begin() as session:
        first = catalog.container_type_at(session, 100)
        assert catalog.container_type_at(session, 100) == first
        assert catalog.container_type_at(session, 150) != first


def test_two_kinds_never_have_one_name(db):
    catalog.add_container_type(db, "jar", deposit_minor=50, by=0, key="a")
    other = catalog.add_container_type(db, "bottle", deposit_minor=50, by=0, key="b")
    for act in (
        lambda: catalog.add_container_type(db, "jar", deposit_minor=60, by=0, key="c"),
        lambda: catalog.rename_container_type(db, other, "jar", by=0),
    ):
        with pytest.raises(RuleBroken) as refusal:
            act()
        assert refusal.value.code == "name_taken"
    catalog.rename_container_type(db, other, "bottle 0.7 l", by=0)


def test_of_two_packers_who_take_the_same_jars_back_at_once_one_is_told(fresh_db):
    one = Cellar(fresh_db)
    acts = (
        lambda n=n: returnables.bring_back(fresh_db, one.ana, {one.jar: 3}, by=0, at=PICKUP, key=f"p{n}")
        for n in range(4)
    )
    answers = sorted(map(str, at_once(*acts)))
    assert answers[1:] == ["deposit_exceeds_outstanding"] * 3
    assert balances(fresh_db, DEPOSITS_HELD)[household_party(one.ana)] == 6 * 20
