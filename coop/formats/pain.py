"""The file a bank is asked to pay by: ISO 20022 pain.001.001.09, the same bytes for the same run each time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree.ElementTree import Element

from coop.core.money import format_minor, minor_exponent
from coop.formats.iban import read_iban
from coop.formats.xml_writing import add, add_amount, bank_text, document, iso_second, to_bytes

_BANK_ID = re.compile(r"[A-Z0-9]{1,35}")


@dataclass(frozen=True, slots=True)
class Payer:
    """The co-op's account that is debited."""

    name: str
    iban: str
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment to a maker. No address is sent: unstructured ones are refused by SEPA banks since November 2026."""

    end_to_end_id: str
    name: str
    iban: str
    minor: int
    text: str


def write_pain001(
    *,
    message_id: str,
    created_at: datetime,
    execute_on: date,
    payer: Payer,
    currency: str,
    transfers: Sequence[Transfer],
) -> bytes:
    """Write the payment file. Ids are 1-35 of A-Z and 0-9, and unique; IBANs are checked once more.

    In EUR the transfers are SEPA credit transfers; in another currency service level and charges are left to the banks' agreement.
    """
    ids = [transfer.end_to_end_id for transfer in transfers]
    assert all(_BANK_ID.fullmatch(bank_id) for bank_id in (message_id, *ids)), ids
    assert len(set(ids)) == len(ids) > 0, ids
    assert all(transfer.minor > 0 for transfer in transfers)
    exponent = minor_exponent(currency)
    count, total = str(len(transfers)), format_minor(sum(transfer.minor for transfer in transfers), exponent)
    root = document("pain.001.001.09")
    order = add(root, "CstmrCdtTrfInitn")
    header = add(order, "GrpHdr")
    add(header, "MsgId", message_id)
    add(header, "CreDtTm", iso_second(created_at))
    add(header, "NbOfTxs", count)
    add(header, "CtrlSum", total)
    add(header, "InitgPty/Nm", bank_text(payer.name, 70))
    batch = add(order, "PmtInf")
    add(batch, "PmtInfId", message_id)
    add(batch, "PmtMtd", "TRF")
    add(batch, "BtchBookg", "false")
    add(batch, "NbOfTxs", count)
    add(batch, "CtrlSum", total)
    if currency == "EUR":
        add(batch, "PmtTpInf/SvcLvl/Cd", "SEPA")
    add(batch, "ReqdExctnDt/Dt", execute_on.isoformat())
    add(batch, "Dbtr/Nm", bank_text(payer.name, 70))
    account = add(batch, "DbtrAcct")
    add(account, "Id/IBAN", read_iban(payer.iban))
    add(account, "Ccy", currency)
    agent = add(batch, "DbtrAgt/FinInstnId")
    add(agent, "BICFI", payer.bic) if payer.bic else add(agent, "Othr/Id", "NOTPROVIDED")
    add(batch, "ChrgBr", "SLEV" if currency == "EUR" else "SHAR")
    for transfer in transfers:
        _add_transfer(batch, transfer, currency, exponent)
    return to_bytes(root)


def _add_transfer(batch: Element, transfer: Transfer, currency: str, exponent: int) -> None:
    written = add(batch, "CdtTrfTxInf")
    add(written, "PmtId/EndToEndId", transfer.end_to_end_id)
    add_amount(add(written, "Amt"), "InstdAmt", transfer.minor, currency, exponent)
    add(written, "Cdtr/Nm", bank_text(transfer.name, 70))
    add(written, "CdtrAcct/Id/IBAN", read_iban(transfer.iban))
    add(written, "RmtInf/Ustrd", bank_text(transfer.text, 140))
