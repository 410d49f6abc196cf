"""A treasurer prepares a payout, a second person approves it, the bank file is the same each time, and makers see their own statement alone."""

from __future__ import annotations

import hashlib
import io
import re

import pytest
import time_machine
from sqlalchemy import text

from coop import jobs
from coop.payouts import service as payouts
from coop.policy import service as policy
from coop.transfers import service as transfers
from tests import rounds
from tests.builders import FIELD_KEY
from tests.rounds import PICKUP, compute_payouts, fetch
from tests.services.test_bank import statement
from tests.services.test_payouts import Coop
from tests.web.conftest import app_code, without_tokens


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


@pytest.fixture
def coop(db):
    """Mia is owed 67.50 for three mugs, Orchard Lane 4.68 for a jar."""
    made = Coop(db)
    fetch(db, made.anas_mugs, 3)
    fetch(db, made.anas_jam, 1)
    return made


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("<main")[2]))


def shown(browser, path, **query):
    answer = browser.get(path, query_string=query)
    assert answer.status_code == 200, (path, answer.status_code)
    return words(answer.text)


# -- runs --


def test_the_preview_says_who_is_paid_and_who_waits_and_why(client_as, coop):
    page = shown(client_as("treasurer"), "/payouts/new")
    assert "To pay €67.50 to 1 maker" in page
    assert "Work out €67.50 for 1 maker" in page
    assert re.search(r"Mia&#39;s pottery €75.00 €7.50 €0.00 €67.50 paid now", page)
    assert re.search(r"Orchard Lane €5.20 €0.52 €0.00 €4.68 waits: under the minimum", page)


def test_a_payout_is_asked_for_worked_out_and_followed_live(client_as, coop, db):
    jun = client_as("treasurer")
    started = jun.fill("/payouts/new")
    assert started.status_code == 303
    page = jun.get(started.location)
    assert "<live-status" in page.text
    fragment = jun.get(f"{started.location}/status")
    assert "data-done" not in fragment.text
    assert "<html" not in fragment.text
    run_id = int(started.location.rpartition("/")[2])
    rounds.work_off(db, jobs.COMPUTE_PAYOUTS, run_id, lambda d, lease: payouts.carry_out(d, lease, at=PICKUP))
    done = jun.get(f"{started.location}/status").text
    assert "data-done" in done
    assert "1 statement, €67.50 in all." in words("<main>" + done)
    assert "You asked for this payout" in shown(jun, started.location)


def test_a_day_to_come_is_refused_with_the_day_as_typed(client_as, coop):
    refused = client_as("treasurer").fill("/payouts/new", {"through": "2026-12-02"})
    assert refused.status_code == 422
    assert "A payout covers days that are over." in refused.text
    assert 'value="2026-12-02"' in refused.text


@pytest.mark.parametrize("typed", ["", "yesterday", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_refused_beside_the_day(client_as, coop, typed):
    refused = client_as("treasurer").fill("/payouts/new", {"through": typed})
    assert refused.status_code == 422
    assert 'id="through-error"' in refused.text


def test_a_second_run_is_not_offered_and_not_taken_while_one_is_open(client_as, coop, db):
    run_id = compute_payouts(db, by=coop.jun)
    jun = client_as("treasurer")
    page = jun.get("/payouts/new")
    assert "Another payout is under way." in page.text
    refused = jun.press("/payouts/new", {"through": "2026-12-01"})
    assert (refused.status_code, f"/payouts/{run_id}" in refused.text) == (422, True)


def test_a_second_person_approves_afresh_and_makes_the_file(client_as, coop, db, local_settings, sign_in_age):
    _seal_again(db, coop, local_settings)
    run_id = compute_payouts(db, by=coop.jun)
    petra = client_as("treasurer")
    sign_in_age(petra.person_id, minutes=11)
    asked = petra.get(f"/payouts/{run_id}/approval")
    assert (asked.status_code, asked.location) == (303, f"/confirm?next=/payouts/{run_id}/approval")
    wrong = petra.fill(asked.location, {"code": "000000"})
    assert (wrong.status_code, petra.get(f"/payouts/{run_id}/approval").status_code) == (422, 303)
    assert petra.fill(asked.location, {"code": app_code()}).location == f"/payouts/{run_id}/approval"
    right = petra.fill(f"/payouts/{run_id}/approval")
    assert (right.status_code, right.location) == (303, f"/payouts/{run_id}")
    assert "Make the bank file over €67.50" in shown(petra, f"/payouts/{run_id}")
    assert petra.get(f"/payouts/{run_id}/file").status_code == 404
    made = petra.fill(f"/payouts/{run_id}", action=f"/payouts/{run_id}/file")
    assert made.status_code == 303
    first, second = petra.get(f"/payouts/{run_id}/file"), petra.get(f"/payouts/{run_id}/file")
    assert first.data == second.data
    assert first.headers["Content-Disposition"].startswith('attachment; filename="SB')
    assert hashlib.sha256(first.data).hexdigest() in petra.get(f"/payouts/{run_id}").text
    again = petra.press(f"/payouts/{run_id}/file")
    assert (again.status_code, petra.get(f"/payouts/{run_id}/file").data) == (303, first.data)


def _seal_again(db, coop, settings):
    """Give Mia her account sealed under the application's own key; it is her first, so nothing rests."""
    from coop.agreements import service as agreements
    from coop.formats.iban import demo_iban

    with db.begin() as session:
        session.execute(text("DELETE FROM bank_details WHERE artisan_id = :mia"), {"mia": coop.mia})
        iban = demo_iban("GB", 2)
        agreements.set_bank_details(
            session, coop.mia, holder="Mia", iban=iban, by=0, at=PICKUP, field_key=settings.field_key
        )


def test_whoever_asked_cannot_approve(client_as, coop, db):
    jun = client_as("treasurer", "admin")
    run_id = compute_payouts(db, by=jun.person_id)
    refused = jun.fill(f"/payouts/{run_id}/approval")
    assert refused.status_code == 403
    assert "A second person approves" in refused.text


def test_a_treasurer_does_not_approve_what_pays_their_own_workshop(client_as, coop, db):
    run_id = compute_payouts(db, by=coop.jun)
    mia = client_as("treasurer", "artisan", artisan_id=coop.mia)
    assert "pays a workshop you belong to" in shown(mia, f"/payouts/{run_id}")
    refused = mia.fill(f"/payouts/{run_id}/approval")
    assert refused.status_code == 422
    assert "This run pays a workshop you belong to" in refused.text


def test_a_file_is_not_made_before_the_approval(client_as, coop, db):
    run_id = compute_payouts(db, by=coop.jun)
    refused = client_as("treasurer").press(f"/payouts/{run_id}/file")
    assert (refused.status_code, "once a second person has approved" in refused.text) == (422, True)


def test_a_run_is_called_off_with_a_reason(client_as, coop, db):
    run_id = compute_payouts(db, by=coop.jun)
    petra = client_as("treasurer")
    assert petra.fill(f"/payouts/{run_id}/cancellation", {"reason": " "}).status_code == 422
    assert petra.fill(f"/payouts/{run_id}/cancellation", {"reason": "one day too early"}).status_code == 303
    assert "called off" in shown(petra, f"/payouts/{run_id}")
    assert "Prepare a payout" in shown(petra, "/payouts")


def test_a_bank_account_is_shown_by_its_ending_alone(client_as, coop, db):
    from coop.formats.iban import demo_iban

    run_id = compute_payouts(db, by=coop.jun)
    page = client_as("treasurer").get(f"/payouts/{run_id}").text
    assert f"…{demo_iban('GB', 2)[-4:]}" in page
    assert demo_iban("GB", 2) not in page


@pytest.mark.parametrize("path", ["", "/status", "/approval", "/cancellation", "/file"])
def test_a_run_that_never_was_is_unknown(client_as, path):
    assert client_as("treasurer").get(f"/payouts/999999{path}").status_code == 404


# -- statements --


def test_a_statement_is_its_makers_the_treasurers_and_the_admins_to_see(client_as, coop, db):
    compute_payouts(db, by=coop.jun)
    with db() as session:
        statement_id = session.scalar(text("SELECT id FROM statement"))
    path = f"/statements/{statement_id}"
    mia, orchard = client_as("artisan", artisan_id=coop.mia), client_as("artisan", artisan_id=coop.orchard)
    assert re.search(r"Mug lot \S+ 1 3 €75.00 €7.50 €67.50", shown(mia, path))
    assert "Statement 2026-1" in shown(client_as("treasurer"), path)
    assert "Statement 2026-1" in shown(client_as("admin"), path)
    anothers, unknown = orchard.get(path), orchard.get("/statements/999999")
    assert (anothers.status_code, unknown.status_code) == (404, 404)
    assert without_tokens(anothers.text) == without_tokens(unknown.text)
    assert client_as("member").get(path).status_code == 403
    assert client_as("packer").get(path).status_code == 403


def test_a_maker_sees_what_the_next_payout_comes_to(client_as, coop, db):
    page = shown(client_as("artisan", artisan_id=coop.mia), "/statements")
    # the pickup is on the first of December, and makers are paid on the fifth of a month
    assert "Next payout" in page
    assert re.search(r"3 Mug €75.00 Co-op fee -€7.50 On Sat, 5 Dec €67.50", page)
    assert "Pieces count from the day they are handed over." not in page  # Ben's two mugs wait
    assert "2 pieces more wait to be fetched" in page
    assert "Orchard" not in page
    orchard = shown(client_as("artisan", artisan_id=coop.orchard), "/statements")
    assert "Less than €10.00 waits" in orchard


def test_after_a_run_the_statement_stands_in_the_list_and_the_preview_starts_anew(client_as, coop, db):
    compute_payouts(db, by=coop.jun)
    page = shown(client_as("artisan", artisan_id=coop.mia), "/statements")
    assert re.search(r"2026-1 up to Tue, 1 Dec €67.50 not sent yet", page)
    assert re.search(r"On Sat, 5 Dec €0.00", page)


# -- bank --


@pytest.fixture
def ben(db, coop):
    return coop.ben


def test_a_payment_is_recorded_for_a_household_found_by_name(client_as, db, ben):
    petra = client_as("treasurer")
    assert f"/bank/payments/new/{ben}" in petra.get("/bank/payments/new?q=be").text
    done = petra.fill(
        f"/bank/payments/new/{ben}",
        {"purpose": "credit", "amount": "1,250.5", "received_on": "2026-12-01", "reference": "AB-1"},
    )
    assert (done.status_code, done.location) == (303, "/bank/payments")
    assert re.search(r"Ben credit €1,250.50 Tue, 1 Dec AB-1", shown(petra, "/bank/payments"))
    assert "Nothing found" in shown(petra, "/bank/payments", q="zzz")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount": "0"}, "Please give 0.01 or more."),
        ({"amount": "-5"}, "Please give 0.01 or more."),
        ({"amount": "1.005"}, "finer than the currency"),
        ({"amount": "1e3"}, "is not an amount"),
        ({"amount": "12,34"}, "not in groups of three"),
        ({"amount": "1000000.01"}, "at most 1,000,000.00"),
        ({"received_on": "2026-12-02"}, "once it has arrived"),
        ({"received_on": "2026-13-01"}, "a day that exists"),
        ({"reference": ""}, 'id="reference-error"'),
        ({"purpose": "share-9"}, "Not a valid choice"),
    ],
)
def test_a_payment_that_cannot_be_is_refused_with_what_was_typed(client_as, db, ben, typed, said):
    whole = {"purpose": "credit", "amount": "50.00", "received_on": "2026-12-01", "reference": "AB-1"}
    refused = client_as("treasurer").fill(f"/bank/payments/new/{ben}", whole | typed)
    assert refused.status_code == 422
    assert said in refused.text
    for name, value in (whole | typed).items():
        assert name == "purpose" or f'value="{value}"' in refused.text
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM recorded_payment")) == 0


def test_an_amount_sent_twice_is_refused(client_as, db, ben):
    petra = client_as("treasurer")
    path = f"/bank/payments/new/{ben}"
    sent = {"purpose": "credit", "amount": ["1", "999"], "received_on": "2026-12-01", "reference": "AB-1"}
    assert petra.press(path, sent).status_code == 400


def test_the_same_reference_is_not_recorded_twice(client_as, db, ben):
    petra = client_as("treasurer")
    sent = {"purpose": "credit", "amount": "5", "received_on": "2026-12-01", "reference": "AB-1"}
    petra.fill(f"/bank/payments/new/{ben}", sent)
    again = petra.fill(f"/bank/payments/new/{ben}", sent)
    assert (again.status_code, "A payment with this reference is recorded already." in again.text) == (422, True)


def upload(browser, content: bytes):
    return browser.fill("/bank/statements", {"file": (io.BytesIO(content), "statement.xml")})


def test_a_bank_statement_settles_the_payout_and_says_what_each_line_was(client_as, coop, db):
    run_id = compute_payouts(db, by=coop.jun)
    transfers.approve(db, run_id, by=coop.petra, at=PICKUP)
    transfers.make_file(db, run_id, by=0, at=PICKUP, field_key=FIELD_KEY)
    with db() as session:
        end_to_end = session.scalar(text("SELECT end_to_end_id FROM payment"))
    content = statement(
        ("B1", -6750, end_to_end, "Statement 2026-1"), ("B2", 5000, None, "from Ben"), ("B3", -150, None, "Charges")
    )
    petra = client_as("treasurer")
    taken = upload(petra, content)
    assert taken.status_code == 303
    page = shown(petra, taken.location)
    assert "Taken in. Each line" in page
    assert re.search(r"-€67.50 Statement 2026-1 B1 payout Mia&#39;s pottery", page)
    assert re.search(r"€50.00 from Ben B2 whose is not known Whose is it\?", page)
    assert re.search(r"-€1.50 Charges B3 not matched", page)
    assert "2 open" in page
    with db() as session:
        line_id = session.scalar(text("SELECT id FROM bank_line WHERE reference = 'B3'"))
    charged = petra.press(f"{taken.location}/lines/{line_id}/charge")
    assert (charged.status_code, charged.location) == (303, taken.location)
    page = shown(petra, taken.location)
    assert re.search(r"-€1.50 Charges B3 bank charge", page)
    assert "1 open" in page
    assert "Book as a bank charge" not in page
    assert re.search(r"payment .* paid Tue, 1 Dec", shown(petra, f"/payouts/{run_id}"))
    once_more = upload(petra, content)
    assert once_more.location == taken.location
    assert "This very file was taken in before, so nothing was changed." in shown(petra, once_more.location)


def test_a_receipt_that_nobody_knew_is_given_to_its_household_from_the_statement(client_as, coop, db):
    petra = client_as("treasurer")
    path = upload(petra, statement(("B2", 5000, None, "from Ben"))).location
    choose = re.search(r'href="(/bank/payments/new\?line=\d+)"', petra.get(path).text)[1]
    record = re.search(rf'href="(/bank/payments/new/{coop.ben}\?line=\d+)"', petra.get(choose).text)[1]
    page = petra.get(record)
    assert all(value in page.text for value in ('value="50.00"', 'value="01/12/2026"', 'value="B2"'))
    assert petra.fill(record).status_code == 303
    assert re.search(r"B2 found its household Ben", shown(petra, path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello", "no bank statement that we can read"),
        (b'<!DOCTYPE d [<!ENTITY e "x">]><d>&e;</d>', "declares a document type"),
    ],
)
def test_a_file_that_is_no_statement_is_refused_and_says_why(client_as, coop, content, said):
    refused = upload(client_as("treasurer"), content)
    assert (refused.status_code, said in refused.text) == (422, True)


def test_sending_no_file_asks_for_one(client_as, coop):
    refused = client_as("treasurer").fill("/bank/statements")
    assert (refused.status_code, "Please choose a file." in refused.text) == (422, True)


@pytest.mark.parametrize("path", ["/bank/payments/new/999999", "/bank/statements/999999"])
def test_what_never_was_is_unknown_to_the_bank_pages(client_as, path):
    assert client_as("treasurer").get(path).status_code == 404


# -- all of them --


def test_each_page_asks_the_database_few_things(client_as, coop, db, _shared_engine):
    from sqlalchemy import event

    run_id = compute_payouts(db, by=coop.jun)
    with db() as session:
        statement_id = session.scalar(text("SELECT id FROM statement"))
    petra, mia, jo = client_as("treasurer"), client_as("artisan", artisan_id=coop.mia), client_as("packer")
    asked: list[str] = []
    event.listen(_shared_engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    pages = [
        (petra, path)
        for path in (
            "/payouts",
            "/payouts/new",
            f"/payouts/{run_id}",
            "/bank/payments",
            "/bank/statements",
            f"/bank/payments/new/{coop.ben}",
        )
    ]
    pages += [(mia, "/statements"), (mia, f"/statements/{statement_id}"), (jo, "/pickups"), (jo, "/pickups/1")]
    for browser, path in pages:
        asked.clear()
        browser.get(path)
        selects = [one for one in asked if one.lstrip().upper().startswith(("SELECT", "WITH"))]
        assert len(selects) <= 12, (path, len(selects))


def test_amounts_below_the_minimum_are_the_policys(client_as, coop, db):
    with db.begin() as session:
        policy.settle(session, "payout_minimum_minor", 400, by=0)
    assert "To pay €72.18 to 2 makers" in shown(client_as("treasurer"), "/payouts/new")


@pytest.mark.parametrize(("role", "first"), [("treasurer", "/payouts"), ("packer", "/pickups"), ("admin", "/admin")])
def test_whoever_orders_nothing_begins_where_their_work_is(client_as, role, first):
    assert client_as(role).get("/").location == first
