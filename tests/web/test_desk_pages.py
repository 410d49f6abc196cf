"""The admin's first page says what needs doing; the list of members finds each of them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event, text

from coop.agreements import service as agreements
from coop.clock import now
from coop.fees import service as fees
from coop.formats.iban import demo_iban
from coop.places import service as places
from coop.pools import service as pools
from tests.builders import (
    FIELD_KEY,
    a_household,
    a_person,
    a_pool,
    a_season,
    a_size,
    an_artisan,
    an_offering,
    give_credit,
)


def test_a_quiet_day_says_so(client_as):
    assert "Nothing waits for you" in client_as("admin").get("/admin").text


def test_the_desk_names_each_pool_that_waits_and_links_to_where_it_is_done(db, client_as):
    with db.begin() as session:
        season = a_season(session)
        due = a_pool(session, season, "Due pool", closes_at=now() + timedelta(days=4))
        session.execute(
            text("UPDATE pool SET opens_at = :at WHERE id = :id"), {"at": now() - timedelta(hours=1), "id": due}
        )
        shut = a_pool(session, season, "Shut pool", closes_at=now() + timedelta(days=3))
        an_offering(session, shut)
        offered_twice = a_pool(session, season, "Open pool", closes_at=now() + timedelta(days=5))
        an_offering(session, offered_twice)
    for pool in (shut, offered_twice):
        pools.open_pool(db, pool, by=0, at=now())
    pools.close_pool(db, shut, by=0, at=now(), reason="for the test")
    page = client_as("admin").get("/admin").text
    assert f'<a href="/admin/pools/{due}">Open Due pool</a>' in page
    assert f'<a href="/pools/{shut}/allocation">Wait for the yields of Shut pool</a>' in page
    assert "yields in 0/1" in page
    assert f'<a href="/admin/pools/{offered_twice}">Open pool</a> closes' in page


def test_jobs_that_gave_up_stand_on_the_desk(db, client_as):
    with db.begin() as session:
        session.execute(
            text("INSERT INTO outbox (job, row_id, dedup_key, dead_at) VALUES ('x', 1, 'x:1', clock_timestamp())")
        )
    assert "1 job gave up" in client_as("admin").get("/admin").text


def test_what_a_maker_waits_for_a_second_person_for_stands_on_the_desk(db, client_as):
    ada = client_as("admin")
    with db.begin() as session:
        kiln, left = an_artisan(session, "Kiln Street Pottery"), an_artisan(session, "Orchard Lane")
        session.execute(text("UPDATE person SET name = 'Ada' WHERE id = :id"), {"id": ada.person_id})
    whose = {"by": ada.person_id, "at": now()}
    for maker in (kiln, left):
        begins = now() + timedelta(days=1)
        asked = fees.ask_terms(db, maker, effective_from=begins, fee_bp=1200, **whose, key=f"form of {maker}")
    account = agreements.change_bank_details(
        db, kiln, holder="Kiln Street", iban=demo_iban("GB", 1), **whose, field_key=FIELD_KEY
    )
    with db.begin() as session:
        session.execute(text("UPDATE artisan SET left_at = now() WHERE id = :id"), {"id": left})
    page = ada.get("/admin").text
    where = f'<a href="/makers/{kiln}/agreement">'
    assert f"{where}Terms with Kiln Street Pottery wait for a second person</a>" in page
    assert f"{where}The account of Kiln Street Pottery waits for a second person</a>" in page
    assert page.count("by Ada") == 2
    assert "Orchard Lane" not in page
    with db.begin() as session:
        session.execute(text("UPDATE artisan SET left_at = NULL"))
    fees.withdraw_terms(db, asked, **whose)
    agreements.withdraw_bank_details(db, account, **whose)
    fees.approve_terms(db, asked - 1, by=0, at=now())
    assert "Nothing waits for you" in ada.get("/admin").text


def test_a_member_is_found_by_household_person_address_and_reference(db, client_as):
    with db.begin() as session:
        mill = a_household(session, "Mill Lane household")
        a_person(session, "Zdenka Novak", household_id=mill)
        a_household(session, "Someone else")
        session.execute(text("UPDATE household SET reference = '17850' WHERE id = :id"), {"id": mill})
        season = a_season(session)
        size = a_size(session, season)
        give_credit(session, mill, 1234)
    places.take_share(db, size, household_id=mill, by=0, at=now(), key="share")
    admin = client_as("admin")
    for sought in ("mill LANE", "novak", "zdenka.", "1785"):
        page = admin.get("/admin/members", query_string={"q": sought}).text
        assert f"/admin/members/{mill}" in page, sought
        assert "Someone else" not in page
    assert "full, Autumn 2026" in page
    assert "€12.34" in page
    assert "Nobody found" in admin.get("/admin/members", query_string={"q": "100%"}).text
    own = admin.get(f"/admin/members/{mill}").text
    assert "Zdenka Novak" in own
    assert "Paid in" in own
    assert admin.get("/admin/members/999999").status_code == 404


def test_the_list_of_members_asks_the_database_the_same_few_things_however_many_there_are(
    db, client_as, _shared_engine
):
    admin = client_as("admin")
    counts = []
    for _ in range(2):
        with db.begin() as session:
            for number in range(60):
                a_household(session, f"Household {number}")
        admin.get("/admin/members")  # settings that are kept for some seconds are read now
        counts.append(len(_asked(_shared_engine, lambda: admin.get("/admin/members"))))
    assert counts[0] == counts[1] <= 12


def _asked(engine, act):
    seen = []

    def note(conn, cursor, statement, *rest):
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "SET ")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return seen
