"""After the pickup: pieces found bad are credited, a hand-over is taken back, a fee changes; each with a reason, each once."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from coop.pickups.models import CreditNote, FeeChange, HandOver
from tests import rounds
from tests.builders import a_household, a_pool, a_product, a_season, an_artisan, an_offering


@pytest.fixture
def fetched(db):
    """Ana fetched two of two mugs at 10.00 from Mia, who gets 90 %."""
    with db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=5000)
        mia = an_artisan(session, "Mia's mugs")
        pool = a_pool(session, a_season(session))
        mugs = an_offering(session, pool, a_product(session, mia, "Mug"), price_minor=1000)
    line = rounds.publish(db, pool, {ana: {mugs: 2}}, {mugs: 2})[ana, mugs]
    hand_over = rounds.fetch(db, line, 2)
    return ana, mia, line, rounds.order_of(db, line), hand_over


def test_a_packer_credits_a_bad_piece_and_the_household_is_told(db, client_as, fetched):
    ana, mia, line, order, _ = fetched
    packer = client_as("packer")
    answer = packer.fill(f"/pickups/lines/{line}/credit", {"pieces": "1", "reason": "cracked glaze"})
    assert (answer.status_code, answer.location) == (303, f"/pickups/orders/{order}/afterwards")
    assert rounds.balances(db, 2000)[f"household:{ana}"] == 5000 - 2000 + 1000
    assert rounds.balances(db, 2100) == {f"artisan:{mia}": 900}
    page = packer.get(answer.location).text
    assert "cracked glaze" in page
    assert "Change its fee" not in page
    with db() as session:
        told = session.scalars(text("SELECT template FROM notice WHERE template = 'pieces_credited'")).all()
    assert told == ["pieces_credited"]


def test_no_more_is_credited_than_was_fetched_and_never_without_a_reason(db, client_as, fetched):
    *_, line, _, _ = fetched
    packer = client_as("packer")
    more = packer.fill(f"/pickups/lines/{line}/credit", {"pieces": "3", "reason": "bad"})
    assert (more.status_code, "so at most 2" in more.text, 'value="3"' in more.text) == (422, True, True)
    assert packer.fill(f"/pickups/lines/{line}/credit", {"pieces": "1", "reason": ""}).status_code == 422
    with db() as session:
        assert session.scalar(select(CreditNote)) is None


def test_a_form_sent_twice_credits_once(db, client_as, fetched):
    *_, line, _, _ = fetched
    packer = client_as("packer")
    sent = {"pieces": "1", "reason": "bad", "csrf_token": packer.token(), "key": "the-same-key-of-this-form"}
    for _ in range(2):
        assert packer.post(f"/pickups/lines/{line}/credit", data=sent).status_code == 303
    with db() as session:
        assert len(session.scalars(select(CreditNote)).all()) == 1


def test_a_hand_over_ticked_in_error_is_taken_back_once_and_waits_again(db, client_as, fetched):
    ana, _, _, order, hand_over = fetched
    packer = client_as("packer")
    assert packer.fill(f"/pickups/hand-overs/{hand_over}/undo", {"reason": "another household's"}).status_code == 303
    assert rounds.balances(db, 2020) == {f"household:{ana}": 2000}
    assert "2 waiting" in packer.get(f"/pickups/orders/{order}").text
    again = packer.fill(f"/pickups/hand-overs/{hand_over}/undo", {"reason": "once more"})
    assert (again.status_code, "taken back already" in again.text) == (422, True)


def test_a_treasurer_changes_the_fee_of_all_pieces_of_a_line(db, client_as, fetched):
    _, mia, line, order, _ = fetched
    treasurer = client_as("treasurer")
    assert treasurer.fill(f"/pickups/lines/{line}/fee", {"fee": "5", "reason": "promised"}).status_code == 303
    assert rounds.balances(db, 2100) == {f"artisan:{mia}": 1900}
    assert "Change its fee of 5%" in treasurer.get(f"/pickups/orders/{order}/afterwards").text
    refused = treasurer.fill(f"/pickups/lines/{line}/fee", {"fee": "51", "reason": "x"})
    assert refused.status_code == 422
    with db() as session:
        assert [change.fee_bp for change in session.scalars(select(FeeChange))] == [500]


def test_a_treasurer_takes_a_credit_note_back(db, client_as, fetched):
    ana, _, line, _, _ = fetched
    treasurer = client_as("treasurer")
    treasurer.fill(f"/pickups/lines/{line}/credit", {"pieces": "2", "reason": "bad"})
    with db() as session:
        note = session.scalar(select(CreditNote.id))
    assert treasurer.fill(f"/credit-notes/{note}/undo", {"reason": "the other Ana"}).status_code == 303
    assert rounds.balances(db, 2000) == {f"household:{ana}": 3000}
    assert "the other" not in treasurer.get("/credit-notes?q=ana").text
    assert "Ana, Pool" in treasurer.get("/credit-notes?q=ana").text


def test_what_is_no_row_is_not_found(client_as):
    for path in (
        "/pickups/orders/9/afterwards",
        "/pickups/lines/9/credit",
        "/pickups/hand-overs/9/undo",
        "/credit-notes/9/undo",
    ):
        assert client_as("admin").get(path).status_code == 404


def test_the_undone_hand_over_stays_in_the_rows(db, client_as, fetched):
    *_, hand_over = fetched
    client_as("admin").fill(f"/pickups/hand-overs/{hand_over}/undo", {"reason": "in error"})
    with db() as session:
        assert [row.undoes_id for row in session.scalars(select(HandOver).order_by(HandOver.id))] == [None, hand_over]
