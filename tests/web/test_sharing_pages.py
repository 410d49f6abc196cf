"""An admin plans a pool, opens and closes it, sees what sharing out comes to, asks for it, and publishes it; members read what they got."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from coop import jobs
from coop.allocation import service as allocation
from coop.asking import service as asking
from coop.awards.queries import letter_of_awards
from coop.batches import service as batches
from coop.clock import now
from coop.core.proof import verify_lines
from coop.orders.service import place_order
from coop.places import service as places
from coop.pools import service as pools
from coop.pools.models import Offering
from coop.publishing import service as publishing
from coop.wishes.service import Wish
from tests.builders import (
    a_batch,
    a_household,
    a_pool,
    a_product,
    a_season,
    a_size,
    an_artisan,
    an_offering,
    give_credit,
)
from tests.rounds import work_off
from tests.web.conftest import forms_of


@dataclass
class Town:
    season: int
    pool: int
    gin: int
    jam: int
    ana: int
    tomas: int


@pytest.fixture
def town(db, local_settings, client_as):
    """Ana (weight 2) wishes 3 gin and 2 jam, Tomas (weight 1) 3 gin; orders of the pool closed an hour ago."""
    today = now().date()
    with db.begin() as session:
        season = a_season(
            session,
            starts=today - timedelta(days=30),
            ends=today + timedelta(days=60),
            field_key=local_settings.field_key,
        )
        full, half = a_size(session, season), a_size(session, season, "half", weight=1)
        ana, tomas = a_household(session, "Ana"), a_household(session, "Tomas")
        give_credit(session, ana, 50_000, on=today)
        give_credit(session, tomas, 50_000, on=today)
        pool = a_pool(session, season, "November pool", closes_at=now() + timedelta(hours=1))
        marsh, orchard = (
            an_artisan(session, "Marsh & Alder Distillery"),
            an_artisan(session, "Orchard Lane Preserves"),
        )
        gin = an_offering(session, pool, a_product(session, marsh, "Hedgerow gin, 50 cl"), price_minor=3400)
        jam = an_offering(session, pool, a_product(session, orchard), price_minor=520)
    an_hour_ago = now() - timedelta(hours=1)
    for size, household in ((full, ana), (half, tomas)):
        places.take_share(
            db, size, household_id=household, by=0, at=now() - timedelta(hours=3), key=f"share-{household}"
        )
    pools.open_pool(db, pool, by=0, at=now() - timedelta(hours=2))
    _order(db, pool, ana, [Wish(gin, 3, 3, 3400), Wish(jam, 2, 4, 520)], an_hour_ago)
    _order(db, pool, tomas, [Wish(gin, 3, 3, 3400)], an_hour_ago)
    return Town(season, pool, gin, jam, ana, tomas)


def _order(db, pool, household, wishes, at):
    place_order(db, pool, wishes, household_id=household, by=0, at=at, key=f"order-{pool}-{household}")


def close(db, town):
    pools.close_pool(db, town.pool, by=0, at=now(), reason="for the test")


def report(db, offering, pieces, **more):
    with db() as session:
        batch = session.get_one(Offering, offering).batch_id
    key = f"yield-{offering}-{pieces}"
    batches.report_yield(db, batch, pieces=pieces, by=0, at=now(), key=key, **more)


def work_out(db, settings, run_id):
    def carry_out(d, lease):
        allocation.carry_out(d, lease, at=now(), field_key=settings.field_key)

    work_off(db, jobs.COMPUTE_ALLOCATION, run_id, carry_out)


def book(db, run_id):
    work_off(db, jobs.PUBLISH_ALLOCATION, run_id, lambda d, lease: publishing.carry_out_publication(d, lease, at=now()))


def run_of(db, pool):
    with db() as session:
        return session.scalar(text("SELECT max(id) FROM allocation_run WHERE pool_id = :pool"), {"pool": pool})


def words(html):
    """Return what a page says, without its marks."""
    without = re.sub(r"</?(a|b|small|span|time)\b[^>]*>", "", html)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", without)))


@pytest.fixture
def proposed(db, town, local_settings):
    """A run of the pool, worked out: 4 gin for 6 wished, 3 jam for 2."""
    close(db, town)
    report(db, town.gin, 4)
    report(db, town.jam, 3)
    run_id = asking.request_run(db, town.pool, by=0, at=now())
    work_out(db, local_settings, run_id)
    return run_id


@pytest.fixture
def published(db, proposed):
    publishing.publish(db, proposed, by=0, at=now())
    book(db, proposed)
    return proposed


def member_of(db, browser, household):
    """Let the person of a browser belong to this household instead of their own."""
    with db.begin() as session:
        asked = {"household": household, "person": browser.person_id}
        session.execute(
            text("UPDATE belonging SET household_id = :household WHERE person_id = :person AND ended_at IS NULL"), asked
        )
    return browser


# -- before --


def test_the_outcome_is_seen_before_it_is_asked_for_and_is_the_one_the_run_comes_to(
    db, town, client_as, local_settings
):
    close(db, town)
    report(db, town.gin, 4)
    report(db, town.jam, 3)
    admin = client_as("admin")
    before = admin.get(f"/pools/{town.pool}/allocation")
    assert "Work out the outcome for 2 members" in before.text
    asked = admin.fill(f"/pools/{town.pool}/allocation", action=f"/pools/{town.pool}/allocation")
    run_id = run_of(db, town.pool)
    assert (asked.status_code, asked.location) == (303, f"/allocation/{run_id}")
    work_out(db, local_settings, run_id)
    after = admin.get(f"/allocation/{run_id}")
    with db() as session:
        digest = session.scalar(text("SELECT input_digest FROM allocation_run WHERE id = :run"), {"run": run_id})
    assert digest in before.text
    assert digest in after.text
    assert tiles(before.text) == tiles(after.text)
    assert rows(before.text) == rows(after.text)


def tiles(html):
    return words(html[html.index('<dl class="tiles">') : html.index("</dl>", html.index('<dl class="tiles">'))])


def rows(html):
    start = html.index("<tbody>", html.index("Batches"))
    return words(html[start : html.index("</tbody>", start)])


def test_an_outcome_says_what_was_made_what_is_short_and_what_goes_to_the_shelf(client_as, town, proposed):
    page = words(client_as("admin").get(f"/allocation/{proposed}").text)
    # 4 gin for 6 wished; 3 jam: the 2 wished for and 1 of the 2 more that Ana would take
    assert "Pieces shared out 7 of 7 made · none left over" in page
    assert "Members fully served 1 of 2" in page
    assert "short 2" in page
    assert "1 beyond the wishes" in page
    assert "Publish to 2 members" in page


def test_the_worst_served_line_is_looked_for_among_batches_that_were_made(db, client_as, town, local_settings):
    close(db, town)
    report(db, town.gin, 4)
    report(db, town.jam, 0)
    admin = client_as("admin")
    before = admin.get(f"/pools/{town.pool}/allocation").text
    run_id = asking.request_run(db, town.pool, by=0, at=now())
    work_out(db, local_settings, run_id)
    # four bottles over three share points: Ana's part is 2 2/3, Tomas' 1 1/3, so 3 of 3 and 1 of 3; nobody could have had jam
    assert "Worst-served line 33% of its wish" in tiles(before)
    assert tiles(admin.get(f"/allocation/{run_id}").text) == tiles(before)


def test_a_pool_with_orders_open_shows_what_would_come_of_it_and_cannot_be_shared_out(client_as, town):
    admin = client_as("admin")
    page = admin.get(f"/pools/{town.pool}/allocation")
    assert "This is what would come of it now" in words(page.text)
    assert "Work out the outcome" not in page.text
    refused = admin.press(f"/pools/{town.pool}/allocation")
    assert refused.status_code == 422


def test_missing_yields_are_named_and_may_be_counted_as_nothing_made(db, client_as, town):
    close(db, town)
    report(db, town.gin, 4)
    admin = client_as("admin")
    path = f"/pools/{town.pool}/allocation"
    page = words(admin.get(path).text)
    assert "1 of 2 batches have no yield yet: Damson jam, 340 g" in page
    assert "yields in 1/2" in page
    refused = admin.fill(path, action=path)
    assert refused.status_code == 422
    assert "1 of 2 batches have no yield reported yet" in refused.text
    assert run_of(db, town.pool) is None
    asked = admin.fill(path, {"without_missing": "y"}, action=path)
    assert (asked.status_code, asked.location) == (303, f"/allocation/{run_of(db, town.pool)}")


def test_what_changed_since_it_was_looked_at_is_not_shared_out(db, client_as, town):
    close(db, town)
    report(db, town.gin, 4)
    report(db, town.jam, 3)
    admin = client_as("admin")
    path = f"/pools/{town.pool}/allocation"
    looked_at = next(one for one in forms_of(admin.get(path).text) if one.action == path).fields
    report(db, town.gin, 3, reason="one broke")
    refused = admin.post(path, data=looked_at)
    assert refused.status_code == 409
    assert "changed since you looked" in refused.text
    assert run_of(db, town.pool) is None
    again = next(one for one in forms_of(refused.text) if one.action == path).fields
    assert admin.post(path, data=again).location == f"/allocation/{run_of(db, town.pool)}"


def test_a_pool_waits_for_the_one_that_closed_before_it(db, client_as, town):
    close(db, town)
    with db.begin() as session:
        later = a_pool(session, town.season, "December pool", closes_at=now() + timedelta(hours=2))
        an_offering(session, later)
    pools.open_pool(db, later, by=0, at=now())
    pools.close_pool(db, later, by=0, at=now(), reason="for the test")
    admin = client_as("admin")
    path = f"/pools/{later}/allocation"
    assert "November pool closed before this pool" in words(admin.get(path).text)
    refused = admin.fill(path, {"without_missing": "y"}, action=path)
    assert refused.status_code == 422
    assert "Publish its sharing out first" in refused.text


def test_three_rules_stand_side_by_side_and_only_the_one_in_force_is_marked(db, client_as, town):
    close(db, town)
    page = client_as("admin").get(f"/pools/{town.pool}/allocation").text
    assert page.count('class="choice-card') == 3
    assert page.count('class="choice-card in-force"') == 1
    assert "in force" in page


# -- while the worker is at it --


def test_a_run_that_no_worker_takes_says_so_after_fifteen_seconds(db, client_as, town):
    close(db, town)
    report(db, town.gin, 4)
    report(db, town.jam, 3)
    admin = client_as("admin")
    fresh = asking.request_run(db, town.pool, by=0, at=now())
    page = admin.get(f"/allocation/{fresh}")
    assert "Waiting for a worker" in page.text
    assert "Check again" in page.text
    assert "delayed" not in admin.get(f"/allocation/{fresh}/status").text
    with db.begin() as session:
        session.execute(
            text("UPDATE allocation_run SET requested_at = requested_at - interval '16 seconds' WHERE id = :run"),
            {"run": fresh},
        )
    status = admin.get(f"/allocation/{fresh}/status").text
    assert "This is delayed" in status
    assert "data-done" not in status


def test_the_status_ends_once_the_outcome_is_there(client_as, town, proposed):
    status = client_as("admin").get(f"/allocation/{proposed}/status").text
    assert "data-done" in status
    assert f"/allocation/{proposed}" in status
    assert "<html" not in status


def test_a_run_that_went_wrong_says_why_and_how_to_go_on(db, client_as, town):
    close(db, town)
    report(db, town.gin, 4)
    report(db, town.jam, 3)
    run_id = asking.request_run(db, town.pool, by=0, at=now())
    with db.begin() as session:
        allocation.fail(session, run_id, "The season's secret could not be opened.")
    page = client_as("admin").get(f"/allocation/{run_id}").text
    assert "The season&#39;s secret could not be opened." in page
    assert f'href="/pools/{town.pool}/allocation"' in page


# -- deciding --


def test_publishing_twice_is_publishing_once(db, client_as, town, proposed):
    admin = client_as("admin")
    first, second = (admin.press(f"/allocation/{proposed}/publish") for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    book(db, proposed)
    assert admin.press(f"/allocation/{proposed}/publish").status_code == 303
    with db() as session:
        asked = session.scalar(
            text("SELECT count(*) FROM outbox WHERE job = :job AND row_id = :run"),
            {"job": jobs.PUBLISH_ALLOCATION, "run": proposed},
        )
    assert asked == 1


def test_an_outcome_put_aside_keeps_its_reason_and_lets_the_pool_be_shared_out_again(db, client_as, town, proposed):
    admin = client_as("admin")
    without = admin.fill(f"/allocation/{proposed}/aside", {"reason": ""})
    assert without.status_code == 422
    aside = admin.fill(f"/allocation/{proposed}/aside", {"reason": "The gin was counted wrong."})
    assert (aside.status_code, aside.location) == (303, f"/allocation/{proposed}")
    assert "The gin was counted wrong." in admin.get(aside.location).text
    assert admin.get(f"/pools/{town.pool}/allocation").status_code == 200


def test_what_is_published_cannot_be_put_aside_any_more(client_as, town, published):
    refused = client_as("admin").fill(f"/allocation/{published}/aside", {"reason": "Too late."})
    assert refused.status_code == 422
    assert "published, so it can no longer be put aside" in refused.text
    assert 'value="Too late."' in refused.text


def test_a_yield_corrected_after_the_run_is_pointed_out(db, client_as, town, proposed):
    report(db, town.gin, 5, reason="One more was behind the still.")
    page = words(client_as("admin").get(f"/allocation/{proposed}").text)
    assert "One batch has another yield now than this run was worked out with" in page


# -- what members see --


def test_a_member_reads_what_they_got_and_why(db, client_as, town, published):
    ana = member_of(db, client_as("member"), town.ana)
    page = words(ana.get(f"/pools/{town.pool}/awards").text)
    # Weights 2 and 1 on 4 gin: entitled to 2.67 and 1.33, so 3 and 1.
    assert "You were entitled to 2.67 today, so you received 3 jars, all you asked for, and are 0.33 ahead." in page
    assert (
        "All wishes were met (3 jars for 2 wished) and 1 left over went round: you received the 2 you wished for and 1 more of the 2 you would have taken on top; you are still 0.33 ahead."
        in page
    )
    assert "5 of 5 wished for, 1 beyond your wishes" in page
    assert "1 beyond your wish" in page
    assert "€5.20 went back to your credit." in page  # held for 4 jam, got 3


def line_of(db, offering, household):
    asked = "SELECT l.id FROM order_line l JOIN household_order o ON o.id = l.order_id WHERE o.household_id = :household AND l.offering_id = :offering"
    with db() as session:
        return session.scalar(text(asked), {"household": household, "offering": offering})


def why(db, offering, household):
    return f"/awards/{line_of(db, offering, household)}/why"


def test_why_shows_the_way_to_an_award_step_by_step(db, client_as, town, published):
    tomas = member_of(db, client_as("member"), town.tomas)
    path = why(db, town.gin, town.tomas)
    assert path in tomas.get(f"/pools/{town.pool}/awards").text
    page = words(tomas.get(path).text)
    assert "4 jars made · 6 wished for by 2 members" in page
    assert (
        "It came to rest at 1.33 jars for one share point. You have 1, so your part is 1.33 of the 3 you wished for."
        in page
    )
    # Nothing from before; 1.33 today, less the one received.
    assert "You were owed 0.00 Entitled to today 1.33 Received 1 You are owed now 0.33" in page
    # Turns by what is owed at that moment: Ana 2.67 and 1.67, Tomas 1.33, Ana 0.67, and then Tomas again at 0.33.
    turns = "1 member 2.67 yes 2 member 1.67 yes 3 you 1.33 yes 4 member 0.67 yes 5 you 0.33 no"
    assert turns in re.sub(r"\s+", " ", page)
    assert "worked the batch out anew, and it gave what was recorded" in page


def test_why_tells_that_all_wishes_were_met_and_who_had_the_rest(db, client_as, town, published):
    page = words(member_of(db, client_as("member"), town.ana).get(why(db, town.jam, town.ana)).text)
    assert (
        "Every wish was met, so no rule had to decide. 1 jar was left over; members would have taken up to 2 on top"
        in page
    )
    assert "Whose turn it was" not in page


def test_why_is_for_the_household_itself_and_for_admins(db, client_as, visitor, town, published):
    path = why(db, town.gin, town.ana)
    tomas = member_of(db, client_as("member"), town.tomas)
    assert tomas.get(path).status_code == 404
    assert tomas.get("/awards/999999/why").status_code == 404
    assert visitor.get(path).status_code in {302, 303}
    assert "As Ana reads it." in words(client_as("admin").get(path).text)


def test_there_is_no_why_before_the_outcome_is_published(db, client_as, town, proposed):
    assert member_of(db, client_as("member"), town.ana).get(why(db, town.gin, town.ana)).status_code == 404


def test_why_says_so_when_the_record_is_not_what_the_rule_gives(db, client_as, town, published):
    with db.begin() as session:
        session.execute(
            text(
                "INSERT INTO release (batch_id, version, pieces, released_by, released_at) SELECT batch_id, 2, 5, 0, now() FROM offering WHERE id = :gin"
            ),
            {"gin": town.gin},
        )
    page = words(member_of(db, client_as("member"), town.tomas).get(why(db, town.gin, town.tomas)).text)
    assert "this batch gives something else than what was recorded" in page


def test_another_households_award_is_never_shown(db, client_as, town, published):
    tomas = member_of(db, client_as("member"), town.tomas)
    page = words(tomas.get(f"/pools/{town.pool}/awards").text)
    assert "You were entitled to 1.33 today, so you received 1 jar and are owed 0.33." in page
    assert "2.67" not in page
    assert "Damson jam" not in page


def test_what_is_owed_from_an_earlier_pool_is_told_by_its_name(db, client_as, town, published, local_settings):
    with db.begin() as session:
        later = a_pool(session, town.season, "December pool", closes_at=now() + timedelta(hours=2))
        product = session.scalar(select(Offering.product_id).where(Offering.id == town.gin))
        gin = an_offering(session, later, product, price_minor=3400)
    pools.open_pool(db, later, by=0, at=now())
    for household in (town.ana, town.tomas):
        _order(db, later, household, [Wish(gin, 2, 2, 3400)], now())
    pools.close_pool(db, later, by=0, at=now(), reason="for the test")
    report(db, gin, 2)
    run_id = asking.request_run(db, later, by=0, at=now())
    work_out(db, local_settings, run_id)
    publishing.publish(db, run_id, by=0, at=now())
    book(db, run_id)
    tomas = member_of(db, client_as("member"), town.tomas)
    # Owed 0.33 before; 2 gin at weights 2 and 1 entitle to 1.33 and 0.67: together 1.00, so 1 and even.
    assert (
        "You were owed 0.33 from November pool and entitled to 0.67 today: 1.00 together, so you received 1 jar and are even."
        in words(tomas.get(f"/pools/{later}/awards").text)
    )


def test_a_batch_shared_out_by_itself_is_explained_by_share_points(db, client_as, local_settings):
    with db.begin() as session:
        season = a_season(session, "Winter", field_key=local_settings.field_key, rule="cea/webster@1", memory="none")
        ana, tomas = a_household(session, "Ana"), a_household(session, "Tomas")
        give_credit(session, ana, 5_000)
        give_credit(session, tomas, 5_000)
        pool = a_pool(session, season, closes_at=now() + timedelta(hours=1))
        jam = an_offering(session, pool)
    pools.open_pool(db, pool, by=0, at=now())
    for household in (ana, tomas):
        _order(db, pool, household, [Wish(jam, 2, 2, 520)], now())
    pools.close_pool(db, pool, by=0, at=now(), reason="for the test")
    report(db, jam, 3)
    run_id = asking.request_run(db, pool, by=0, at=now())
    work_out(db, local_settings, run_id)
    publishing.publish(db, run_id, by=0, at=now())
    book(db, run_id)
    pages = [words(member_of(db, client_as("member"), one).get(f"/pools/{pool}/awards").text) for one in (ana, tomas)]
    short = next(page for page in pages if "short 1" in page)
    # Two households of weight 1 and 3 jars: each point stands for 1.5, and a ticket decides who has the third.
    assert "3 jars for 4 wished: every share point stood for 1.50 jars; you have one, so you received 1 jar: you and 1 other stood level for the last jar" in short  # fmt: skip
    assert "was 2nd of 2." in short
    drawn = words(member_of(db, client_as("member"), ana).get(why(db, jam, ana)).text)
    assert "2 stood exactly level for the last jar, so the tickets decided" in drawn
    assert "2 member 0.50 yes" in drawn or "2 you 0.50 yes" in drawn  # the first piece of each is due at 1/2
    for one in (ana, tomas):
        letter = letter_to(db, pool, one, local_settings)
        assert len(letter["lines"]) == 1
        assert any(letter["lines"][0]["sentence"] in page for page in pages)


def letter_to(db, pool, household, settings):
    """Return what the letter to a household of one person says about a pool."""
    with db() as session:
        person = session.scalar(text("SELECT person_id FROM belonging WHERE household_id = :id"), {"id": household})
        return letter_of_awards(session, person, {"pool_id": pool}, field_key=settings.field_key)


def test_the_letter_says_what_the_page_says(db, client_as, town, published, local_settings):
    letter = letter_to(db, town.pool, town.ana, local_settings)
    page = words(member_of(db, client_as("member"), town.ana).get(f"/pools/{town.pool}/awards").text)
    assert [(line["pieces"], line["wish"]) for line in letter["lines"]] == [(3, 2), (3, 3)]
    assert all(line["sentence"] in page for line in letter["lines"])
    assert letter["returned_minor"] == 520


def test_before_it_is_shared_out_a_member_sees_the_wishes_and_when_more_is_known(db, client_as, town):
    ana = member_of(db, client_as("member"), town.ana)
    page = words(ana.get(f"/pools/{town.pool}/awards").text)
    assert "Not shared out yet. Orders close" in page
    assert "2 jars wished for, up to 4 if there is plenty" in page
    assert "At most €122.80" in page  # 3 x 34.00 + 4 x 5.20


def test_who_did_not_order_is_told_what_would_stand_here(client_as, town, published):
    assert "You did not order in this pool" in client_as("member").get(f"/pools/{town.pool}/awards").text


# -- the proof --


def test_anyone_can_download_the_proof_of_a_published_pool_and_check_it(db, visitor, town, published):
    answer = visitor.get(f"/pools/{town.pool}/proof")
    assert answer.headers["Content-Type"] == "application/jsonl"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="november-pool.proof.jsonl"'
    verdict = verify_lines(answer.data.splitlines(keepends=True))
    with db() as session:
        digest = session.scalar(text("SELECT result_digest FROM allocation_run WHERE id = :run"), {"run": published})
    assert verdict == {"ok": True, "batches": 2, "result_digest": digest, "first_difference": None}
    page = visitor.get(f"/pools/{town.pool}/verify").text
    assert "python3 -I verify.py november-pool.proof.jsonl" in page
    assert digest in page


def test_a_member_is_told_their_own_name_in_the_proof_and_nobody_elses(db, visitor, client_as, town, published):
    proof = visitor.get(f"/pools/{town.pool}/proof").text
    assert "Ana" not in proof
    assert "Your own lines" not in visitor.get(f"/pools/{town.pool}/verify").text
    named = {}
    for household in (town.ana, town.tomas):
        page = member_of(db, client_as("member"), household).get(f"/pools/{town.pool}/verify").text
        named[household] = set(re.findall(r'<dd class="reference">\s*([0-9a-f]{32})\s*</dd>', page))
    assert [len(names) for names in named.values()] == [1, 1]
    assert named[town.ana] != named[town.tomas]
    assert all(name in proof for names in named.values() for name in names)


def test_a_pool_that_is_not_published_has_promises_and_no_proof(visitor, town, proposed):
    assert visitor.get(f"/pools/{town.pool}/proof").status_code == 404
    page = words(visitor.get(f"/pools/{town.pool}/verify").text)
    assert "Promised before orders opened" in page
    assert "Result digest" not in page


# -- planning --


def local(at):
    return at.astimezone(ZoneInfo("Europe/London")).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def plan(town):
    closes = now() + timedelta(days=9)
    return {
        "season": town.season,
        "name": "January pool",
        "opens_at": local(now() + timedelta(days=2)),
        "closes_at": local(closes),
        "pickup_on": (closes + timedelta(days=3)).date().isoformat(),
    }


def test_an_admin_plans_a_pool_puts_a_batch_into_it_and_opens_it(db, client_as, town, plan):
    admin = client_as("admin")
    planned = admin.fill("/admin/pools/new", plan)
    assert planned.status_code == 303, planned.text
    assert "Nothing is offered yet" in admin.get(planned.location).text
    pool = int(planned.location.rpartition("/")[2])
    with db.begin() as session:
        product = session.scalar(select(Offering.product_id).where(Offering.id == town.jam))
        batch = a_batch(session, product, lot_number="batch 77")
    assert "batch 77" in admin.get(f"/admin/pools/{pool}/batches?q=batch 77").text
    offered = admin.fill(f"/admin/pools/{pool}/batches/{batch}", {"price": "5.20", "cap": "6", "rule": "", "surplus": "next_pool"})  # fmt: skip
    assert (offered.status_code, offered.location) == (303, planned.location)
    page = admin.get(planned.location).text
    assert "€5.20" in page
    assert "Open orders on 1 batches" in page or "Open orders on 1 batch" in page
    opened = admin.press(f"/admin/pools/{pool}/open")
    assert (opened.status_code, opened.location) == (303, planned.location)
    assert "open for orders" in admin.get(planned.location).text


def test_a_plan_that_cannot_be_keeps_what_was_typed_and_says_why_beside_it(client_as, town, plan):
    admin = client_as("admin")
    cases = {
        "There is already a pool called November pool": {"name": "November pool"},
        "A pool closes after it opens": {"opens_at": plan["closes_at"], "closes_at": plan["opens_at"]},
        "The pickup comes after the cut-off": {"pickup_on": now().date().isoformat()},
        "This cut-off has passed already": {"opens_at": "2020-01-01T10:00", "closes_at": "2020-01-02T10:00"},
        "Please give a day and time that exist": {"closes_at": "2026-02-30T10:00"},
        "Please give a day that exists": {"pickup_on": "tomorrow"},
        "Please fill in: Name of the pool": {"name": " "},
    }
    for sentence, changed in cases.items():
        refused = admin.fill("/admin/pools/new", plan | changed)
        assert refused.status_code == 422, sentence
        assert sentence in refused.text
        for name in ("opens_at", "closes_at", "pickup_on"):
            assert f'value="{(plan | changed)[name]}"' in refused.text


def test_a_batch_is_offered_once(db, client_as, town):
    admin = client_as("admin")
    with db.begin() as session:
        pool = a_pool(session, town.season, "January pool", closes_at=now() + timedelta(days=9))
        batch = session.get_one(Offering, town.jam).batch_id
    refused = admin.fill(f"/admin/pools/{pool}/batches/{batch}", {"price": "5.20", "rule": "", "surplus": "next_pool"})  # fmt: skip
    assert refused.status_code == 422
    assert "is offered already" in refused.text
    assert 'value="5.20"' in refused.text


def test_what_is_offered_stands_once_orders_have_opened(db, client_as, town):
    admin = client_as("admin")
    with db.begin() as session:
        product = session.scalar(select(Offering.product_id).where(Offering.id == town.jam))
        batch = a_batch(session, product)
    late = admin.fill(f"/admin/pools/{town.pool}/batches/{batch}", {"price": "1", "rule": "", "surplus": "next_pool"})  # fmt: skip
    assert late.status_code == 422
    assert "Orders have opened" in late.text
    withdrawn = admin.press(f"/admin/pools/{town.pool}/offerings/{town.jam}/withdraw")
    assert withdrawn.status_code == 422


def test_a_batch_is_taken_out_again_before_the_opening(db, client_as, town):
    admin = client_as("admin")
    with db.begin() as session:
        pool = a_pool(session, town.season, "January pool", closes_at=now() + timedelta(days=9))
        offering = an_offering(session, pool)
    assert admin.press(f"/admin/pools/{pool}/offerings/{offering}/withdraw").status_code == 303
    assert "Nothing is offered yet" in admin.get(f"/admin/pools/{pool}").text
    assert admin.press(f"/admin/pools/{pool}/open").status_code == 422


def test_closing_before_the_cut_off_needs_a_reason(db, client_as, town):
    admin = client_as("admin")
    path = f"/admin/pools/{town.pool}/close"
    refused = admin.fill(path, {"reason": " "})
    assert refused.status_code == 422
    assert "Say why it has to close now" in refused.text
    closed = admin.fill(path, {"reason": "The van comes a day early."})
    assert (closed.status_code, closed.location) == (303, f"/admin/pools/{town.pool}")
    assert "The van comes a day early." in admin.get(closed.location).text


def test_a_season_without_a_memory_offers_no_batch_by_standing(db, client_as, local_settings):
    with db.begin() as session:
        season = a_season(session, "Winter", field_key=local_settings.field_key, rule="cea/webster@1", memory="none")
        pool = a_pool(session, season, closes_at=now() + timedelta(days=2))
        batch = a_batch(session, a_product(session, an_artisan(session)))
    asked = {"price": "5.20", "rule": "cea/standing@1", "surplus": "next_pool"}
    refused = client_as("admin").fill(f"/admin/pools/{pool}/batches/{batch}", asked)
    assert refused.status_code == 422
    assert "This season keeps no standing" in refused.text


# -- compared --


def test_rules_are_compared_before_and_after_publication_on_the_same_inputs(db, client_as, town, proposed):
    admin = client_as("admin")
    before = admin.get(f"/pools/{town.pool}/compare")
    publishing.publish(db, proposed, by=0, at=now())
    book(db, proposed)
    after = admin.get(f"/pools/{town.pool}/compare")
    for page in (before, after):
        told = words(page.text)
        # 4 gin for Ana (weight 2, wishes 3) and Tomas (weight 1, wishes 3); Ana's 2 jam are all there
        assert "Level filling with standing in force" in told
        assert "7 1 of 2 33% 0.8000" in told  # Ana 5 of 5, Tomas 1 of 3: (1 + 1/3)^2 / (2 (1 + 1/9)) = 0.8
    assert rows(before.text) == rows(after.text)


def test_a_comparison_offers_nothing_to_choose(client_as, town, proposed):
    page = client_as("admin").get(f"/pools/{town.pool}/compare")
    actions = [form.action for form in forms_of(page.text) if form.method == "post"]
    assert actions == ["/sign-out"]
    assert "no other can take its place here" in words(page.text)


def test_comparing_asks_few_queries(client_as, town, proposed, queries_of):
    admin = client_as("admin")
    assert queries_of(lambda: admin.get(f"/pools/{town.pool}/compare")) <= 15


def test_comparing_what_is_not_shared_out_yet_asks_few_queries(db, client_as, town, queries_of):
    close(db, town)
    admin = client_as("admin")
    for page in ("compare", "allocation"):
        assert queries_of(lambda page=page: admin.get(f"/pools/{town.pool}/{page}")) <= 14, page


def test_there_is_nothing_to_compare_before_orders_open(db, client_as, town):
    with db.begin() as session:
        planned = a_pool(session, town.season, "Next pool")
    answer = client_as("admin").get(f"/pools/{planned}/compare")
    assert (answer.status_code, answer.location) == (302, f"/pools/{planned}/allocation")
