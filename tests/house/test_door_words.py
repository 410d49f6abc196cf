"""The words that open the door from the machine: the first admin's link, and a second step that somebody lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from coop.access import service as access
from coop.access.models import SignIn
from coop.audit.models import AuditRecord
from coop.clock import now
from coop.factors import service as factors
from coop.notices.models import Notice
from coop.people import service as people
from tests.builders import FIELD_KEY

ROOT = Path(__file__).parents[2]


@pytest.fixture
def coop(settings):
    """Run one word of the `coop` command on a fresh database."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | settings.environment()
        program = [sys.executable, "-m", "coop.cli", *words]
        return subprocess.run(program, env=env, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def helen(fresh_db) -> int:
    """A treasurer with an app, recovery codes, and a sign-in that goes on."""
    with fresh_db.begin() as session:
        person = people.new_person(session, name="Helen", email="helen@example.org", at=now())
        factors.give_app(session, person, b"a secret of 20 bytes", at=now(), field_key=FIELD_KEY)
        factors.renew_recovery_codes(session, person, at=now(), field_key=FIELD_KEY)
        access._start(session, person, at=now(), device="Firefox", origin="127.0.0.1")
    people.grant_role(fresh_db, person, "treasurer", by=0, at=now())
    return person


def test_a_lost_second_step_is_taken_away_from_the_machine_and_its_owner_told(coop, fresh_db, helen):
    done = coop("end-second-step", " Helen@Example.org ")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 taken away. They sign in with their password and set up a new one.\n"
    with fresh_db() as session:
        assert not factors.has_factor(session, helen)
        assert list(session.scalars(select(SignIn.ended_at).where(SignIn.ended_at.is_(None)))) == []
        assert list(session.scalars(select(Notice.template).where(Notice.address == "helen@example.org")))[-1:] == [
            "factors_removed"
        ]
        act = session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).one()
        assert (act.act, act.actor_id, act.subject_id, act.detail) == ("end_lost_factors", 0, helen, {"ended": 1})
    again = coop("end-second-step", "helen@example.org")
    assert (again.returncode, again.stdout[:12]) == (0, "0 taken away")


@pytest.mark.parametrize("address", ["nobody@example.org", "no address"])
def test_whom_nobody_knows_loses_nothing(coop, fresh_db, helen, address):
    done = coop("end-second-step", address)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "unknown_email"
    assert done.stderr == "Nobody of the co-op has this mail address.\n"
    with fresh_db() as session:
        assert factors.has_factor(session, helen)


def test_who_has_left_is_not_known_any_more(coop, fresh_db, helen):
    with fresh_db.begin() as session:
        session.get_one(people.Person, helen).left_at = now()
    assert coop("end-second-step", "helen@example.org").returncode == 2


def test_the_first_admins_link_is_printed_for_the_machine_alone(coop, fresh_db):
    done = coop("first-admin", "tomas@example.org")
    assert (done.returncode, done.stderr) == (0, "")
    assert "/first-admin/" in done.stdout
    with fresh_db() as session:
        assert list(session.scalars(select(Notice.id))) == []
