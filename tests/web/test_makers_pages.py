"""Several makers of a product: agreed on a page, and paid by their parts for what is offered from then on."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from coop.agreements.models import ProductMaker
from tests import rounds
from tests.builders import a_household, a_pool, a_product, a_season, an_artisan, an_offering


@pytest.fixture
def kiln(db):
    """Mia's mug, which Tomas glazes."""
    with db.begin() as session:
        mia, tomas = an_artisan(session, "Mia"), an_artisan(session, "Tomas")
        return mia, tomas, a_product(session, mia, "Mug")


NOBODY = {f"others-{n}-{name}": value for n in range(3) for name, value in (("maker", "0"), ("part", ""))}
"""What the page's own selects send where nobody is chosen."""


def parts(db, product):
    with db() as session:
        own = select(ProductMaker).where(ProductMaker.product_id == product).order_by(ProductMaker.n)
        return [(maker.artisan_id, maker.part_bp) for maker in session.scalars(own)]


def test_makers_agreed_on_the_page_share_what_a_piece_brings(db, client_as, kiln):
    mia, tomas, mug = kiln
    admin = client_as("admin")
    typed = NOBODY | {"first": "65", "others-0-maker": str(tomas), "others-0-part": "35"}
    answer = admin.fill(f"/products/{mug}/makers", typed)
    assert (answer.status_code, answer.location) == (303, f"/makers/{mia}/agreement")
    assert "with Tomas" in admin.get(answer.location).text
    with db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=5000)
        pool = a_pool(session, a_season(session))
        mugs = an_offering(session, pool, mug, price_minor=1001)
    line = rounds.publish(db, pool, {ana: {mugs: 1}}, {mugs: 1})[ana, mugs]
    rounds.fetch(db, line, 1)
    # 1001 less a fee of 100.1 -> 100: 901; 65 % is 585.65, 35 % is 315.35 -> 586 and 315
    assert rounds.balances(db, 2100) == {f"artisan:{mia}": 586, f"artisan:{tomas}": 315}


def test_one_maker_alone_takes_the_others_out(db, client_as, kiln):
    _, tomas, mug = kiln
    admin = client_as("admin")
    admin.fill(f"/products/{mug}/makers", NOBODY | {"first": "50", "others-0-maker": str(tomas), "others-0-part": "50"})
    assert len(parts(db, mug)) == 2
    admin.fill(f"/products/{mug}/makers", NOBODY | {"first": "100"})
    assert parts(db, mug) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"first": "50", "others-0-part": "49"}, "must add up to 100 %"),
        ({"first": "100", "others-0-part": "0"}, "must add up to 100 %"),
        ({"first": "50", "others-0-part": "25", "others-1-part": "25"}, "stands twice"),
        ({"first": "0", "others-0-part": "100"}, "1"),
    ],
)
def test_parts_that_make_no_whole_are_refused_with_a_sentence(db, client_as, kiln, typed, said):
    _, tomas, mug = kiln
    twice = {"others-1-maker": str(tomas)} if "others-1-part" in typed else {}
    answer = client_as("admin").fill(f"/products/{mug}/makers", NOBODY | {"others-0-maker": str(tomas)} | twice | typed)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert parts(db, mug) == []
