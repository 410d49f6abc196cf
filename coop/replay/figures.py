"""What a played scenario comes to, read from its postings; nothing is computed here but sums."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.ledger import (
    ADVANCE_TO_MAKER,
    ALLOCATED_EQUITY,
    BANK,
    BANK_FEES,
    CHART,
    DEPOSITS_HELD,
    MEMBER_CREDIT,
    ORDER_HOLD,
    OWED_BY_MAKER,
    OWED_TO_MAKER,
    PATRONAGE_PAYABLE,
    PAYOUT_TRANSIT,
    SUPPLIERS,
)

_SUMS = text("""
SELECT coalesce(m.kind, e.kind) AS kind, a.code, coalesce(h.name, r.name, y.name, '') AS name, sum(p.amount)::bigint AS minor
  FROM posting p
  JOIN account a ON a.id = p.account_id
  JOIN entry e ON e.id = p.entry_id
  LEFT JOIN entry m ON m.id = e.reverses_id
  LEFT JOIN household h ON a.party = 'household:' || h.id
  LEFT JOIN artisan r ON a.party = 'artisan:' || r.id
  LEFT JOIN (SELECT 'payment:' || pay.id AS party, s.name FROM payment pay JOIN statement t ON t.id = pay.statement_id
               JOIN artisan s ON s.id = t.artisan_id) y ON y.party = a.party
 GROUP BY 1, 2, 3
""")

_FUND = text("""
SELECT h.name, sum(l.fund_minor)::bigint
  FROM hand_over_line l JOIN hand_over d ON d.id = l.hand_over_id JOIN household_order o ON o.id = d.order_id
  JOIN household h ON h.id = o.household_id GROUP BY h.name
""")

_PAID_IN = ("top_up", "share_paid", "capital_paid_in", "given_to_reserve", "gift_received")
_EARNING = ("pickup", "credit_note", "fee_changed")
_WITHOUT_NAME = {ORDER_HOLD, PAYOUT_TRANSIT, SUPPLIERS}

Sums = dict[str, int]


class _Postings:
    """Sums of postings by the kind of their entry (a reversal counts with what it reverses), account and name."""

    def __init__(self, session: Session) -> None:
        self.rows = [(row.kind, row.code, row.name, row.minor) for row in session.execute(_SUMS)]

    def by_name(self, kinds: tuple[str, ...], *codes: int) -> Sums:
        found: Sums = defaultdict(int)
        for kind, code, name, minor in self.rows:
            if kind in kinds and code in codes:
                found[name] += minor
        return found

    def total(self, kinds: tuple[str, ...], *codes: int) -> int:
        return sum(self.by_name(kinds, *codes).values())


def figures(session: Session) -> dict[str, Any]:
    """Return charges, refunds, earnings, payouts, balances and cash; sums of nothing are left out."""
    read = _Postings(session)
    fund = {name: minor for name, minor in session.execute(_FUND)}  # noqa: C416 - a row is no pair to mypy
    earned = _added(read.by_name(("pickup",), ORDER_HOLD, DEPOSITS_HELD), _turned(fund))
    borne = read.by_name(("shared_cost", "credit_note"), MEMBER_CREDIT)
    back = read.by_name(("cancel", "allocation", "credit_note"), MEMBER_CREDIT)
    settled = _added(read.by_name(("payout_settled",), PAYOUT_TRANSIT), read.by_name(("payout_returned",), OWED_TO_MAKER))  # fmt: skip
    return {
        "charges": _kept(_added(earned, borne)),
        "refunds": _kept(_turned(back)),
        "maker_earnings": _kept(_turned(read.by_name(_EARNING, OWED_BY_MAKER, OWED_TO_MAKER))),
        "payouts": _kept(settled),
        "dividends": _dividends(read),
        "balances": _balances(read),
        "cash": _cash(read, sum(settled.values())),
        "recouped": _kept(_turned(read.by_name(("payout", "set_off"), ADVANCE_TO_MAKER))),
    }


def _balances(read: _Postings) -> Sums:
    found: Sums = defaultdict(int)
    for _, code, name, minor in read.rows:
        kind = CHART[code]
        whose = f":{name}" if name and code not in _WITHOUT_NAME else ""
        found[kind.slug + whose] += minor * kind.normal_sign
    return _kept(found)


def _dividends(read: _Postings) -> dict[str, Sums]:
    cash = _turned(read.by_name(("surplus",), PATRONAGE_PAYABLE))
    equity = _turned(read.by_name(("surplus",), ALLOCATED_EQUITY))
    return {name: {"cash": cash.get(name, 0), "equity": equity.get(name, 0)} for name in sorted({*cash, *equity})}


def _cash(read: _Postings, payouts: int) -> dict[str, Any]:
    fees = read.total(tuple({kind for kind, *_ in read.rows}), BANK_FEES)
    out = {
        "payouts": payouts,
        "advances": -read.total(("advance",), BANK),
        "suppliers": -read.total(("supplier_paid",), BANK),
        "refunds": -read.total(("refund", "share_refund"), BANK),
        "patronage": -read.total(("household_paid",), BANK),
        "bank_fees": fees,
        "chargebacks": -read.total(("chargeback",), BANK) - read.total(("chargeback",), BANK_FEES),
    }
    return {"in": read.total(_PAID_IN, BANK), "out": _kept(out)}


def _added(*parts: Mapping[str, int]) -> Sums:
    found: Sums = defaultdict(int)
    for part in parts:
        for name, minor in part.items():
            found[name] += minor
    return found


def _turned(part: Mapping[str, int]) -> Sums:
    return {name: -minor for name, minor in part.items()}


def _kept(part: Mapping[str, int]) -> Sums:
    return {name: minor for name, minor in sorted(part.items()) if minor}
