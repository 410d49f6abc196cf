"""An admin sees which yields are not what was shared out, what a correction changes, and publishes it or puts it aside."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from coop.allocation.models import AllocationRun
from tests import rounds
from tests.services.test_corrections import Town
from tests.web.test_sharing_pages import words


@pytest.fixture
def town(db):
    """Ana and Ben wish for 3 jars each; 6 were made, and shared out; Ana has fetched hers, and only 4 were there."""
    town = Town(db)
    town.offering, lines = town.share_out({town.ana: 3, town.ben: 3}, 6)
    rounds.fetch(db, lines[town.ana, town.offering], 3)
    with db() as session:
        town.pool = session.scalar(text("SELECT pool_id FROM offering WHERE id = :one"), {"one": town.offering})
    town.report(town.offering, 4)
    return town


def run_of(town, state):
    with town.db() as session:
        return session.scalar(text("SELECT id FROM allocation_run WHERE state = :state"), {"state": state})


def test_a_corrected_yield_is_listed_asked_for_looked_at_and_published(client_as, town):
    admin = client_as("admin")
    listed = admin.get(f"/pools/{town.pool}/corrections")
    assert "lot" in listed.text
    assert "counted again" in listed.text
    assert f'href="/pools/{town.pool}/corrections"' in admin.get(f"/allocation/{run_of(town, 'published')}").text
    asked = admin.fill(f"/pools/{town.pool}/corrections", action=f"/offerings/{town.offering}/corrections")
    assert asked.status_code == 303
    assert "Waiting for a worker" in admin.get(asked.location).text
    assert "data-done" not in admin.get(f"{asked.location}/status").text
    assert f'action="/offerings/{town.offering}/corrections"' not in admin.get(listed.request.path).text
    town.work_out(int(asked.location.rsplit("/", 1)[1]))
    page = words(admin.get(asked.location).text)
    # Ana keeps the 3 in her hands, so Ben has what is left: one of three, and two jars at €1.20 go back to his credit.
    assert "Receive more 0 of 2 who asked for it" in page
    assert "Receive fewer 1 of 2 who asked for it" in page
    assert "hands 3 pieces fetched already" in page
    assert "Ben 3 1 2 fewer €2.40 back" in page
    assert "data-done" in admin.get(f"{asked.location}/status").text
    assert admin.fill(asked.location, action=f"{asked.location}/publish").location == asked.location
    town.book(int(asked.location.rsplit("/", 1)[1]))
    old, new = run_of(town, "superseded"), run_of(town, "published")
    assert f'href="/allocation/{new}"' in admin.get(asked.location).text
    assert f'href="/allocation/{new}"' in admin.get(f"/allocation/{old}").text
    assert "Version 2 of this sharing out" in words(admin.get(f"/allocation/{new}").text)
    assert "Nothing to correct" in admin.get(f"/pools/{town.pool}/corrections").text
    with town.db() as session:
        figures = session.get_one(AllocationRun, new).figures
    # fills 1 and 1/3: the lowest a third, Jain (4/3)^2 / (2 * 10/9) = 0.8
    assert (figures["pieces"], figures["short"], figures["lowest_fill"], figures["jain"]) == (4, 2, "0.3333", "0.8000")


def test_a_correction_put_aside_keeps_its_reason_and_can_be_asked_for_again(client_as, town):
    admin = client_as("admin")
    address = f"/corrections/{town.propose(town.offering)}"
    without = admin.fill(f"{address}/aside", {"reason": " "})
    assert without.status_code == 422
    aside = admin.fill(f"{address}/aside", {"reason": "Counted once more."})
    assert (aside.status_code, aside.location) == (303, address)
    assert "Put aside: Counted once more." in words(admin.get(address).text)
    assert admin.press(f"{address}/publish").status_code == 422
    again = admin.press(f"/offerings/{town.offering}/corrections")
    assert again.status_code == 303
    assert again.location != address


def test_a_correction_that_cannot_be_says_why_and_stores_nothing(db, client_as, town):
    admin = client_as("admin")
    assert admin.press("/offerings/999999/corrections").status_code == 404
    assert admin.get("/corrections/999999").status_code == 404
    assert admin.get("/pools/999999/corrections").status_code == 404
    town.publish(town.propose(town.offering))
    refused = admin.press(f"/offerings/{town.offering}/corrections")
    assert refused.status_code == 422
    assert "is the one that was shared out" in words(refused.text)
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM correction")) == 1
