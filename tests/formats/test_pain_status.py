"""A bank's report on a payment file is read strictly, whole or not at all."""

from __future__ import annotations

import pytest

from coop.core.errors import RuleBroken
from coop.formats.pain_status import PaymentStatus, is_pain002, read_pain002

HEAD = '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}">'


def report(*payments, status="PART", message="SB1R20261201", code="", batch="", version="10"):
    reason = f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""
    group = f"<GrpSts>{status}</GrpSts>{reason}" if status else ""
    rows = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId><TxSts>{said}</TxSts>"
        + (f"<StsRsnInf><Rsn><Cd>{why}</Cd></Rsn><AddtlInf>as the bank says</AddtlInf></StsRsnInf>" if why else "")
        + (f'<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{amount}</InstdAmt></Amt></OrgnlTxRef>' if amount else "")
        + "</TxInfAndSts>"
        for end_to_end, said, why, amount in payments
    )
    of_batch = f"<PmtInfSts>{batch}</PmtInfSts>" if batch else ""
    return (
        HEAD.format(version=version)
        + "<CstmrPmtStsRpt><GrpHdr><MsgId>BANK-77</MsgId><CreDtTm>2026-12-02T08:00:00</CreDtTm></GrpHdr>"
        + f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>"
        + f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}</OrgnlPmtInfId>{of_batch}{rows}</OrgnlPmtInfAndSts>"
        + "</CstmrPmtStsRpt></Document>"
    ).encode()


@pytest.mark.parametrize("version", ["03", "10"])
def test_a_report_says_which_payments_were_refused_and_why(version):
    content = report(("SB1N1", "RJCT", "AC04", "67.50"), ("SB1N2", "ACSP", "", ""), version=version)
    assert is_pain002(content)
    read = read_pain002(content, exponent=2)
    assert (read.reference, read.message_id, read.status) == ("BANK-77", "SB1R20261201", "PART")
    assert read.payments == (
        PaymentStatus("SB1N1", "RJCT", "AC04", "as the bank says", 6750, "EUR"),
        PaymentStatus("SB1N2", "ACSP", "", "", None, ""),
    )


def test_a_batch_that_was_refused_is_the_file_refused():
    assert read_pain002(report(status="", batch="RJCT"), exponent=2).status == "RJCT"
    assert read_pain002(report(status="ACCP", batch="RJCT"), exponent=2).status == "RJCT"
    assert read_pain002(report(status="RJCT", code="AM05"), exponent=2).code == "AM05"


ENTITY = b'<!DOCTYPE d [<!ENTITY e "pain.002.001.">]>' + report().partition(b"?>")[2]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<a/>", "not_pain002"),
        (report()[:-30], "not_xml"),
        (ENTITY, "entities"),
        (report().replace(b"pain.002.001.", b"pain.001.001."), "not_pain002"),
        (report().replace(b"<CstmrPmtStsRpt>", b"<X>").replace(b"</CstmrPmtStsRpt>", b"</X>"), "not_pain002"),
        (report(message=""), "bad_reference"),
        (report(message="SB1 R"), "bad_reference"),
        (report(("", "RJCT", "", "")), "bad_reference"),
        (report(("SB1N1'--", "RJCT", "", "")), "bad_reference"),
        (report(status="FINE"), "bad_status"),
        (report(("SB1N1", "MAYBE", "", "")), "bad_status"),
        (report(("SB1N1", "RJCT", "", "6e3")), "bad_amount"),
        (report(("SB1N1", "RJCT", "", "1.005")), "bad_amount"),
        (report() + b" " * (5 * 1024 * 1024), "too_large"),
        (HEAD.format(version="10").encode() + b"<a>" * 50 + b"</a>" * 50 + b"</Document>", "too_deep"),
    ],
)
def test_what_is_no_report_is_refused_with_its_reason(content, code):
    with pytest.raises(RuleBroken) as refused:
        read_pain002(content, exponent=2)
    assert (refused.value.code, bool(refused.value.sentence)) == (code, True)
