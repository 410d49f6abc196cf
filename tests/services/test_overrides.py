"""Awards changed by hand: one person says why, a second one approves, and books, standing, proof and words then hold."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from coop.allocation import service as allocation
from coop.allocation.models import AllocationRun, AwardOverride
from coop.asking import service as asking
from coop.awards.queries import sentences
from coop.core.errors import RuleBroken
from coop.overrides import service as overrides
from coop.publishing import service as publishing
from coop.reasons.queries import why_page
from coop.standings.queries import largest_balances
from tests import rounds
from tests.builders import FIELD_KEY, a_person
from tests.services.test_corrections import LATER, Town

HELEN, IMRAN = 9001, 9002
"""Two admins of no household; the second one approves what the first one changes."""


class Proposed(Town):
    """Ana and Ben wish for 3 jars each; 4 were made, so the rule gives 2 each; it is worked out, not published."""

    def __init__(self, db, *, made=4, wishes=3, **terms):
        super().__init__(db, **terms)
        self.pool, self.jam_offered, asked = self.plan({self.ana: wishes, self.ben: wishes})
        rounds.order(db, self.pool, asked)
        self.run = rounds.propose(db, self.pool, {self.jam_offered: made})
        lines = rounds.lines_of(db, self.pool)
        self.anas, self.bens = lines[self.ana, self.jam_offered], lines[self.ben, self.jam_offered]

    def change(self, line, pieces, *, by=HELEN, reason="two jars broke in the van"):
        return overrides.override(
            self.db, self.run, line, pieces=pieces, reason=reason, by=by, at=LATER, field_key=FIELD_KEY
        )

    def approve(self, made, *, by=IMRAN):
        overrides.approve(self.db, made, by=by, at=LATER, field_key=FIELD_KEY)

    def sentence(self, household, line):
        with self.db() as session:
            asked = [(self.jam_offered, line)]
            return sentences(session, self.run, self.pool, household, asked, field_key=FIELD_KEY)[line]


@pytest.mark.parametrize(
    "terms", [{}, {"memory": "season", "credit_cap": 1}, {"rule": "cea/webster@1", "memory": "none"}]
)
def test_a_piece_moved_by_hand_is_held_published_owed_proved_and_told(db, terms):
    town = Proposed(db, **terms)
    less, more = town.change(town.anas, 1), town.change(town.bens, 3)
    town.approve(less)
    town.approve(more)
    rounds.book(db, town.run)
    with db() as session:
        assert not any(reach.is_promised for reach in largest_balances(session))
    assert town.awards(town.jam_offered) == {town.ana: 1, town.ben: 3}
    assert town.held() == {town.ana: 120, town.ben: 360}
    if terms.get("memory") != "none":
        assert town.owed() == {town.ana: 1_000_000, town.ben: -1_000_000}
    assert "Changed by the co-op from 2 to 1: two jars broke in the van." in town.sentence(town.ana, town.anas)
    town.hold()
    with db() as session:
        page = why_page(session, town.anas, field_key=FIELD_KEY)
    assert (page.agrees, page.pieces, page.aftermath.computed) == (True, 1, 2)


def test_a_piece_kept_back_by_hand_lowers_what_all_were_entitled_to(db):
    town = Proposed(db)
    town.approve(town.change(town.anas, 1))
    rounds.book(db, town.run)
    # three jars went to wishes, so each was entitled to one and a half
    assert town.owed() == {town.ana: 500_000, town.ben: -500_000}
    assert town.sentence(town.ben, town.bens).endswith(
        "The co-op changed what others received of this batch, so you are 0.50 ahead now."
    )
    town.hold()


def test_what_was_changed_by_hand_is_repaid_in_the_next_short_batch(db):
    town = Proposed(db)
    town.approve(town.change(town.anas, 1))
    town.approve(town.change(town.bens, 3))
    rounds.book(db, town.run)
    second, _ = town.share_out({town.ana: 3, town.ben: 3}, 4, n=2)
    assert town.awards(second) == {town.ana: 3, town.ben: 1}
    assert set(town.owed().values()) == {0}
    town.hold()


def test_a_corrected_yield_shares_out_by_the_rule_again(db):
    town = Proposed(db)
    town.approve(town.change(town.anas, 1))
    rounds.book(db, town.run)
    town.correct(town.jam_offered, 6)
    assert town.awards(town.jam_offered) == {town.ana: 3, town.ben: 3}
    assert set(town.owed().values()) == {0}
    town.hold()
    with db() as session:
        page = why_page(session, town.anas, field_key=FIELD_KEY)
    assert (page.agrees, page.pieces, page.aftermath.is_by_hand, page.is_corrected) == (True, 3, False, True)


def test_a_second_person_approves_and_until_then_nothing_is_published(db):
    town = Proposed(db)
    made = town.change(town.anas, 1)
    with pytest.raises(RuleBroken, match="override_waits"):
        publishing.publish(db, town.run, by=HELEN, at=LATER)
    with pytest.raises(RuleBroken, match="second_person"):
        town.approve(made, by=HELEN)
    with pytest.raises(RuleBroken, match="override_waits"):
        town.change(town.anas, 0)
    town.approve(made)
    with pytest.raises(RuleBroken, match="not_waiting"):
        town.approve(made)
    with db() as session:
        run = session.get_one(AllocationRun, town.run)
        assert (run.overrides_waiting, run.figures["pieces"], run.figures["lowest_fill"]) == (0, 3, "0.3333")
        acts = session.execute(text("SELECT act FROM audit_record WHERE act LIKE '%override%' ORDER BY id")).scalars()
        assert list(acts) == ["override_award", "approve_override"]


def test_a_change_refused_or_taken_back_leaves_what_the_rule_gave(db):
    town = Proposed(db)
    overrides.refuse(db, town.change(town.anas, 1), by=IMRAN, at=LATER)
    overrides.refuse(db, town.change(town.anas, 0), by=HELEN, at=LATER)
    rounds.book(db, town.run)
    assert set(town.awards(town.jam_offered).values()) == {2}
    town.hold()


def test_a_line_changed_back_by_hand_leaves_no_trace_in_the_proof(db):
    town = Proposed(db)
    with db() as session:
        before = session.get_one(AllocationRun, town.run).result_digest
    town.approve(town.change(town.anas, 1))
    town.approve(town.change(town.anas, 2, reason="it was found"))
    with db() as session:
        assert session.get_one(AllocationRun, town.run).result_digest == before
    rounds.book(db, town.run)
    assert set(town.owed().values()) <= {0}
    town.hold()


@pytest.mark.parametrize(("pieces", "code"), [(4, "out_of_range"), (-1, "out_of_range"), (3, "over_allocated"), (2, "nothing_changed")])  # fmt: skip
def test_a_change_beyond_its_bounds_is_refused_and_nothing_is_stored(db, pieces, code):
    town = Proposed(db)
    with pytest.raises(RuleBroken, match=code):
        town.change(town.anas, pieces)
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM award_override")) == 0


def test_pieces_are_freed_before_they_are_given_again(db):
    town = Proposed(db)
    less, more = town.change(town.anas, 1), town.change(town.bens, 3)
    with pytest.raises(RuleBroken, match="over_allocated"):
        town.approve(more)
    overrides.refuse(db, less, by=IMRAN, at=LATER)
    with pytest.raises(RuleBroken, match="over_allocated"):
        town.approve(more)
    with db() as session:
        assert session.get_one(AwardOverride, more).state == "waiting"


def test_nobody_changes_or_approves_a_line_of_the_own_household(db):
    town = Proposed(db)
    with db.begin() as session:
        admin = a_person(session, "Mira", household_id=town.ana)
    with pytest.raises(RuleBroken, match="own_line"):
        town.change(town.anas, 1, by=admin)
    with pytest.raises(RuleBroken, match="own_line"):
        town.approve(town.change(town.anas, 1), by=admin)
    town.approve(town.change(town.bens, 1, by=admin))


def test_a_run_put_aside_takes_its_changes_along(db):
    town = Proposed(db)
    made = town.change(town.anas, 1)
    allocation.cancel_run(db, town.run, by=HELEN, reason="counted wrong")
    with pytest.raises(RuleBroken, match="not_proposed"):
        town.approve(made)
    again = asking.request_run(db, town.pool, by=0, at=LATER)
    with db() as session:
        assert session.get_one(AllocationRun, again).overrides_waiting == 0


def test_a_reason_is_needed(db):
    town = Proposed(db)
    with pytest.raises(RuleBroken, match="reason_missing"):
        town.change(town.anas, 1, reason=" ")
