"""Bank files for payments to members: the household's sealed account, two persons, the stored bytes, and no payment in two files."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import sepaxml
from sqlalchemy import text
from xmlschema import XMLSchema

from coop.clock import now
from coop.core.errors import RuleBroken
from coop.core.ledger import BANK, MEMBER_CREDIT, PAYOUT_TRANSIT
from coop.core.us_account import UsAccount
from coop.equity import service as equity
from coop.formats.iban import demo_iban
from coop.incoming import service as incoming
from coop.payees import service as payees
from coop.people.models import Belonging
from coop.policy import service as policy
from coop.remitting import service as remitting
from tests.builders import a_household, give_credit
from tests.rounds import balances

FILES = "/books/household-payments/files"
SCHEMA = XMLSchema(Path(sepaxml.__file__).with_name("schemas") / "pain.001.001.09.xsd")
ANAS, BENS = demo_iban("GB", 7), demo_iban("DE", 8)


@pytest.fixture
def petra(client_as):
    return client_as("treasurer")


@pytest.fixture
def tomas(client_as):
    return client_as("treasurer")


@pytest.fixture
def town(db, local_settings):
    """20.00 of Ana's and 30.00 of Ben's capital are bought back, and 5.00 of Cleo's credit is paid back; Cleo gave no account."""
    with db.begin() as session:
        policy.settle(session, "coop_iban", demo_iban("GB", 1), by=0)
        ana, ben, cleo = (a_household(session, name) for name in ("Ana", "Ben", "Cleo"))
        give_credit(session, cleo, 5_000)
    for n, (one, minor) in enumerate({ana: 2_000, ben: 3_000}.items()):
        said = {"amount_minor": minor, "received_on": now().date(), "reference": f"c{n}", "share_id": None}
        incoming.record_payment(db, one, purpose="capital", by=0, at=now(), key=f"c{n}", **said)
        equity.buy_back(db, one, minor, reason="leaves", by=0, at=now(), key=f"b{n}")
    equity.refund_by_file(db, cleo, 500, by=0, at=now(), key="r")
    for one, iban in ((ana, ANAS), (ben, BENS)):
        keep(db, local_settings, one, iban=iban)
    return ana, ben, cleo


def keep(db, settings, household, **account):
    said = {"holder": "Ana Mill", "by": 0, "at": now(), "field_key": settings.field_key}
    return payees.change_account(db, household, **said | account)


def ask(browser):
    """Press the button, and return the file's page."""
    answer = browser.fill(FILES, action=FILES)
    assert answer.status_code == 303, answer.text
    return answer.location


def number(path):
    """The file's number, from the address of its page."""
    return int(path.rpartition("/")[2])


def sent(db):
    """Who was told that money is on its way, and how much."""
    with db() as session:
        asked = (
            "SELECT address, values->>'amount_minor' FROM notice WHERE template = 'household_payment_sent' ORDER BY id"
        )
        return [(address.partition(".")[0], int(minor)) for address, minor in session.execute(text(asked))]


def code_of(act, *args, **named):
    with pytest.raises(RuleBroken) as refused:
        act(*args, **named)
    return refused.value.code


def test_a_file_pays_each_known_account_once_and_is_stored_before_it_is_downloaded(petra, tomas, db, town):
    page = petra.get(FILES).text
    # 20.00 and 30.00 can be paid; Cleo's 5.00 waits for an account
    assert "€50.00" in page
    assert "no account known" in page
    path = ask(petra)
    assert petra.get(f"{path}/download").status_code == 404
    assert "Approve it" not in petra.get(path).text
    assert petra.fill(f"{path}/approval").status_code == 403  # who asked is no second person
    assert sent(db) == []
    done = tomas.fill(f"{path}/approval")
    assert (done.status_code, done.location) == (303, path)
    assert sent(db) == [("ana", 2_000), ("ben", 3_000)]
    first, again = petra.get(f"{path}/download"), tomas.get(f"{path}/download")
    assert (first.data, first.mimetype) == (again.data, "application/xml")
    assert "attachment" in first.headers["Content-Disposition"]
    with db() as session:
        kept = session.scalar(text("SELECT sha256 FROM household_file"))
    assert kept == hashlib.sha256(first.data).hexdigest()
    SCHEMA.validate(first.data.decode())
    told = ET.fromstring(first.data)
    names = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
    assert [one.text for one in told.iterfind(".//p:CdtrAcct//p:IBAN", names)] == [ANAS, BENS]
    assert [one.text for one in told.iterfind(".//p:InstdAmt", names)] == ["20.00", "30.00"]
    assert told.find(".//p:CtrlSum", names).text == "50.00"
    assert "Ask for a file" not in petra.get(FILES).text  # nothing is left that could stand in a second file
    assert tomas.fill(f"{path}/approval").status_code == 303  # asked again, it is the same file
    assert petra.get(f"{path}/download").data == first.data


def test_the_bank_paid_it_and_each_payment_is_settled_once(petra, tomas, db, town):
    ana, _, _ = town
    path = ask(petra)
    assert tomas.fill(f"{path}/approval").status_code == 303
    with db() as session:
        payment = session.scalar(text("SELECT id FROM household_payment WHERE household_id = :ana"), {"ana": ana})
    equity.note_paid(db, payment, on=now().date(), by=0, at=now(), key="p")
    for typed in ({"on": ""}, {"on": (now() + timedelta(days=2)).date().isoformat()}, {"on": "2026-02-30"}):
        assert petra.fill(f"{path}/paid", typed).status_code == 422
    assert petra.fill(f"{path}/paid", {"on": now().date().isoformat()}).status_code == 303
    assert petra.fill(f"{path}/paid", {"on": now().date().isoformat()}).status_code == 303
    # 50.00 of capital and 50.00 of credit came in, 50.00 went out; Cleo's 5.00 are still on their way
    assert balances(db, BANK) == {"": -5_000}
    assert sum(balances(db, PAYOUT_TRANSIT).values()) == 500
    assert "paid" in petra.get(path).text


def test_what_falls_goes_into_the_next_file(petra, tomas, db, town):
    first = ask(petra)
    assert code_of(remitting.ask, db, by=1, at=now(), key="second") == "one_waits"
    assert petra.press(f"{first}/withdrawal").status_code == 303
    assert code_of(remitting.note_refused, db, number(first), reason="x", by=1, at=now()) == "not_made"
    second = ask(petra)
    assert tomas.fill(f"{second}/approval").status_code == 303
    assert petra.fill(f"{second}/refusal", {"reason": ""}).status_code == 422
    assert petra.fill(f"{second}/refusal", {"reason": "AC01 for all, says the bank's help line"}).status_code == 303
    assert petra.fill(f"{second}/paid").status_code == 422
    assert code_of(remitting.note_paid, db, number(second), on=now().date(), by=1, at=now()) == "not_made"
    third = ask(tomas)
    assert petra.fill(f"{third}/approval").status_code == 303
    with db() as session:
        live = session.execute(text("SELECT payment_id, count(*) FILTER (WHERE live), count(*) FROM household_file_line GROUP BY 1")).all()  # fmt: skip
    assert {(one[1], one[2]) for one in live} == {(1, 3)}


def test_a_file_of_which_something_was_paid_was_taken_by_the_bank(petra, tomas, db, town):
    path = ask(petra)
    assert tomas.fill(f"{path}/approval").status_code == 303
    with db() as session:
        payment = session.scalar(text("SELECT min(payment_id) FROM household_file_line"))
    equity.note_paid(db, payment, on=now().date(), by=0, at=now(), key="p")
    answer = petra.fill(f"{path}/refusal", {"reason": "I thought so"})
    assert (answer.status_code, "so the bank has it" in answer.text) == (422, True)


def test_a_file_made_of_other_facts_is_not_approved(petra, tomas, db, town, local_settings):
    ana, _, _ = town
    path = ask(petra)
    keep(db, local_settings, ana, iban=demo_iban("GB", 9))
    answer = tomas.fill(f"{path}/approval")
    assert (answer.status_code, "Withdraw it and ask anew." in answer.text) == (409, True)
    assert petra.press(f"{path}/withdrawal").status_code == 303
    # a changed account rests, so that only Ben is paid
    assert "account changed: rests" in petra.get(FILES).text
    assert tomas.fill(f"{ask(petra)}/approval").status_code == 303
    assert sent(db) == [("ben", 3_000)]


def test_the_bank_account_covers_what_a_file_pays(petra, tomas, db, town):
    path = ask(petra)
    with db.begin() as session:
        policy.settle(session, "bank_overdraft_minor", -(10**6), by=0)
    answer = tomas.fill(f"{path}/approval")
    assert (answer.status_code, "holds less than is on its way" in answer.text) == (422, True)


def test_who_decides_for_their_own_household_is_another(petra, client_as, db, town, local_settings):
    ana, _, _ = town
    path = ask(petra)
    own = client_as("treasurer")
    with db.begin() as session:
        session.add(Belonging(person_id=own.person_id, household_id=ana))
    answer = own.fill(f"{path}/approval")
    assert (answer.status_code, "so somebody else approves it" in answer.text) == (422, True)
    said = {"by": own.person_id, "at": now(), "field_key": local_settings.field_key}
    assert code_of(remitting.make, db, number(path), **said) == "own_household"


def test_there_is_no_file_of_nothing(petra, db):
    answer = petra.press(FILES)
    assert (answer.status_code, "There is no payment" in answer.text) == (422, True)
    assert code_of(remitting.ask, db, by=1, at=now(), key="none") == "nothing_due"


def test_accounts_in_the_united_states_are_paid_by_ach(petra, tomas, db, town, local_settings):
    ana, ben, _ = town
    with db.begin() as session:
        session.execute(text("DELETE FROM household_account"))
        for name, value in (
            ("currency", "USD"),
            ("bank_file", "nacha"),
            ("ach_routing", "021000021"),
            ("ach_bank_name", "Big River Bank"),
            ("ach_company_id", "1123456789"),
        ):
            policy.settle(session, name, value, by=0)
    keep(db, local_settings, ana, us=UsAccount("011401533", "12345678"))
    keep(db, local_settings, ben, iban=BENS)
    path = ask(petra)
    answer = tomas.fill(f"{path}/approval")
    assert (answer.status_code, "of another kind" in answer.text) == (422, True)
    with db.begin() as session:
        session.execute(text("DELETE FROM household_file_line"))
        session.execute(text("DELETE FROM household_file"))
        session.execute(text("DELETE FROM household_account WHERE household_id = :ben"), {"ben": ben})
    path = ask(petra)
    assert tomas.fill(f"{path}/approval").status_code == 303
    entry = next(line for line in petra.get(f"{path}/download").text.splitlines() if line.startswith("6"))
    assert entry[1:3] + entry[3:12] == "22011401533"
    assert entry[12:29].strip() == "12345678"
    assert int(entry[29:39]) == 2_000


def test_a_household_gives_its_account_which_is_sealed_and_told(client_as, db, sign_in_age):
    ana = client_as("member")
    assert "We know no account of yours yet." in ana.get("/account/bank").text
    done = ana.fill("/account/bank/change", {"holder": "Ana Mill", "iban": ANAS})
    assert (done.status_code, done.location) == (303, "/account/bank")
    page = ana.get("/account/bank").text
    assert f"ending in {ANAS[-4:]}" in page
    assert "nothing is paid to it before" not in page
    with db() as session:
        row = session.execute(text("SELECT * FROM household_account")).one()
        told = session.scalar(text("SELECT values::text FROM notice WHERE template = 'household_account_changed'"))
    assert ANAS[4:-4] not in f"{row}{told}{page}"
    assert ana.fill("/account/bank/change", {"holder": "Ana Mill", "iban": BENS}).status_code == 303
    assert "nothing is paid to it before" in ana.get("/account/bank").text
    sign_in_age(ana.person_id, minutes=11)
    assert ana.get("/account/bank/change").location.partition("?")[0] == "/confirm"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"iban": "GB82 WEST 1234 5698 7654 33"}, "field-error"),
        ({"iban": "not an account"}, "field-error"),
        ({"iban": ""}, "Please fill in: IBAN."),
        ({"holder": ""}, "Please fill in: Account held by."),
        ({"holder": "x" * 121}, "please keep to 120"),
    ],
)
def test_what_is_no_account_is_refused(client_as, db, typed, sentence):
    answer = client_as("member").fill("/account/bank/change", {"holder": "Ana", "iban": ANAS} | typed)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM household_account")) == 0


def test_credit_goes_on_the_next_file_where_the_treasurer_says_so(petra, db, town):
    _, _, cleo = town
    path = f"/money/households/{cleo}/refund"
    assert petra.fill(path, {"amount": "45.01", "way": "file"}).status_code == 422
    assert petra.fill(path, {"amount": "45.00", "way": "file"}).status_code == 303
    assert balances(db, MEMBER_CREDIT) == {}
    assert sum(balances(db, PAYOUT_TRANSIT).values()) == 2_000 + 3_000 + 500 + 4_500
    assert code_of(equity.refund_by_file, db, cleo, 1, by=0, at=now(), key="x") == "insufficient_credit"


def test_it_is_for_treasurers_with_a_fresh_proof(petra, client_as, town, sign_in_age):
    path = ask(petra)
    assert client_as("member").get(FILES).status_code == 403
    for unknown in (f"{FILES}/999999", f"{FILES}/999999/download"):
        assert petra.get(unknown).status_code == 404
    sign_in_age(petra.person_id, minutes=11)
    for page in ("approval", "refusal", "download"):
        assert petra.get(f"{path}/{page}").location.partition("?")[0] == "/confirm"
