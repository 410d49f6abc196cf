"""Second factors as they are kept and used: codes once, recovery codes once, everything sealed or hashed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from coop.core.errors import NotFound, RuleBroken
from coop.core.factors import step_at
from coop.factors import queries, service
from coop.formats import codes
from coop.formats.passkeys import NewPasskey
from coop.people import service as people

KEY = bytes(range(32))
SECRET = b"a secret of 20 bytes"
AT = datetime(2026, 11, 28, 12, 0, 10, tzinfo=UTC)


@pytest.fixture
def ana(db) -> int:
    return a_person(db, "ana@example.org")


def a_person(db, email: str) -> int:
    with db.begin() as session:
        return people.new_person(session, name=email.partition("@")[0], email=email, at=AT)


def give(db, person_id: int) -> None:
    with db.begin() as session:
        service.give_app(session, person_id, SECRET, at=AT, field_key=KEY)


def code_at(at: datetime) -> str:
    return codes.code_at(SECRET, int(at.timestamp()))


def use(db, person_id: int, code: str, at: datetime = AT) -> str:
    try:
        with db.begin() as session:
            return service.use_code(session, person_id, code, at=at, field_key=KEY)
    except RuleBroken as broken:
        return broken.code


def test_a_code_counts_once(db, ana):
    give(db, ana)
    assert [use(db, ana, code_at(AT)) for _ in range(2)] == ["app", "wrong_code"]
    later = AT + timedelta(seconds=30)
    assert use(db, ana, code_at(AT), at=later) == "wrong_code"
    assert use(db, ana, code_at(later), at=later) == "app"


@pytest.mark.parametrize(
    ("seconds", "answer"), [(-60, "wrong_code"), (-30, "app"), (0, "app"), (30, "app"), (60, "wrong_code")]
)
def test_a_code_counts_half_a_minute_before_and_after_its_own(db, ana, seconds, answer):
    give(db, ana)
    assert use(db, ana, code_at(AT + timedelta(seconds=seconds))) == answer


def test_an_earlier_code_is_worth_nothing_once_a_later_one_was_used(db, ana):
    give(db, ana)
    assert use(db, ana, code_at(AT + timedelta(seconds=30))) == "app"
    assert use(db, ana, code_at(AT)) == "wrong_code"


def test_a_code_sent_eight_times_at_once_counts_once(fresh_db):
    ana = a_person(fresh_db, "ana@example.org")
    give(fresh_db, ana)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: use(fresh_db, ana, code_at(AT)), range(8)))
    assert sorted(answers) == ["app"] + ["wrong_code"] * 7


def test_a_recovery_code_sent_eight_times_at_once_counts_once(fresh_db):
    ana = a_person(fresh_db, "ana@example.org")
    give(fresh_db, ana)
    with fresh_db.begin() as session:
        code = service.renew_recovery_codes(session, ana, at=AT, field_key=KEY)[0]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: use(fresh_db, ana, code), range(8)))
    assert sorted(answers) == ["recovery"] + ["wrong_code"] * 7


def test_recovery_codes_count_once_each_and_new_ones_take_the_place_of_the_old(db, ana):
    give(db, ana)
    with db.begin() as session:
        old = service.renew_recovery_codes(session, ana, at=AT, field_key=KEY)
    assert len(set(old)) == 10
    assert [use(db, ana, one) for one in (old[0], old[0], old[1].lower().replace("-", " "))] == [
        "recovery",
        "wrong_code",
        "recovery",
    ]
    with db.begin() as session:
        new = service.renew_recovery_codes(session, ana, at=AT, field_key=KEY)
        assert queries.factors_of(session, ana).recovery_codes == 10
    assert use(db, ana, old[2]) == "wrong_code"
    assert use(db, ana, new[0]) == "recovery"


def test_one_persons_codes_are_nothing_to_another(db, ana):
    tomas = a_person(db, "tomas@example.org")
    give(db, ana)
    with db.begin() as session:
        code = service.renew_recovery_codes(session, ana, at=AT, field_key=KEY)[0]
    assert use(db, tomas, code_at(AT)) == "wrong_code"
    assert use(db, tomas, code) == "wrong_code"


def test_a_secret_copied_to_another_person_does_not_open(db, ana):
    from coop.sealing import NotSealedByUs

    tomas = a_person(db, "tomas@example.org")
    give(db, ana)
    with db.begin() as session:
        session.execute(
            text(
                "INSERT INTO app_secret (person_id, secret_sealed, last_step, made_at)"
                " SELECT :tomas, secret_sealed, 0, made_at FROM app_secret WHERE person_id = :ana"
            ),
            {"tomas": tomas, "ana": ana},
        )
    with pytest.raises(NotSealedByUs), db.begin() as session:
        service.use_code(session, tomas, code_at(AT), at=AT, field_key=KEY)


def test_nothing_that_opens_an_account_rests_in_the_database(db, ana):
    give(db, ana)
    with db.begin() as session:
        made = service.renew_recovery_codes(session, ana, at=AT, field_key=KEY)
        kept = session.scalar(
            text("SELECT (SELECT string_agg(a::text, '') FROM app_secret a) || (SELECT string_agg(r::text, '') FROM recovery_code r)")
        )  # fmt: skip
    assert SECRET.hex() not in kept
    assert codes.typed_secret(SECRET).replace(" ", "") not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in made)


def test_an_app_is_taken_in_by_its_present_code_and_that_code_is_spent(db, ana):
    with pytest.raises(RuleBroken, match="wrong_code"), db.begin() as session:
        service.take_in_app(session, ana, SECRET, "000000", at=AT, field_key=KEY)
    with db.begin() as session:
        assert not service.has_factor(session, ana)
        service.take_in_app(session, ana, SECRET, code_at(AT), at=AT, field_key=KEY)
        assert service.has_factor(session, ana)
    assert use(db, ana, code_at(AT)) == "wrong_code"


def test_a_new_app_takes_the_place_of_the_old(db, ana):
    give(db, ana)
    other = b"another, of 20 bytes"
    with db.begin() as session:
        service.take_in_app(
            session, ana, other, codes.code_of(other, step_at(int(AT.timestamp()))), at=AT, field_key=KEY
        )
    assert use(db, ana, code_at(AT)) == "wrong_code"
    later = AT + timedelta(seconds=30)
    assert use(db, ana, codes.code_at(other, int(later.timestamp())), at=later) == "app"


def test_a_passkey_is_one_persons_and_counts_for_nobody_else(db, ana):
    made = NewPasskey(b"credential", b"public key", 0)
    ben = a_person(db, "ben@example.org")
    with db.begin() as session:
        service.take_in_passkey(session, ana, "Phone", made, at=AT)
    for person in (ana, ben):
        with pytest.raises(RuleBroken) as known, db.begin() as session:
            service.take_in_passkey(session, person, "Again", made, at=AT)
        assert known.value.code == "passkey_known"
    with db.begin() as session:
        assert service.passkey_of(session, ana, b"credential").name == "Phone"
    for person, credential in ((ben, b"credential"), (ana, b"another")):
        with pytest.raises(RuleBroken) as wrong, db.begin() as session:
            service.passkey_of(session, person, credential)
        assert wrong.value.code == "wrong_passkey"


def test_recovery_codes_end_with_the_last_factor(db, ana):
    give(db, ana)
    with db.begin() as session:
        code = service.renew_recovery_codes(session, ana, at=AT, field_key=KEY)[0]
    with db.begin() as session:
        service.end_app(session, ana, at=AT)
    assert use(db, ana, code) == "wrong_code"
    with pytest.raises(NotFound), db.begin() as session:
        service.end_app(session, ana, at=AT)
