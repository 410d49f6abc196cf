"""F22: the worker dies between the bank's having the file and our knowing it."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

from coop import bell, jobs
from coop.books import queries as books
from coop.sending import service as sending
from tests.crew import hired, until
from tests.rounds import PICKUP, fetch
from tests.services.test_payouts import Coop, sent, state


@pytest.fixture
def wired(database, crew):
    engine = create_engine(database.app_url, connect_args={"options": "-c timezone=UTC"})
    yield bell.wire(sessionmaker(engine, expire_on_commit=False), crew.settings.redis_url)
    engine.dispose()


def test_a_bank_file_whose_hand_over_was_cut_off_is_uncertain_and_never_handed_in_again(wired, crew, tmp_path):
    folder = tmp_path / "to the bank"
    folder.mkdir()
    coop = Coop(wired)
    fetch(wired, coop.anas_mugs, 3)
    run = sent(wired, coop)
    with hired(dataclasses.replace(crew.settings, bank_folder=folder), tmp_path) as hands:
        hands.usual = crew.usual
        hands.worker(with_beat=True, fail=f"{jobs.HAND_IN_PAYOUTS}@{sending.HANDED_IN}:kill")
        sending.begin(wired, run, by_folder=True, by=coop.jun, at=PICKUP)
        until(lambda: "act=kill" in hands.log(), "the worker died with the file in the folder")
        (taken,) = folder.iterdir()
        content = taken.read_bytes()
        taken.unlink()  # the bank takes it
        until(lambda: state(wired, run) == "uncertain", "the run is in doubt", patience=60)
        assert list(folder.iterdir()) == [], "it was handed in once"
        sending.note_answer(wired, run, "not_accepted", reason="asked at the bank", by=coop.petra, at=PICKUP)
        sending.begin(wired, run, by_folder=True, by=coop.jun, at=PICKUP)
        until(lambda: state(wired, run) == "submitted", "it is handed in once more", patience=60)
        (again,) = folder.iterdir()
        assert (again.name, again.read_bytes()) == (taken.name, content)
    with wired() as session:
        assert [result for result in books.results(session) if not result.ok] == []
        assert session.execute(text("SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL")).scalar_one() == 0
