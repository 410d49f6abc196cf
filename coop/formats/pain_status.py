"""What a bank says of a payment file it was given: ISO 20022 pain.002, read whole or refused."""

import re
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from coop.core.errors import RuleBroken
from coop.formats.bank_statement import minor_of, shown, words_of
from coop.formats.bank_xml import parse_xml

REJECTED: Final = "RJCT"
ACCEPTED: Final = frozenset({"ACCP", "ACTC", "ACSP", "ACSC", "ACCC", "ACWC", "ACWP", "PART"})
_STATUS: Final = ACCEPTED | {REJECTED, "PDNG", "RCVD"}
_OURS: Final = re.compile(r"[A-Z0-9]{1,35}")


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What is said of one payment; `minor` is its amount where the bank repeats it."""

    end_to_end_id: str
    status: str
    code: str
    words: str
    minor: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What is said of a whole file, and of single payments in it. `status` is "" where the bank says nothing of the whole."""

    reference: str
    message_id: str
    status: str
    code: str
    words: str
    payments: tuple[PaymentStatus, ...]


def is_pain002(content: bytes) -> bool:
    """Tell a status report by how it begins, before it is read."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"pain.002.001." in content[:4000]


def read_pain002(content: bytes, *, exponent: int) -> StatusReport:
    """Read a report on one of our files.

    Raises what `parse_xml` does, and `not_pain002`, `bad_status`, `bad_reference` and `bad_amount`. A batch that is rejected whole
    counts as the file: ours has one batch.
    """
    root = parse_xml(content)
    namespace, _, name = root.tag.partition("}")
    report = root.find("CstmrPmtStsRpt")
    if (
        name != "Document"
        or not namespace.startswith("{urn:iso:std:iso:20022:tech:xsd:pain.002.001.")
        or report is None
    ):
        raise RuleBroken("not_pain002", "The file is XML, but no payment status report (pain.002).", field="file")
    group = report.find("OrgnlGrpInfAndSts")
    message_id = "" if group is None else _text(group, "OrgnlMsgId")
    if group is None or _OURS.fullmatch(message_id) is None:
        raise RuleBroken("bad_reference", "The report does not say which file it is about.", field="file")
    whole = _said(group, "GrpSts")
    for batch in report.iterfind("OrgnlPmtInfAndSts"):
        of_batch = _said(batch, "PmtInfSts")
        if of_batch[0] == REJECTED or not whole[0]:
            whole = of_batch
    payments = tuple(_payment(one, exponent) for one in report.iterfind("OrgnlPmtInfAndSts/TxInfAndSts"))
    return StatusReport(words_of(_text(report, "GrpHdr/MsgId"), most=70), message_id, *whole, payments)


def _payment(row: Element, exponent: int) -> PaymentStatus:
    end_to_end_id = _text(row, "OrgnlEndToEndId")
    if _OURS.fullmatch(end_to_end_id) is None:
        raise RuleBroken("bad_reference", f"The report speaks of a payment “{shown(end_to_end_id)}” that cannot be ours.", field="file")  # fmt: skip
    amount = row.find("OrgnlTxRef/Amt/InstdAmt")
    minor = None if amount is None else minor_of((amount.text or "").strip(), exponent)
    currency = "" if amount is None else amount.get("Ccy", "")
    return PaymentStatus(end_to_end_id, *_said(row, "TxSts"), minor, currency)


def _said(element: Element, path: str) -> tuple[str, str, str]:
    """Return status, code of the reason, and the bank's own words."""
    status = _text(element, path)
    if status and status not in _STATUS:
        raise RuleBroken("bad_status", f"The report has a status “{shown(status)}” that we do not know.", field="file")
    code = _text(element, "StsRsnInf/Rsn/Cd") or _text(element, "StsRsnInf/Rsn/Prtry")
    words = words_of(*((part.text or "") for part in element.iterfind("StsRsnInf/AddtlInf")), most=200)
    return status, re.sub(r"[^A-Z0-9]", "", code)[:8], words


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
