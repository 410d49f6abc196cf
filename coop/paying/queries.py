"""What a household can pay now, and the transfer that does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.payment_reference import CREDIT, GIFT, SHARE, PaymentReference
from coop.formats import epc_qr
from coop.formats.iban import grouped
from coop.instalments import service as instalments
from coop.policy import service as policy

FOR: Final = {"share": SHARE, "credit": CREDIT, "gift": GIFT}


@dataclass(frozen=True, slots=True)
class DueRow:
    """An instalment of the household's shares that is not credit yet; `is_paid` once what came in covers it."""

    share_id: int
    words: str
    due_on: date
    amount_minor: int
    is_paid: bool


@dataclass(frozen=True, slots=True)
class PayPage:
    """`purpose` is share, credit or gift; without an account of the co-op there is nothing to pay to."""

    purpose: str
    owed_minor: int
    due: list[DueRow]
    amount_minor: int | None
    holder: str
    iban: str
    reference: str
    code: str


def pay_page(session: Session, household_id: int, purpose: str, amount_minor: int | None, *, at: datetime) -> PayPage:
    """Return what the household still owes, and the transfer for a purpose ("" for what is most urgent) and an amount."""
    agreed = policy.all_current(session, at=at)
    owed = instalments.owed_by(session, {household_id})[household_id]
    rows = session.execute(_DUE, {"household": household_id}).all()
    if purpose not in FOR or (purpose == "share" and not rows):
        purpose = "share" if owed else "credit"
    if amount_minor is None and purpose == "share" and owed:
        amount_minor = owed
    number = rows[0].share_id if purpose == "share" else household_id
    reference = PaymentReference(FOR[purpose], number).written()
    iban = agreed["coop_iban"]
    code = ""
    if iban and amount_minor and agreed["currency"] == epc_qr.CURRENCY:
        told = {"holder": agreed["coop_name"], "iban": iban, "amount_minor": amount_minor, "reference": reference}
        code = epc_qr.drawn(epc_qr.epc_payload(**told))
    return PayPage(
        purpose=purpose,
        owed_minor=owed,
        due=_due(rows, owed),
        amount_minor=amount_minor,
        holder=agreed["coop_name"],
        iban=grouped(iban),
        reference=grouped(reference),
        code=code,
    )


_DUE = text("""
SELECT s.id AS share_id, z.name || ' share, ' || n.name AS words, i.due_on, i.amount_minor
  FROM season_share s
  JOIN share_size z ON z.id = s.size_id
  JOIN season n ON n.id = z.season_id
  JOIN instalment i ON i.share_id = s.id AND i.released_at IS NULL
 WHERE s.household_id = :household AND s.ended_at IS NULL
 ORDER BY i.due_on, i.id
""")


def _due(rows: Sequence[Any], owed: int) -> list[DueRow]:
    """Say which instalments are covered: what is prepaid covers them in the order of their days."""
    prepaid = sum(row.amount_minor for row in rows) - owed
    told = []
    for row in rows:
        told.append(DueRow(row.share_id, row.words, row.due_on, row.amount_minor, prepaid >= row.amount_minor))
        prepaid -= row.amount_minor
    return told
