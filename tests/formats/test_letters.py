"""Letters: named values only, text in a value stays text, links lead to the co-op's own pages."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from coop.core.errors import RuleBroken
from coop.formats import letters
from coop.formats.letters import FOLDER, House, write

HOUSE = House(
    name="Riverside Makers", base_url="https://coop.example", currency="EUR", locale="en_IE", zone="Europe/Dublin"
)
SHARE = {"name": "Ana", "size": "full", "season": "Autumn 2026", "price_minor": 30_000}
STATEMENT = {"artisan": "Mia's pottery", "amount_minor": 412_350, "statement": "2026-14", "statement_id": 14}
INSTALMENT = {"name": "Ana", "amount_minor": 6000, "due_on": "2026-12-01", "share": "half share, Autumn 2026"}
BAD_PIECES = {"product": "Mug", "pieces": 1, "reason": "cracked at the handle"}
DIVIDEND = {
    "starts": "2026-01-01",
    "ends": "2026-12-31",
    "amount_minor": 424,
    "cash_minor": 85,
    "retained_minor": 339,
}
SAMPLES = {
    "welcome": {"name": "Ana", "household": "Ana & Tomas"},
    "already_joined": {"name": "Ana"},
    "finish_joining": {"token": "t0ken"},
    "reset_password": {"name": "Ana", "token": "t0ken"},
    "reset_unknown": {},
    "factor_changed": {"name": "Ana", "at": "2026-11-24T10:00:00+00:00", "what": "app_set_up"},
    "factors_removed": {"name": "Ana", "at": "2026-11-24T10:00:00+00:00"},
    "recovery_code_used": {"name": "Ana", "at": "2026-11-24T10:00:00+00:00", "left": 9},
    "password_changed": {"name": "Ana", "at": "2026-11-24T10:00:00+00:00"},
    "share_taken": SHARE,
    "share_free": SHARE,
    "share_ended": SHARE,
    "prepaid_changed": {
        "name": "Ana",
        "what": "share_moved",
        "amount_minor": 6000,
        "reason": "Ben took the share over",
    },
    "household_account_changed": {
        "name": "Ana",
        "ending": "3000",
        "at": "2026-11-24T10:00:00+00:00",
        "rests_until": "2026-12-08T10:00:00+00:00",
    },
    "household_payment_sent": {
        "name": "Ana",
        "purpose": "dividend",
        "amount_minor": 85,
        "ending": "3000",
        "reference": "SBH7",
    },
    "new_address": {"name": "Ana", "change_id": 7, "token": "t0ken"},
    "address_in_use": {},
    "address_asked": {"name": "Ana", "at": "2026-11-24T10:00:00+00:00"},
    "address_gone": {"name": "Ana", "at": "2026-11-24T10:00:00+00:00", "change_id": 7, "token": "t0ken"},
    "address_changed": {"name": "Ana", "at": "2026-11-24T10:00:00+00:00"},
    "address_back": {"name": "Ana", "at": "2026-11-24T10:00:00+00:00"},
    "payment_bounced": {
        "name": "Ana",
        "amount_minor": 6000,
        "received_on": "2026-11-20",
        "reason": "account closed",
        "owed_minor": 1000,
    },
    "order_taken_back": {
        "name": "Ana",
        "pool": "November pool",
        "lines": [{"product": "Damson jam, 340 g", "pieces": 3}],
        "amount_minor": 1560,
        "reason": "Ana rang: away that week",
    },
    "instalment_soon": INSTALMENT,
    "instalment_late": INSTALMENT,
    "recipe_ordered": {
        "pool": "November pool",
        "pool_id": 7,
        "closes_at": "2026-11-26T10:00:00+00:00",
        "is_short": False,
    },
    "recipe_not_ordered": {
        "pool": "November pool",
        "pool_id": 7,
        "closes_at": "2026-11-26T10:00:00+00:00",
        "is_short": True,
    },
    "allocation_published": {
        "name": "Ana",
        "pool": "November pool",
        "pool_id": 7,
        "pickup_on": "2026-12-02",
        "returned_minor": 1040,
        "lines": [
            {
                "product": "Damson jam, 340 g",
                "wish": 3,
                "pieces": 2,
                "sentence": "You were owed 0.40 from the batches before this pool and entitled to 1.40 today: 1.80 together, so you received 2 jars and are 0.20 ahead.",
            },
            {
                "product": "Hedgerow gin, 50 cl",
                "wish": 1,
                "pieces": 1,
                "sentence": "There was enough for all wishes, so you received all 1 bottle you asked for.",
            },
        ],
    },
    "allocation_corrected": {
        "name": "Ana",
        "pool": "November pool",
        "pool_id": 7,
        "product": "Damson jam, 340 g",
        "before": 3,
        "pieces": 2,
        "reason": "one jar was cracked",
    },
    "pickup_point_ended": {"point": "Mill Yard", "place": "Mill Lane 3, Ashby"},
    "terms_agreed": {
        "artisan": "Kiln Street Pottery",
        "begins": "2027-01-01",
        "model": "agent",
        "fee_bp": 1250,
        "fee_tax_bp": 1900,
        "price_tax_bp": 700,
    },
    "bank_details_changed": {
        "artisan": "Mia's pottery",
        "ending": "3000",
        "at": "2026-11-24T10:00:00+00:00",
        "rests_until": "2026-12-08T10:00:00+00:00",
    },
    "payout_sent": STATEMENT | {"through": "2026-11-30"},
    "document_issued": {"title": "Invoice INV-2026-7", "document_id": 7, "amount_minor": 2500},
    "dividend_decided": DIVIDEND,
    "dividend_of_maker": DIVIDEND,
    "statement_question": STATEMENT | {"words": "Where are the two mugs of Friday?"},
    "statement_answer": STATEMENT | {"words": "They were noted on Saturday."},
    "payout_refused": STATEMENT | {"reason": "The account is closed. (AC04)"},
    "payout_returned": STATEMENT | {"reason": "Account closed"},
    "pieces_credited": BAD_PIECES | {"amount_minor": 2500},
    "pieces_found_bad": BAD_PIECES | {"lot_number": "MUG-3"},
}


def test_every_letter_is_tried_here_and_told_somewhere() -> None:
    found = {path.stem for path in FOLDER.glob("*.html")} - {"base"}
    told = "".join(path.read_text("utf-8") for path in Path(letters.__file__).parents[1].glob("*/service.py"))
    assert found == set(SAMPLES)
    assert [name for name in found if f'"{name}"' not in told] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_a_letter_is_whole_in_text_and_html(name: str) -> None:
    letter = write(name, SAMPLES[name], HOUSE)
    assert letter.subject
    for words in (letter.subject, letter.text, letter.html):
        assert "{{" not in words
        assert "None" not in words
    assert "https://coop.example/" in letter.text
    assert "https://coop.example/" in letter.html
    assert "style=" not in letter.html


@pytest.mark.parametrize(
    ("name", "missing"), [("welcome", "household"), ("reset_password", "token"), ("share_free", "size")]
)
def test_a_letter_with_a_value_missing_is_not_written(name: str, missing: str) -> None:
    with pytest.raises(UndefinedError):
        write(name, {key: value for key, value in SAMPLES[name].items() if key != missing}, HOUSE)


def test_the_letter_of_a_sharing_out_says_what_and_why() -> None:
    letter = write("allocation_published", SAMPLES["allocation_published"], HOUSE)
    assert letter.subject == "What you get from November pool"
    assert "Damson jam, 340 g: 2 of 3" in letter.text
    assert "entitled to 1.40 today" in letter.text
    assert "Wednesday 2 December" in letter.text
    assert "€10.40" in letter.text
    assert "https://coop.example/pools/7" in letter.text


def test_the_letter_about_terms_says_who_sells_what_is_kept_and_which_tax_is_whose() -> None:
    sold_by_maker = write("terms_agreed", SAMPLES["terms_agreed"], HOUSE)
    assert sold_by_maker.subject == "New terms for Kiln Street Pottery from 1 January 2027"
    for words in ("keeps 12.5% of each price", "19% tax is inside that fee", "7% tax is inside the price; it is yours"):
        assert words in sold_by_maker.text
    assert "keeps <strong>12.5%</strong> of each price" in sold_by_maker.html
    resale = {"model": "resale", "fee_bp": 0, "fee_tax_bp": 0}
    sold_by_coop = write("terms_agreed", SAMPLES["terms_agreed"] | resale, HOUSE)
    assert "The co-op buys from you" in sold_by_coop.text
    assert "7% tax is inside the members' price; it is the co-op's" in sold_by_coop.text
    assert "which keeps" not in sold_by_coop.text + sold_by_coop.html


NASTY = "{{ 7*7 }}{% for a in ().__class__.__mro__ %}<script>x</script>"


def test_what_people_typed_is_only_text() -> None:
    letter = write("welcome", {"name": NASTY, "household": NASTY}, HOUSE)
    assert NASTY in letter.text
    assert "49" not in letter.text
    assert "<script>" not in letter.html
    assert "&lt;script&gt;" in letter.html


def test_a_template_cannot_walk_out_of_its_sandbox() -> None:
    for walk in ("{{ ().__class__.__mro__ }}", "{{ link.__globals__ }}", "{{ lines.append(1) }}"):
        with pytest.raises((SecurityError, UndefinedError)):
            letters._desk().from_string(walk).render(link=HOUSE.link, lines=[]) and pytest.fail(walk)


@pytest.mark.parametrize("name", ["../base", "no_such_letter", "welcome.txt", ""])
def test_a_letter_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(RuleBroken, match="unknown_letter"):
        write(name, {}, HOUSE)


def test_links_begin_with_the_coop_s_own_address() -> None:
    assert HOUSE.link("/pools/7") == "https://coop.example/pools/7"
    assert HOUSE.link("//elsewhere.example/") == "https://coop.example/elsewhere.example/"
