"""The pages of a draw: chosen before orders open, witnesses hand in and reveal, and anybody reads along."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from html import unescape

import pytest
from sqlalchemy import text

from coop import jobs
from coop.allocation import service as allocation
from coop.asking import service as asking
from coop.batches import service as batches
from coop.clock import now
from coop.core.proof import verify_lines
from coop.core.proof_promises import Published
from coop.orders.service import place_order
from coop.pools import service as pools
from coop.pools.models import Offering
from coop.publishing import service as publishing
from coop.wishes.service import Wish
from tests.builders import a_household, a_pool, a_season, an_offering, give_credit
from tests.rounds import work_off

SECRETS = [bytes([n]) * 32 for n in (1, 2)]


def words(page):
    return " ".join(unescape(re.sub("<[^>]+>", " ", page)).split())


@pytest.fixture
def pool(db, local_settings):
    today = now().date()
    with db.begin() as session:
        season = a_season(
            session,
            starts=today - timedelta(days=30),
            ends=today + timedelta(days=60),
            field_key=local_settings.field_key,
        )
        pool = a_pool(session, season, "November pool", closes_at=now() + timedelta(hours=1))
        an_offering(session, pool, cap=4)
    return pool


def jam_of(db, pool):
    with db() as session:
        found = session.execute(text("SELECT id FROM offering WHERE pool_id = :pool"), {"pool": pool}).scalar_one()
        return session.get_one(Offering, found)


def run_to_waiting(db, settings, pool):
    jam = jam_of(db, pool)
    for name in ("Ana", "Ben"):
        with db.begin() as session:
            household = a_household(session, name)
            give_credit(session, household, 50_000, on=now().date())
        lines = [Wish(jam.id, 2, 3, jam.price_minor, jam.deposit_minor)]
        place_order(db, pool, lines, household_id=household, by=0, at=now(), key=f"o{household}")
    pools.close_pool(db, pool, by=0, at=now(), reason="for the test")
    batches.report_yield(db, jam.batch_id, pieces=3, by=0, at=now(), key="y")
    run = asking.request_run(db, pool, by=0, at=now())
    carry_out(db, settings, run)
    return run


def carry_out(db, settings, run):
    work_off(
        db,
        jobs.COMPUTE_ALLOCATION,
        run,
        lambda d, lease: allocation.carry_out(d, lease, at=now(), field_key=settings.field_key),
    )


def test_witnesses_draw_and_anybody_reads_along_and_checks(db, client_as, visitor, local_settings, pool):
    admin, packer = client_as("admin"), client_as("packer")
    at = f"/pools/{pool}/draw"
    assert admin.fill(f"{at}/source", {"kind": "witnesses"}).status_code == 303
    for browser, secret in zip((admin, packer), SECRETS, strict=True):
        assert "No witness has handed in a hash yet" in admin.get(at).text or browser is packer
        assert browser.fill(f"{at}/hash", {"hash": sha256(secret).hexdigest()}).status_code == 303
    assert visitor.get(f"/pools/{pool}/verify").status_code == 404
    assert admin.press(f"/admin/pools/{pool}/open").status_code == 303
    commitment = re.search(r"Commitment ([0-9a-f]{64})", words(visitor.get(f"/pools/{pool}/verify").text))[1]
    assert admin.fill(f"{at}/source", {"kind": "season"}).status_code == 422
    run = run_to_waiting(db, local_settings, pool)
    assert "waiting for the seed" in admin.get(f"/allocation/{run}").text
    page = words(visitor.get(f"/pools/{pool}/verify").text)
    frozen = re.search(r"Input digest, of all wishes, weights and yields ([0-9a-f]{64})", page)[1]
    assert admin.fill(f"{at}/secret", {"secret": SECRETS[1].hex()}).status_code == 422
    assert admin.fill(f"{at}/secret", {"secret": SECRETS[0].hex()}).status_code == 303
    assert SECRETS[0].hex() not in visitor.get(f"/pools/{pool}/verify").text + packer.get(at).text
    assert packer.fill(f"{at}/secret", {"secret": SECRETS[1].hex()}).status_code == 303
    assert SECRETS[0].hex() in visitor.get(f"/pools/{pool}/verify").text
    carry_out(db, local_settings, run)
    publishing.publish(db, run, by=0, at=now())
    work_off(db, jobs.PUBLISH_ALLOCATION, run, lambda d, lease: publishing.carry_out_publication(d, lease, at=now()))
    lines = visitor.get(f"/pools/{pool}/proof").data.splitlines(keepends=True)
    verdict = verify_lines(lines, Published(commitment, frozen))
    assert verdict["ok"]
    assert verdict["result_digest"] in visitor.get(f"/pools/{pool}/verify").text


def test_a_beacon_s_round_is_named_before_and_its_value_typed_in_after_its_time(db, client_as, pool, local_settings):
    admin = client_as("admin")
    at = f"/pools/{pool}/draw"
    later = f"{now() + timedelta(days=2):%Y-%m-%dT%H:%M}"
    beacon = {"chain": "https://beacon.example/chain", "number": "4711", "appears_at": later}
    assert admin.fill(f"{at}/source", {"kind": "beacon"}).status_code == 422
    assert admin.fill(f"{at}/source", beacon | {"kind": "beacon"}).status_code == 303
    pools.open_pool(db, pool, by=0, at=now())
    run_to_waiting(db, local_settings, pool)
    early = admin.fill(f"{at}/beacon", {"value": "ab" * 32})
    assert early.status_code == 422
    assert "has not appeared yet" in early.text
    assert admin.fill(f"{at}/void", beacon | {"reason": "The beacon was off.", "number": "4712"}).status_code == 303
    assert "The beacon was off." in admin.get(f"/pools/{pool}/verify").text


def test_a_proof_is_not_sent_again_to_who_has_it_and_its_rows_are_found_by_name(db, visitor, client_as, pool, local_settings):  # fmt: skip
    pools.open_pool(db, pool, by=0, at=now())
    run = run_to_waiting(db, local_settings, pool)
    publishing.publish(db, run, by=0, at=now())
    work_off(db, jobs.PUBLISH_ALLOCATION, run, lambda d, lease: publishing.carry_out_publication(d, lease, at=now()))
    first = visitor.get(f"/pools/{pool}/proof")
    again = visitor.get(f"/pools/{pool}/proof", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    names = re.findall(rb'"id":"([0-9a-f]{32})"', first.data)
    page = visitor.get(f"/pools/{pool}/verify").text
    assert all(name.decode() in page for name in names)
    one = visitor.get(f"/pools/{pool}/verify?q={names[0].decode()[:8]}").text
    assert names[0].decode() in one
    assert names[1].decode() not in one
    assert "Nothing found" in visitor.get(f"/pools/{pool}/verify?q=nosuchlot").text


def test_the_verifier_can_be_downloaded_by_anybody(visitor):
    answer = visitor.get("/verifier")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="verify.py"'
    compile(answer.text, "verify.py", "exec")


def test_a_season_s_secret_is_not_told_while_it_goes_on(db, client_as, pool):
    with db() as session:
        season = session.execute(text("SELECT season_id FROM pool WHERE id = :pool"), {"pool": pool}).scalar_one()
    refused = client_as("admin").press(f"/seasons/{season}/secret")
    assert refused.status_code == 422
    assert "has not ended yet" in refused.text
