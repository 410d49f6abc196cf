"""Alternatives in an order: what is held, what is refused, how it is shared out, and that books and proof hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop.allocation.models import AllocationRun
from coop.allocation.queries import proof_of_run
from coop.awards.queries import awards_page
from coop.books import queries as books
from coop.choices import service as choices
from coop.core.claims import TOGETHER_RULE
from coop.core.errors import NotFound, RuleBroken
from coop.core.proof import verify_lines
from coop.corrections import service as corrections
from coop.orders.models import HouseholdOrder, OrderLine
from coop.orders.service import place_order
from coop.overrides import service as overrides
from coop.pools import service as pools
from coop.proofs.queries import names_of, verify_page
from coop.reasons.queries import why_page
from coop.sharing.queries import preview_page
from coop.wishes.service import Wish
from tests import rounds
from tests.builders import FIELD_KEY, NOW, TODAY, a_household, a_pool, a_product, a_season, an_artisan, an_offering

GIN, JAM, MUG = 3400, 520, 1800


class Town:
    """Ana and Ben with credit; gin, jam and honey are shared out together, the mug by the season's standing."""

    def __init__(self, db, *, credit=20_000):
        self.db = db
        self.n = 0
        with db.begin() as session:
            self.ana, self.ben = (a_household(session, name, credit_minor=credit) for name in ("Ana", "Ben"))
            season = a_season(session)
            maker = an_artisan(session)
            self.pool = a_pool(session, season, "November")
            offered = {
                "gin": (GIN, TOGETHER_RULE),
                "jam": (JAM, TOGETHER_RULE),
                "honey": (900, TOGETHER_RULE),
                "mug": (MUG, None),
            }
            for name, (price, rule) in offered.items():
                product = a_product(session, maker, name.capitalize(), family="all")
                setattr(self, name, an_offering(session, self.pool, product, price_minor=price, rule=rule))
        pools.open_pool(db, self.pool, by=0, at=NOW - timedelta(hours=1))
        self.prices = {self.gin: GIN, self.jam: JAM, self.honey: 900, self.mug: MUG}

    def key(self):
        self.n += 1
        return f"key-{self.n}"

    def order(self, household, wishes, **more):
        lines = [Wish(n, pieces, pieces, self.prices[n]) for n, pieces in wishes.items()]
        return place_order(self.db, self.pool, lines, household_id=household, by=1, at=NOW, key=self.key(), keep_others=True, **more)  # fmt: skip

    def choose(self, household, offering, *instead):
        return choices.choose(
            self.db, self.pool, offering, instead, household_id=household, by=1, at=NOW, key=self.key()
        )

    def lines(self, household):
        with self.db() as session:
            rows = session.execute(
                select(OrderLine.offering_id, OrderLine.wish, OrderLine.choice, OrderLine.rank, OrderLine.held_minor)
                .join(HouseholdOrder)
                .where(HouseholdOrder.household_id == household, OrderLine.up_to > 0)
            )
            return {offering: tuple(rest) for offering, *rest in rows}

    def held(self, household):
        with self.db() as session:
            sums = text(
                "SELECT -coalesce(sum(p.amount), 0) FROM account a JOIN posting p ON p.account_id = a.id"
                " WHERE a.code = 2020 AND a.party = :party"
            )
            return int(session.scalar(sums, {"party": f"household:{household}"}))

    def share_out(self, **made):
        rounds.share_out(self.db, self.pool, {getattr(self, name): pieces for name, pieces in made.items()})

    def awards(self, household):
        with self.db() as session:
            rows = session.execute(
                text(
                    "SELECT a.offering_id, a.pieces FROM award a JOIN allocation_run u ON u.id = a.run_id AND u.state = 'published'"
                    " JOIN order_line l ON l.id = a.line_id JOIN household_order o ON o.id = l.order_id"
                    " WHERE o.household_id = :household"
                ),
                {"household": household},
            )
            return {offering: pieces for offering, pieces in rows if pieces}


@pytest.fixture
def town(db):
    return Town(db)


def refusal(call):
    with pytest.raises(RuleBroken) as refused:
        call()
    return refused.value.code


def test_a_choice_holds_its_dearest_outcome_and_no_more(town):
    town.order(town.ana, {town.jam: 2})
    assert town.held(town.ana) == 2 * JAM
    town.choose(town.ana, town.jam, town.gin, town.honey)
    assert town.lines(town.ana) == {
        town.jam: (2, 1, 1, 0),
        town.gin: (2, 1, 2, 2 * GIN),
        town.honey: (2, 1, 3, 0),
    }
    assert town.held(town.ana) == 2 * GIN
    town.choose(town.ana, town.jam, town.honey)
    assert town.held(town.ana) == 2 * 900
    town.choose(town.ana, town.jam)
    assert town.lines(town.ana) == {town.jam: (2, None, None, None)}
    assert town.held(town.ana) == 2 * JAM


def test_a_choice_that_the_credit_does_not_reach_for_is_refused_whole(db):
    town = Town(db, credit=3000)
    town.order(town.ana, {town.jam: 1})
    assert refusal(lambda: town.choose(town.ana, town.jam, town.gin)) == "insufficient_credit"
    assert town.lines(town.ana) == {town.jam: (1, None, None, None)}
    assert town.held(town.ana) == JAM


def test_what_is_shared_out_together_is_not_changed_one_by_one(town):
    town.order(town.ana, {town.jam: 1, town.mug: 1})
    run = rounds.propose(town.db, town.pool, {town.gin: 0, town.jam: 2, town.honey: 0, town.mug: 2})
    lines = rounds.lines_of(town.db, town.pool)
    said = {"reason": "broken", "by": 9001, "at": NOW, "field_key": FIELD_KEY}
    jam, mug = (lines[town.ana, offering] for offering in (town.jam, town.mug))
    assert refusal(lambda: overrides.override(town.db, run, jam, pieces=0, **said)) == "stands_together"
    assert overrides.override(town.db, run, mug, pieces=0, **said)


def test_taking_back_one_of_two_alternatives_leaves_a_wish_like_any_other(town):
    town.order(town.ana, {town.jam: 1})
    town.choose(town.ana, town.jam, town.gin)
    town.order(town.ana, {town.jam: 0})
    assert town.lines(town.ana) == {town.gin: (1, None, None, None)}
    assert town.held(town.ana) == GIN


def test_what_makes_no_choice_is_refused_and_nothing_is_stored(town):
    town.order(town.ana, {town.jam: 1, town.honey: 1, town.mug: 1})
    town.order(town.ben, {town.gin: 1})
    before = town.lines(town.ana)
    assert refusal(lambda: town.choose(town.ana, town.jam, town.gin, town.gin)) == "same_line_twice"
    assert refusal(lambda: town.choose(town.ana, town.jam, town.jam)) == "same_line_twice"
    assert refusal(lambda: town.choose(town.ana, town.jam, town.mug)) == "not_together"
    assert refusal(lambda: town.choose(town.ana, town.mug, town.gin)) == "not_together"
    assert refusal(lambda: town.choose(town.ana, town.jam, town.honey)) == "already_wished"
    for wrong in (lambda: town.choose(town.ana, town.jam, 999_999), lambda: town.choose(town.ana, town.gin, town.jam)):
        with pytest.raises(NotFound):
            wrong()
    assert town.lines(town.ana) == before


@pytest.mark.parametrize(
    ("jam", "gin"),
    [
        ({"rank": 1}, {"rank": 1}),
        ({"rank": 0}, {"rank": 1}),
        ({"rank": 1, "wish": 2, "up_to": 2}, {"rank": 2}),
        ({"rank": 1, "up_to": 3}, {"rank": 2, "up_to": 3}),
    ],
)
def test_ranks_and_numbers_that_make_no_choice_are_refused(town, jam, gin):
    def line(offering, price, said):
        return Wish(**{"offering_id": offering, "wish": 1, "up_to": 1, "shown_unit_minor": price, "choice": 1} | said)

    lines = [line(town.jam, JAM, jam), line(town.gin, GIN, gin)]
    assert refusal(lambda: place_order(town.db, town.pool, lines, household_id=town.ana, by=1, at=NOW, key="x")) == "bad_choice"  # fmt: skip
    assert town.lines(town.ana) == {}


def test_an_alternative_cannot_be_ordered_beside_its_choice(town):
    town.order(town.ana, {town.jam: 1})
    town.choose(town.ana, town.jam, town.gin)
    assert refusal(lambda: town.order(town.ana, {town.gin: 2})) == "in_a_choice"


@pytest.fixture
def shared(town):
    """One gin: Ben would take nothing else; Ana would take jam."""
    town.order(town.ana, {town.gin: 1, town.mug: 1})
    town.choose(town.ana, town.gin, town.jam)
    town.order(town.ben, {town.gin: 1, town.mug: 1, town.honey: 2})
    town.share_out(gin=1, jam=5, honey=9, mug=1)
    return town


def run_of(session, town):
    return session.scalars(select(AllocationRun).where(AllocationRun.pool_id == town.pool)).one()


def test_the_scarce_piece_goes_where_nothing_can_stand_in_for_it(shared):
    mine = [shared.awards(shared.ana), shared.awards(shared.ben)]
    mugs = [own.pop(shared.mug, 0) for own in mine]
    assert sum(mugs) == 1
    assert mine == [{shared.jam: 1}, {shared.gin: 1, shared.honey: 2}]
    assert shared.held(shared.ana) == JAM + mugs[0] * MUG
    assert shared.held(shared.ben) == GIN + 2 * 900 + mugs[1] * MUG


def test_books_proof_and_standing_hold(shared):
    with shared.db() as session:
        assert [rule for rule in books.results(session) if not rule.ok and rule.id not in {"I15", "I19"}] == []
        run = run_of(session, shared)
        lines = proof_of_run(session, run.id, FIELD_KEY).splitlines(keepends=True)
        assert len(lines) == 1 + 1 + 2
        verdict = verify_lines(lines)
        assert (verdict["ok"], verdict["result_digest"]) == (True, run.result_digest)
        assert dict(session.execute(text("SELECT family, sum(owed_micro) FROM standing GROUP BY 1")).all()) == {
            "all": 0
        }
        rows = verify_page(session, shared.pool, shared.ana, "", number=1, field_key=FIELD_KEY).rows.rows
        named = {row.name for row in rows if row.is_own}
        assert named == {name for _, name in names_of(session, shared.pool, shared.ana, field_key=FIELD_KEY)}
        sought = verify_page(session, shared.pool, None, min(named), number=1, field_key=FIELD_KEY).rows.rows
        assert {row.name for row in sought} == {min(named)}


def test_the_household_reads_which_it_got_and_why(shared):
    with shared.db() as session:
        page = awards_page(session, shared.pool, shared.ana, number=1, field_key=FIELD_KEY)
        told = {line.product: line for line in page.lines}
        assert told["Jam"].sentence.endswith("; your second choice, Jam, was free.")
        assert told["Jam"].sentence.startswith("Gin was gone at your turn, number ")
        assert told["Gin"].sentence == "Gin was gone at your turns; you received 1 Jam instead."
        assert (page.wished, page.received + page.short) == (2, 2)
        assert page.to_pay_minor == shared.held(shared.ana)
        assert page.returned_minor == GIN + MUG - page.to_pay_minor
        why = why_page(session, told["Jam"].id, field_key=FIELD_KEY)
        assert (why.agrees, why.together) == (True, [told["Jam"].sentence])


def test_a_corrected_yield_of_such_a_batch_is_refused_with_a_sentence(shared):
    assert refusal(lambda: corrections.request_correction(shared.db, shared.gin, by=1, at=NOW)) == "shared_out_together"


def test_the_preview_and_the_rules_beside_it_share_out_together_too(town):
    town.order(town.ana, {town.gin: 1})
    town.choose(town.ana, town.gin, town.jam)
    town.order(town.ben, {town.gin: 1})
    with town.db() as session:
        page = preview_page(session, town.pool, "", number=1, at=NOW, today=TODAY, field_key=FIELD_KEY)
    assert {row.product: row.awarded for row in page.batches.rows}["Gin"] == 2
    assert {card.figures.pieces for card in page.cards} == {2}
