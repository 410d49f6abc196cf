"""Where a pool's seed comes from: promised before orders open, known only after the inputs are frozen, and never twice."""

import threading
from datetime import date, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from coop import jobs
from coop.allocation import service as allocation
from coop.allocation.queries import proof_of_run
from coop.asking import service as asking
from coop.batches import service as batches
from coop.core.errors import RuleBroken
from coop.core.proof import verify_lines
from coop.core.proof_promises import Published
from coop.draws import service as draws
from coop.draws.models import Draw, PoolCommitment, SeasonSecret
from coop.orders.service import place_order
from coop.pools import service as pools
from coop.pools.models import Offering
from coop.proofs import service as proofs
from coop.publishing import service as publishing
from coop.wishes.service import Wish
from tests.builders import FIELD_KEY, NOW, SEASON_SECRET, a_household, a_person, a_pool, a_season, an_offering
from tests.refusals import refused_code as refused
from tests.rounds import work_off

CLOSES = NOW + timedelta(days=2)
AFTER = CLOSES + timedelta(hours=1)
SECRETS = [bytes([n]) * 32 for n in (1, 2, 3)]
HASHES = [sha256(secret).hexdigest() for secret in SECRETS]
ROUND = proofs.Round("https://beacon.example/chain", "4711", AFTER + timedelta(hours=2))


class Town:
    """A pool with one batch of jam that Ana and Ben want, and two people who may be witnesses."""

    def __init__(self, db, **season):
        self.db = db
        with db.begin() as session:
            self.season = a_season(session, **season)
            self.pool = a_pool(session, self.season, closes_at=CLOSES)
            self.jam = an_offering(session, self.pool, cap=9)
            self.households = [a_household(session, name, credit_minor=50_000) for name in ("Ana", "Ben")]
            self.people = [a_person(session, name) for name in ("Petra", "Tomas", "Uma")]
            self.batch = session.get_one(Offering, self.jam).batch_id
            self.price = session.get_one(Offering, self.jam).price_minor

    def open(self):
        pools.open_pool(self.db, self.pool, by=0, at=NOW)

    def order(self):
        for household in self.households:
            lines = [Wish(self.jam, 2, 2, self.price, 0)]
            place_order(self.db, self.pool, lines, household_id=household, by=0, at=NOW, key=f"o{household}")

    def close(self):
        pools.close_pool(self.db, self.pool, by=0, at=AFTER)
        batches.report_yield(self.db, self.batch, pieces=3, by=0, at=AFTER, key="made")

    def ask(self, at=AFTER):
        run = asking.request_run(self.db, self.pool, by=0, at=at)
        self.work(run, at)
        return run

    def work(self, run, at=AFTER):
        work_off(
            self.db,
            jobs.COMPUTE_ALLOCATION,
            run,
            lambda d, lease: allocation.carry_out(d, lease, at=at, field_key=FIELD_KEY),
        )

    def publish(self, run):
        publishing.publish(self.db, run, by=0, at=AFTER)
        work_off(
            self.db,
            jobs.PUBLISH_ALLOCATION,
            run,
            lambda d, lease: publishing.carry_out_publication(d, lease, at=AFTER),
        )

    def run(self, run):
        with self.db() as session:
            return session.execute(text("SELECT * FROM allocation_run WHERE id = :run"), {"run": run}).one()

    def proof(self, run):
        with self.db() as session:
            return proof_of_run(session, run, FIELD_KEY).splitlines(keepends=True)

    def witnesses(self, *, hashes=HASHES[:2]):
        proofs.choose_source(self.db, self.pool, "witnesses", by=0, at=NOW)
        for person, digest in zip(self.people, hashes, strict=False):
            proofs.hand_in(self.db, self.pool, digest, by=person, at=NOW)


@pytest.fixture
def town(db):
    return Town(db)


@pytest.fixture
def waiting(town):
    """A pool with two witnesses, whose run has published its inputs and waits for them."""
    town.witnesses()
    town.open()
    town.order()
    town.close()
    return town, town.ask()


def test_what_a_pool_promises_is_kept_from_the_opening_on_and_stands_in_its_proof(town):
    town.open()
    with town.db() as session:
        kept = session.get_one(PoolCommitment, town.pool)
        promised = draws.commitment_of(session, town.pool)
    told = sha256(b"alloc-draw/1\0" + SEASON_SECRET).digest()
    assert promised.promise.hashes == (sha256(told).hexdigest(),)
    assert (promised.batches[0].cap, promised.digest) == (9, kept.digest)
    assert sha256(kept.content.encode()).hexdigest() == kept.digest
    town.order()
    town.close()
    run = town.ask()
    town.publish(run)
    published = Published(kept.digest, town.run(run).input_digest, town.run(run).result_digest, told.hex())
    assert verify_lines(town.proof(run), published)["ok"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE commitment SET digest = ''",
        "DELETE FROM commitment",
        "UPDATE draw SET round = '1'",
        "DELETE FROM draw",
        "UPDATE witness SET hash = repeat('0', 64)",
        "UPDATE witness SET secret = decode(repeat('00', 32), 'hex')",
        "DELETE FROM witness",
    ],
)
def test_the_database_itself_refuses_to_edit_what_was_promised(town, statement):
    town.witnesses()
    town.open()
    with pytest.raises(DBAPIError), town.db.begin() as session:
        session.execute(text(statement))


def test_once_orders_are_open_nobody_chooses_another_source(town):
    town.witnesses()
    town.open()
    assert refused(proofs.choose_source, town.db, town.pool, "season", by=0, at=NOW) == "in_use"
    assert refused(proofs.hand_in, town.db, town.pool, HASHES[2], by=town.people[2], at=NOW) == "too_late"


def test_orders_open_only_with_two_witnesses_and_a_round_after_the_cut_off(town):
    proofs.choose_source(town.db, town.pool, "witnesses", by=0, at=NOW)
    proofs.hand_in(town.db, town.pool, HASHES[0], by=town.people[0], at=NOW)
    assert refused(town.open) == "witnesses_missing"
    assert refused(proofs.hand_in, town.db, town.pool, HASHES[0], by=town.people[1], at=NOW) == "hash_taken"
    early = ROUND._replace(appears_at=CLOSES)
    assert refused(proofs.choose_source, town.db, town.pool, "beacon", beacon=early, by=0, at=NOW) == "round_too_early"
    assert refused(proofs.choose_source, town.db, town.pool, "beacon", by=0, at=NOW) == "round_missing"
    assert refused(proofs.choose_source, town.db, town.pool, "dice", by=0, at=NOW) == "unknown_source"
    proofs.choose_source(town.db, town.pool, "season", by=0, at=NOW)
    town.open()


def test_a_run_waits_until_the_last_witness_has_revealed_and_its_proof_holds(waiting):
    town, run = waiting
    before = town.run(run)
    assert (before.state, before.result_digest) == ("waiting", None)
    assert before.input_digest
    proofs.reveal(town.db, town.pool, SECRETS[0].hex(), by=town.people[0], at=AFTER)
    assert town.run(run).state == "waiting"
    proofs.reveal(town.db, town.pool, SECRETS[0].hex(), by=town.people[0], at=AFTER)
    proofs.reveal(town.db, town.pool, SECRETS[1].hex(), by=town.people[1], at=AFTER)
    assert town.run(run).state == "requested"
    town.work(run)
    after = town.run(run)
    assert (after.state, after.input_digest) == ("proposed", before.input_digest)
    town.publish(run)
    lines = town.proof(run)
    assert verify_lines(lines)["result_digest"] == after.result_digest
    source = sha256(SECRETS[0] + SECRETS[1]).digest()
    seed = sha256(b"alloc-seed/1\0" + source + b"\0" + bytes.fromhex(before.input_digest)).hexdigest()
    assert f'"seed":"{seed}"'.encode() in lines[1]


def test_nothing_is_revealed_before_the_inputs_are_frozen_nor_a_secret_of_another_hash(town):
    town.witnesses()
    town.open()
    town.order()
    assert refused(proofs.reveal, town.db, town.pool, SECRETS[0].hex(), by=town.people[0], at=NOW) == "not_frozen"
    town.close()
    town.ask()
    assert refused(proofs.reveal, town.db, town.pool, SECRETS[1].hex(), by=town.people[0], at=AFTER) == "wrong_secret"
    assert refused(proofs.reveal, town.db, town.pool, SECRETS[2].hex(), by=town.people[2], at=AFTER) == "not_asked"
    assert refused(proofs.reveal, town.db, town.pool, "12", by=town.people[0], at=AFTER) == "bad_hexadecimal"


def test_a_draw_with_a_missing_witness_is_void_and_new_witnesses_draw_for_the_same_inputs(waiting):
    town, run = waiting
    proofs.reveal(town.db, town.pool, SECRETS[0].hex(), by=town.people[0], at=AFTER)
    assert refused(proofs.void_draw, town.db, town.pool, " ", by=0, at=AFTER) == "reason_missing"
    proofs.void_draw(town.db, town.pool, "Tomas lost his secret.", by=0, at=AFTER)
    late = refused(proofs.reveal, town.db, town.pool, SECRETS[1].hex(), by=town.people[1], at=AFTER)
    assert late == "not_asked"
    new = [bytes([n]) * 32 for n in (7, 8)]
    for person, secret in zip(town.people, new, strict=False):
        proofs.hand_in(town.db, town.pool, sha256(secret).hexdigest(), by=person, at=AFTER)
    again = refused(proofs.hand_in, town.db, town.pool, HASHES[2], by=town.people[0], at=AFTER)
    assert again == "handed_in"
    proofs.reveal(town.db, town.pool, new[0].hex(), by=town.people[0], at=AFTER)
    assert refused(proofs.hand_in, town.db, town.pool, HASHES[2], by=town.people[2], at=AFTER) == "too_late"
    proofs.reveal(town.db, town.pool, new[1].hex(), by=town.people[1], at=AFTER)
    frozen = town.run(run).input_digest
    town.work(run)
    town.publish(run)
    assert town.run(run).input_digest == frozen
    lines = town.proof(run)
    assert b'"draw":2' in lines[0]
    assert verify_lines(lines)["ok"]


def test_a_draw_that_is_known_can_not_be_void(waiting):
    town, _ = waiting
    for person, secret in zip(town.people, SECRETS[:2], strict=False):
        proofs.reveal(town.db, town.pool, secret.hex(), by=person, at=AFTER)
    assert refused(proofs.void_draw, town.db, town.pool, "I lost.", by=0, at=AFTER) == "known"
    with pytest.raises(DBAPIError), town.db.begin() as session:
        session.execute(text("UPDATE draw SET input_digest = ''"))


def test_with_the_seed_known_no_other_inputs_can_be_shared_out(waiting):
    town, run = waiting
    for person, secret in zip(town.people, SECRETS[:2], strict=False):
        proofs.reveal(town.db, town.pool, secret.hex(), by=person, at=AFTER)
    town.work(run)
    allocation.cancel_run(town.db, run, by=0, reason="I would rather have other tickets")
    batches.report_yield(town.db, town.batch, pieces=2, reason="miscounted", by=0, at=AFTER, key="again")
    other = town.ask()
    assert town.run(other).state == "failed"
    assert "known already" in town.run(other).failure
    batches.report_yield(town.db, town.batch, pieces=3, reason="counted again", by=0, at=AFTER, key="thrice")
    allocation.cancel_run(town.db, other, by=0, reason="as it was frozen")
    assert town.run(town.ask()).state == "proposed"


def test_inputs_frozen_and_put_aside_before_the_seed_was_known_can_not_be_fetched_back(waiting):
    town, run = waiting
    allocation.cancel_run(town.db, run, by=0, reason="one to choose from")
    batches.report_yield(town.db, town.batch, pieces=2, reason="miscounted", by=0, at=AFTER, key="again")
    second = town.ask()
    assert town.run(second).state == "waiting"
    for person, secret in zip(town.people, SECRETS[:2], strict=False):
        proofs.reveal(town.db, town.pool, secret.hex(), by=person, at=AFTER)
    town.work(second)
    allocation.cancel_run(town.db, second, by=0, reason="the first was better")
    batches.report_yield(town.db, town.batch, pieces=3, reason="counted again", by=0, at=AFTER, key="thrice")
    assert town.run(town.ask()).state == "failed"


def test_a_beacon_s_value_is_taken_after_its_round_and_only_once(town):
    proofs.choose_source(town.db, town.pool, "beacon", beacon=ROUND, by=0, at=NOW)
    town.open()
    town.order()
    town.close()
    run = town.ask()
    assert town.run(run).state == "waiting"
    told = "ab" * 32
    assert refused(proofs.tell_beacon, town.db, town.pool, told, by=0, at=AFTER) == "too_early"
    later = ROUND.appears_at
    proofs.tell_beacon(town.db, town.pool, told, by=0, at=later)
    proofs.tell_beacon(town.db, town.pool, told, by=0, at=later)
    assert refused(proofs.tell_beacon, town.db, town.pool, "cd" * 32, by=0, at=later) == "known"
    town.work(run, later)
    town.publish(run)
    assert verify_lines(town.proof(run))["ok"]
    assert b'"round":"4711"' in town.proof(run)[0]


def test_a_round_that_appeared_before_the_inputs_were_frozen_does_not_count(town):
    proofs.choose_source(town.db, town.pool, "beacon", beacon=ROUND, by=0, at=NOW)
    town.open()
    town.order()
    town.close()
    late = ROUND.appears_at + timedelta(minutes=1)
    run = town.ask(late)
    assert refused(proofs.tell_beacon, town.db, town.pool, "ab" * 32, by=0, at=late) == "frozen_too_late"
    assert refused(proofs.void_draw, town.db, town.pool, "late", beacon=ROUND, by=0, at=late) == "round_too_early"
    second = ROUND._replace(number="4712", appears_at=late + timedelta(hours=1))
    proofs.void_draw(town.db, town.pool, "The yields came late.", beacon=second, by=0, at=late)
    proofs.tell_beacon(town.db, town.pool, "ab" * 32, by=0, at=second.appears_at)
    town.work(run, second.appears_at)
    town.publish(run)
    assert verify_lines(town.proof(run))["ok"]


def test_a_season_s_secret_is_told_when_it_is_over_and_all_its_pools_are_published(db):
    town = Town(db, starts=date(2026, 9, 1), ends=date(2026, 11, 30))
    town.open()
    town.order()
    town.close()

    def tell(at):
        proofs.reveal_season(town.db, town.season, field_key=FIELD_KEY, by=0, at=at)

    over = NOW + timedelta(days=10)
    assert refused(tell, NOW) == "season_goes_on"
    assert refused(tell, over) == "pools_unpublished"
    run = town.ask()
    town.publish(run)
    tell(over)
    tell(over)
    with town.db() as session:
        secret = session.scalars(select(SeasonSecret.secret)).one()
        assert SEASON_SECRET not in secret
    assert verify_lines(town.proof(run), Published(season_secret=secret.hex()))["ok"]
    with town.db.begin() as session:
        late = a_pool(session, town.season, "late", closes_at=over + timedelta(days=1))
        an_offering(session, late)
    assert refused(pools.open_pool, town.db, late, by=0, at=over) == "season_revealed"


def test_of_a_secret_revealed_and_a_draw_declared_void_at_once_one_comes_first(fresh_db):
    town = Town(fresh_db)
    town.witnesses()
    town.open()
    town.order()
    town.close()
    run = town.ask()
    proofs.reveal(town.db, town.pool, SECRETS[0].hex(), by=town.people[0], at=AFTER)
    codes, start = [], threading.Barrier(3)

    def act(*values, **more):
        start.wait()
        try:
            values[0](*values[1:], **more)
        except RuleBroken as refusal:
            codes.append(refusal.code)

    threads = [
        threading.Thread(
            target=act,
            args=(proofs.reveal, town.db, town.pool, SECRETS[1].hex()),
            kwargs={"by": town.people[1], "at": AFTER},
        ),
        threading.Thread(
            target=act, args=(proofs.void_draw, town.db, town.pool, "late"), kwargs={"by": 0, "at": AFTER}
        ),
        threading.Thread(
            target=act,
            args=(proofs.reveal, town.db, town.pool, SECRETS[1].hex()),
            kwargs={"by": town.people[1], "at": AFTER},
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with fresh_db() as session:
        drawn = session.execute(select(Draw.n, Draw.value, Draw.voided_at).order_by(Draw.n)).all()
    if town.run(run).state == "requested":
        assert codes == ["known"]
        assert [(n, value is not None, voided is None) for n, value, voided in drawn] == [(1, True, True)]
    else:
        assert codes == ["not_asked", "not_asked"]
        assert [(n, value, voided is None) for n, value, voided in drawn] == [(1, None, False), (2, None, True)]
