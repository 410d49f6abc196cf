"""Makers, their terms, their bank details under seal, and what they make."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop.agreements import service as agreements
from coop.agreements.models import BankDetails
from coop.audit.models import AuditRecord
from coop.catalog import service as catalog
from coop.core.errors import NotFound, RuleBroken
from coop.fees import service as fees
from coop.sealing import NotSealedByUs, seal, unseal
from tests.builders import FIELD_KEY, NOW, a_person, a_product, a_role, an_artisan
from tests.refusals import refused

IBAN = "GB29 NWBK 6016 1331 9268 19"  # the example of the SWIFT registry


@pytest.fixture
def kiln(db):
    with db.begin() as session:
        return an_artisan(session, "Kiln Street Pottery")


def enter(db, artisan, *, iban=IBAN, holder="Kiln Street Pottery"):
    return agreements.change_bank_details(db, artisan, holder=holder, iban=iban, by=1, at=NOW, field_key=FIELD_KEY)


def change(db, artisan, *, iban=IBAN, holder="Kiln Street Pottery"):
    details = enter(db, artisan, iban=iban, holder=holder)
    agreements.approve_bank_details(db, details, by=777, at=NOW)
    return details


def account_of(db, artisan) -> str | None:
    with db() as session:
        found = agreements.latest_bank_details(session, [artisan])
    return found[artisan].iban_ending if found else None


def code_of(act, *args, **named) -> str:
    with pytest.raises(RuleBroken) as refused:
        act(*args, **named)
    return refused.value.code


def test_an_account_counts_once_a_second_person_has_let_it(db, kiln):
    change(db, kiln)
    other = enter(db, kiln, iban="DE89370400440532013000")
    assert account_of(db, kiln) == "6819"
    assert code_of(agreements.approve_bank_details, db, other, by=1, at=NOW) == "second_person"
    assert account_of(db, kiln) == "6819"
    agreements.approve_bank_details(db, other, by=2, at=NOW)
    agreements.approve_bank_details(db, other, by=2, at=NOW)
    assert account_of(db, kiln) == "3000"
    assert code_of(agreements.withdraw_bank_details, db, other, by=2, at=NOW) == "not_waiting"
    with db() as session:
        acts = session.scalars(select(AuditRecord.act).where(AuditRecord.act.like("%bank_details"))).all()
    assert acts == ["set_bank_details", "approve_bank_details"] * 2


def test_nobody_of_the_workshop_lets_its_account_count(db, kiln):
    with db.begin() as session:
        kay = a_person(session, "Kay")
        a_role(session, kay, "artisan", artisan_id=kiln)
    assert code_of(agreements.approve_bank_details, db, enter(db, kiln), by=kay, at=NOW) == "second_person"
    assert account_of(db, kiln) is None


def test_an_account_taken_back_or_entered_anew_never_counts(db, kiln):
    first, second = enter(db, kiln), enter(db, kiln, iban="DE89370400440532013000")
    assert code_of(agreements.approve_bank_details, db, first, by=2, at=NOW) == "not_waiting"
    agreements.withdraw_bank_details(db, second, by=1, at=NOW)
    agreements.withdraw_bank_details(db, second, by=1, at=NOW)
    assert code_of(agreements.approve_bank_details, db, second, by=2, at=NOW) == "not_waiting"
    assert account_of(db, kiln) is None
    with pytest.raises(NotFound):
        agreements.approve_bank_details(db, 999_999, by=2, at=NOW)


def test_bank_details_are_sealed_masked_and_the_latest_count(db, kiln):
    change(db, kiln)
    change(db, kiln, iban="DE89370400440532013000")
    with db() as session:
        row = agreements.latest_bank_details(session, [kiln, 99])[kiln]
        assert (row.iban_ending, row.holder) == ("3000", "Kiln Street Pottery")
        assert b"3704" not in row.iban_sealed
        assert agreements.unseal_account(row, FIELD_KEY) == "DE89370400440532013000"
        details = session.scalars(select(AuditRecord.detail).where(AuditRecord.act == "set_bank_details")).all()
        assert [list(detail) for detail in details] == [["row"], ["row"]]


def test_a_makers_people_are_told_when_its_account_changes_and_until_when_it_rests(db, kiln):
    with db.begin() as session:
        a_role(session, a_person(session, "Kay"), "artisan", artisan_id=kiln)
        a_role(session, a_person(session, "Eve"), "artisan", artisan_id=an_artisan(session, "Orchard Lane"))
    change(db, kiln)
    change(db, kiln, iban="DE89370400440532013000")
    with db() as session:
        told = session.execute(
            text(
                'SELECT n."values" FROM notice n JOIN person p ON p.id = n.person_id WHERE p.name = :kay'
                " AND n.template = 'bank_details_changed' ORDER BY n.id"
            ),
            {"kay": "Kay"},
        ).scalars().all()  # fmt: skip
        everybody = session.scalar(text("SELECT count(*) FROM notice WHERE template = 'bank_details_changed'"))
    assert everybody == 2, "nobody else's business"
    changed = {"artisan": "Kiln Street Pottery", "at": NOW.isoformat()}
    assert told == [
        changed | {"ending": "6819", "rests_until": ""},
        changed | {"ending": "3000", "rests_until": (NOW + timedelta(days=14)).isoformat()},
    ]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("29GB", "iban_characters"),
        ("US29 NWBK 6016 1331 9268 19", "iban_country"),
        ("GB29 NWBK 6016 1331 9268 1", "iban_length"),
        ("GB29 NWBK 6016 1331 9268 199", "iban_length"),
        ("GB29 NWBK 6016 1331 9268 18", "iban_checksum"),
    ],
)
def test_a_wrong_account_number_is_refused_beside_its_field(db, kiln, typed, code):
    assert refused(change, db, kiln, iban=typed) == (code, "iban")
    with db() as session:
        assert session.scalars(select(BankDetails.id)).all() == []


@pytest.mark.parametrize(
    "typed", ["gb29nwbk60161331926819", "GB29-NWBK-6016-1331-9268-19", " GB29 NWBK60161331926819 "]
)
def test_an_account_number_may_be_typed_as_people_write_it(db, kiln, typed):
    change(db, kiln, iban=typed)


def test_an_account_has_a_holder(db, kiln):
    assert refused(change, db, kiln, holder="  ") == ("required", "holder")


def test_what_is_sealed_opens_only_with_its_key_and_for_its_purpose():
    sealed = seal(b"thirty-two bytes of season secret", FIELD_KEY, purpose="season.secret")
    assert unseal(sealed, FIELD_KEY, purpose="season.secret") == b"thirty-two bytes of season secret"
    assert seal(b"x", FIELD_KEY, purpose="a") != seal(b"x", FIELD_KEY, purpose="a")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong, key, purpose in (
        (sealed, bytes(32), "season.secret"),
        (sealed, FIELD_KEY, "bank_details.iban"),
        (changed, FIELD_KEY, "season.secret"),
        (b"\x02" + sealed[1:], FIELD_KEY, "season.secret"),
        (b"", FIELD_KEY, "season.secret"),
    ):
        with pytest.raises(NotSealedByUs):
            unseal(wrong, key, purpose=purpose)


def test_a_maker_comes_with_terms_and_a_name_of_its_own(db, kiln):
    def welcome(name, key):
        return agreements.welcome_artisan(
            db, name, craft="", town="", distance_km=4, story="", fee_bp=1000, by=1, at=NOW, key=key
        )

    assert refused(welcome, "Kiln Street Pottery", "a") == ("name_taken", "name")
    marsh = welcome("Marsh & Alder Distillery", "b")
    assert welcome("Marsh & Alder Distillery", "b") == marsh
    with db() as session:
        fees.current_terms(session, marsh, NOW)


def test_a_product_is_listed_once_and_only_for_a_maker_that_is_there(db, kiln):
    def listed(artisan, key):
        return catalog.list_product(
            db,
            artisan,
            "Salt-glaze cup",
            unit=("cup", "cups"),
            line="",
            story="",
            family="pots",
            min_age=None,
            by=1,
            key=key,
        )

    listed(kiln, "a")
    assert refused(listed, kiln, "b") == ("name_taken", "name")
    with pytest.raises(NotFound):
        listed(99, "c")
    with db.begin() as session:
        a_product(session, an_artisan(session, "Marsh & Alder"), "Salt-glaze cup")
