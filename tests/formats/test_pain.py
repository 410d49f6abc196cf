"""The payment file validates against the published schema, says what is paid, and is the same bytes each time."""

from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
import sepaxml
from hypothesis import given, settings
from hypothesis import strategies as st
from xmlschema import XMLSchema

from coop.core.errors import RuleBroken
from coop.formats.iban import demo_iban
from coop.formats.pain import Payer, Transfer, write_pain001
from coop.formats.xml_writing import bank_text

COOP = Payer("Craft Co-op Hügelstadt eG", demo_iban("DE", 1))
MIA = Transfer("P1M1", "Mia Søndergård & Töchter", demo_iban("DE", 2), 637500, "Statement 2026-1, pots")
TOMAS = Transfer("P1M2", "Tomáš", demo_iban("DE", 3), 5, "Statement 2026-2")
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


SCHEMA = XMLSchema(Path(sepaxml.__file__).with_name("schemas") / "pain.001.001.09.xsd")


def validate(content):
    SCHEMA.validate(content.decode())


def written(transfers=(MIA, TOMAS), currency="EUR", payer=COOP, **others):
    facts = {
        "message_id": "RUN1",
        "created_at": datetime(2026, 12, 1, 9, 30, tzinfo=UTC),
        "execute_on": date(2026, 12, 2),
        **others,
    }
    return write_pain001(payer=payer, currency=currency, transfers=transfers, **facts)


def test_a_sepa_file_validates_and_says_who_gets_what():
    content = written()
    validate(content)
    root = fromstring(content)
    texts = {
        path: [found.text for found in root.iterfind(f".//p:{path.replace('/', '/p:')}", NS)]
        for path in ("NbOfTxs", "CtrlSum", "EndToEndId", "InstdAmt", "Cdtr/Nm", "SvcLvl/Cd")
    }
    assert texts == {
        "NbOfTxs": ["2", "2"],
        "CtrlSum": ["6375.05", "6375.05"],
        "EndToEndId": ["P1M1", "P1M2"],
        "InstdAmt": ["6375.00", "0.05"],
        "Cdtr/Nm": ["Mia Sondergard + Tochter", "Tomas"],
        "SvcLvl/Cd": ["SEPA"],
    }
    assert root.find(".//p:PstlAdr", NS) is None


def test_the_same_run_gives_the_same_bytes():
    assert written() == written()
    assert written(message_id="RUN2") != written()


@pytest.mark.parametrize(("currency", "amount"), [("GBP", "6375.00"), ("JPY", "637500"), ("KWD", "637.500")])
def test_other_currencies_validate_without_the_sepa_service_level(currency, amount):
    content = written([MIA], currency, Payer("Co-op", demo_iban("GB", 1), "NWBKGB2L"))
    validate(content)
    assert f'<InstdAmt Ccy="{currency}">{amount}</InstdAmt>'.encode() in content
    assert b"SEPA" not in content


def test_wrong_ids_doubled_ids_nothing_to_pay_and_a_wrong_iban_are_caught():
    for wrong in (
        [],
        [MIA, MIA],
        [Transfer("P-1", "Mia", MIA.iban, 5, "x")],
        [Transfer("P" * 36, "Mia", MIA.iban, 5, "x")],
        [Transfer("P1", "Mia", MIA.iban, 0, "x")],
    ):
        with pytest.raises(AssertionError):
            written(wrong)
    with pytest.raises(RuleBroken, match="iban_checksum"):
        written([Transfer("P1", "Mia", "DE89370400440532013001", 5, "x")])


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200), st.text(max_size=300), st.integers(1, 10**11))
def test_whatever_a_maker_is_called_the_file_validates(name, text, minor):
    validate(written([Transfer("P1", name, MIA.iban, minor, text)]))


@given(st.text(max_size=200))
def test_bank_text_has_only_letters_every_bank_takes(text):
    plain = bank_text(text, 70)
    assert 1 <= len(plain) <= 70
    assert all(mark.isascii() and (mark.isalnum() or mark in "/-?:().,'+ ") for mark in plain)
