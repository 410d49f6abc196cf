"""The whole way on the demo co-op: real services, and a real worker that does what is asked for."""

from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import select, text

from coop import bell
from coop.allocation.models import AllocationRun
from coop.asking import service as asking
from coop.bank import service as bank
from coop.batches import service as batches
from coop.batches.models import Batch
from coop.books import service as books
from coop.clock import now
from coop.core.errors import RuleBroken
from coop.db import connect
from coop.demo.bank import statement
from coop.demo.people import address
from coop.formats import camt
from coop.impact import queries as impact_queries
from coop.impact import service as impact
from coop.incoming import service as incoming
from coop.orders.service import place_order
from coop.payouts import service as payouts
from coop.payouts.models import BankFile, PayoutRun
from coop.people import service as people
from coop.people.models import Belonging, Person
from coop.pickups import service as pickups
from coop.places import service as places
from coop.pools import service as pools
from coop.pools.models import Offering, Pool
from coop.publishing import service as publishing
from coop.seasons.models import ShareSize
from coop.transfers import service as transfers
from coop.wishes.service import Wish
from tests.builders import FIELD_KEY
from tests.crew import until

DUE = """
SELECT l.order_id, l.id AS line_id, a.pieces, p.min_age FROM pool q
  JOIN allocation_run r ON r.pool_id = q.id AND r.state = 'published'
  JOIN award a ON a.run_id = r.id AND a.pieces > 0
  JOIN order_line l ON l.id = a.line_id
  JOIN offering f ON f.id = a.offering_id
  JOIN product p ON p.id = f.product_id
 WHERE q.name = :pool ORDER BY l.order_id, l.id
"""


@pytest.fixture
def town(riverside_crew):
    """The demo co-op with a worker at work: sessions whose requests ring it."""
    riverside_crew.worker(concurrency=1)
    db = bell.wire(connect(riverside_crew.settings.database_url), riverside_crew.settings.redis_url)
    yield db
    db.kw["bind"].dispose()


def test_a_share_an_order_a_short_batch_and_the_makers_pay(town):
    healy = joined(town)
    share_taken_and_paid(town, healy)
    order_id = ordered(town, healy, {"MA-13": 2, "OL-33": 3})
    shared_out(town, "Hearth pool")
    closed_and_reported(town, "Lantern pool", {"MA-13": 10, "OL-33": 40})
    shared_out(town, "Lantern pool")
    gin, jam = awards(town, order_id, "MA-13"), awards(town, order_id, "OL-33")
    assert jam == 3
    assert gin < 2
    fetched(town, order_id)
    paid = paid_out(town)
    published(town, paid)
    assert [rule for rule in books.run_checks(town) if not rule.ok] == []


def joined(db):
    person_id = people.join(
        db, name="Orla Healy", email="orla@example.org", password="nine wet slates", household_name="Healy", at=now()
    )
    with db() as session:
        return person_id, session.scalar(select(Belonging.household_id).where(Belonging.person_id == person_id))


def share_taken_and_paid(db, member):
    person_id, household_id = member
    double, half = (row_of(db, ShareSize, name=name) for name in ("double", "half"))
    with pytest.raises(RuleBroken, match="waiting list"):
        places.take_share(db, double.id, household_id=household_id, by=person_id, at=now(), key="double")
    share_id = places.take_share(db, half.id, household_id=household_id, by=person_id, at=now(), key="half")
    incoming.record_payment(
        db,
        household_id,
        amount_minor=half.price_minor,
        received_on=now().date(),
        reference="Healy's share",
        by=person_named(db, "Helen Sheehan"),
        at=now(),
        key="paid",
        share_id=share_id,
    )


def ordered(db, member, wanted):
    person_id, household_id = member
    offered = {lot: offering_of(db, lot) for lot in wanted}
    wishes = [Wish(one.id, wanted[lot], wanted[lot], one.price_minor, one.deposit_minor) for lot, one in offered.items()]  # fmt: skip
    pool_id = row_of(db, Pool, name="Lantern pool").id
    return place_order(db, pool_id, wishes, household_id=household_id, by=person_id, at=now(), key="order")


def closed_and_reported(db, pool_name, made):
    admin, pool_id = person_named(db, "Niamh Gallagher"), row_of(db, Pool, name=pool_name).id
    with pytest.raises(RuleBroken, match="later cut-off"):
        pools.close_pool(db, pool_id, by=admin, at=now())
    pools.close_pool(db, pool_id, by=admin, at=now(), reason="The hall is free only today.")
    lots = (
        "SELECT b.id, b.lot_number, b.planned FROM offering f JOIN batch b ON b.id = f.batch_id WHERE f.pool_id = :pool"
    )
    with db() as session:
        offered = session.execute(text(lots), {"pool": pool_id}).all()
    for batch_id, lot, planned in offered:
        batches.report_yield(db, batch_id, pieces=made.get(lot, planned), by=admin, at=now(), key=lot)


def shared_out(db, pool_name):
    admin, pool_id = person_named(db, "Niamh Gallagher"), row_of(db, Pool, name=pool_name).id
    run_id = asking.request_run(db, pool_id, by=admin, at=now())
    until(lambda: row_of(db, AllocationRun, id=run_id).state == "proposed", f"{pool_name} is shared out")
    publishing.publish(db, run_id, by=admin, at=now())
    until(lambda: row_of(db, AllocationRun, id=run_id).state == "published", f"{pool_name} is published")


def awards(db, order_id, lot):
    with db() as session:
        return session.scalar(
            text(
                "SELECT a.pieces FROM award a JOIN order_line l ON l.id = a.line_id JOIN offering f ON f.id = l.offering_id"
                " JOIN batch b ON b.id = f.batch_id WHERE l.order_id = :order AND b.lot_number = :lot"
            ),
            {"order": order_id, "lot": lot},
        )


def fetched(db, order_id):
    """The packer hands everybody's pieces over; nobody gets gin without showing an age."""
    packer = person_named(db, "Tomas Nowak")
    with db() as session:
        lines = session.execute(text(DUE), {"pool": "Lantern pool"}).all()
    asking = {line.order_id for line in lines if line.min_age}
    assert order_id in {line.order_id for line in lines}
    for order in dict.fromkeys(line.order_id for line in lines):
        ticked = {line.line_id: line.pieces for line in lines if line.order_id == order}
        if order in asking:
            with pytest.raises(RuleBroken, match="18 or over"):
                pickups.hand_over(db, order, ticked, by=packer, at=now(), key=f"unseen {order}")
        pickups.hand_over(db, order, ticked, by=packer, at=now(), key=f"fetch {order}", age_checked=True)


def paid_out(db):
    """One treasurer asks, the other approves, and the bank confirms what its file says."""
    helen, imran = person_named(db, "Helen Sheehan"), person_named(db, "Imran Hussain")
    run_id = payouts.request_payouts(db, through=now().date(), by=helen, at=now())
    until(lambda: row_of(db, PayoutRun, id=run_id).state == "computed", "the statements are computed")
    with pytest.raises(RuleBroken, match="second person"):
        transfers.approve(db, run_id, by=helen, at=now())
    transfers.approve(db, run_id, by=imran, at=now())
    transfers.make_file(db, run_id, by=helen, at=now(), field_key=FIELD_KEY)
    amounts = ET.fromstring(row_of(db, BankFile, run_id=run_id).bytes).iterfind(".//{*}InstdAmt")
    sent = sum(int(amount.text.replace(".", "")) for amount in amounts)
    with db() as session:
        confirmed = statement(session, run_id, now().date(), at=now())
    assert sent == -sum(line.minor for line in confirmed.lines)
    bank.import_statement(db, camt.write_camt053(confirmed, created_at=now()), by=helen, at=now(), field_key=FIELD_KEY)
    assert row_of(db, PayoutRun, id=run_id).state == "settled"
    return sent


def published(db, paid):
    """What reached the makers grows by what the bank confirmed; all nine were paid, so it may be told."""
    with db() as session:
        before = impact_queries.impact_page(session, None, at=now()).figure("paid_to_makers").value
        season_id = session.scalar(select(Pool.season_id).limit(1))
    impact.publish_snapshot(db, season_id, by=person_named(db, "Niamh Gallagher"), at=now())
    with db() as session:
        page = impact_queries.impact_page(session, None, at=now())
    assert page.figure("paid_to_makers").value == before + paid
    assert [pool.label for pool in page.by_pool] == ["Larder pool", "Lantern pool"]


def row_of(db, model, **named):
    with db() as session:
        return session.scalars(select(model).filter_by(**named)).one()


def person_named(db, name):
    return row_of(db, Person, email=address(name)).id


def offering_of(db, lot):
    return row_of(db, Offering, batch_id=row_of(db, Batch, lot_number=lot).id)
