"""The double-entry ledger: the chart of accounts, entries that cannot be made unless they balance, and what members' events post.

Debits are positive, credits negative. A party is written `household:17`, `artisan:4`, `payment:9` or `household_payment:3`, and is "" for the co-op's own accounts.
What hand-overs and payouts post stands in `coop.core.payout`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from coop.core.errors import RuleBroken
from coop.core.money import AMOUNT_LIMIT

BANK: Final = 1000
CARD_TRANSIT: Final = 1050
OWED_BY_MAKER: Final = 1150
ADVANCE_TO_MAKER: Final = 1160
OWED_BY_MEMBER: Final = 1170
MEMBER_CREDIT: Final = 2000
SHARE_PREPAID: Final = 2010
ORDER_HOLD: Final = 2020
OWED_TO_MAKER: Final = 2100
DEPOSITS_HELD: Final = 2200
HARDSHIP_FUND: Final = 2300
TAX_PAYABLE: Final = 2400
PAYOUT_TRANSIT: Final = 2450
PATRONAGE_PAYABLE: Final = 2500
SUPPLIERS: Final = 2550
UNIDENTIFIED_RECEIPTS: Final = 2600
MEMBER_CAPITAL: Final = 3000
ALLOCATED_EQUITY: Final = 3100
RESERVE: Final = 3200
RESULT: Final = 3900
FEE_INCOME: Final = 4000
SALES_INCOME: Final = 4010
FORFEITED_DEPOSITS: Final = 4100
COST_OF_GOODS: Final = 5000
BANK_FEES: Final = 5200
GOODWILL: Final = 5300
HARDSHIP_GIFT: Final = 5400


class AccountType(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class AccountKind(NamedTuple):
    """One line of the chart of accounts.

    `slug` names the account in files; a `per_party` account has a balance of its own for each party; one that `may_not_overdraw` is never
    let below zero on its normal side.
    """

    code: int
    slug: str
    name: str
    type: AccountType
    per_party: bool = False
    may_not_overdraw: bool = False

    @property
    def normal_sign(self) -> int:
        """+1 where a positive balance is a debit, -1 where it is a credit."""
        return 1 if self.type in {AccountType.ASSET, AccountType.EXPENSE} else -1


_ASSET, _LIABILITY, _EQUITY, _INCOME, _EXPENSE = AccountType
CHART: Final[Mapping[int, AccountKind]] = {
    kind.code: kind
    for kind in (
        AccountKind(BANK, "bank", "Bank", _ASSET),
        AccountKind(CARD_TRANSIT, "card_transit", "Card payments in transit", _ASSET),
        AccountKind(OWED_BY_MAKER, "maker_receivable", "Owed by maker", _ASSET, per_party=True, may_not_overdraw=True),
        AccountKind(
            ADVANCE_TO_MAKER, "maker_advance", "Advance to maker", _ASSET, per_party=True, may_not_overdraw=True
        ),
        AccountKind(
            OWED_BY_MEMBER, "member_receivable", "Owed by member", _ASSET, per_party=True, may_not_overdraw=True
        ),
        AccountKind(MEMBER_CREDIT, "member_credit", "Member credit", _LIABILITY, per_party=True, may_not_overdraw=True),
        AccountKind(
            SHARE_PREPAID, "share_deferred", "Season share prepaid", _LIABILITY, per_party=True, may_not_overdraw=True
        ),
        AccountKind(ORDER_HOLD, "order_hold", "Held for orders", _LIABILITY, per_party=True, may_not_overdraw=True),
        AccountKind(OWED_TO_MAKER, "maker_payable", "Owed to maker", _LIABILITY, per_party=True, may_not_overdraw=True),
        AccountKind(
            DEPOSITS_HELD, "deposits", "Container deposits held", _LIABILITY, per_party=True, may_not_overdraw=True
        ),
        AccountKind(HARDSHIP_FUND, "hardship_fund", "Hardship fund", _LIABILITY, may_not_overdraw=True),
        AccountKind(TAX_PAYABLE, "tax_payable", "Tax payable", _LIABILITY),
        AccountKind(
            PAYOUT_TRANSIT, "payout_transit", "Payouts in transit", _LIABILITY, per_party=True, may_not_overdraw=True
        ),
        AccountKind(
            PATRONAGE_PAYABLE,
            "patronage_payable",
            "Patronage dividend payable",
            _LIABILITY,
            per_party=True,
            may_not_overdraw=True,
        ),
        AccountKind(
            SUPPLIERS, "supplier_payable", "Owed to suppliers", _LIABILITY, per_party=True, may_not_overdraw=True
        ),
        AccountKind(
            UNIDENTIFIED_RECEIPTS, "unidentified_receipts", "Unidentified receipts", _LIABILITY, may_not_overdraw=True
        ),
        AccountKind(MEMBER_CAPITAL, "capital", "Membership capital", _EQUITY, per_party=True, may_not_overdraw=True),
        AccountKind(
            ALLOCATED_EQUITY,
            "allocated_equity",
            "Allocated patronage equity",
            _EQUITY,
            per_party=True,
            may_not_overdraw=True,
        ),
        AccountKind(RESERVE, "reserve", "Reserve", _EQUITY),
        AccountKind(RESULT, "result", "Result of the period", _EQUITY),
        AccountKind(FEE_INCOME, "fee_income", "Co-op fee", _INCOME),
        AccountKind(SALES_INCOME, "sales_income", "Sales (resale)", _INCOME),
        AccountKind(FORFEITED_DEPOSITS, "deposit_breakage", "Forfeited deposits", _INCOME),
        AccountKind(COST_OF_GOODS, "cogs", "Cost of goods", _EXPENSE),
        AccountKind(BANK_FEES, "bank_fees", "Bank fees", _EXPENSE),
        AccountKind(GOODWILL, "goodwill", "Goodwill and write-off", _EXPENSE),
        AccountKind(HARDSHIP_GIFT, "hardship_gift", "Co-op's own hardship gift", _EXPENSE),
    )
}


def household_party(household_id: int) -> str:
    """Name a household as the ledger knows it."""
    return f"household:{household_id}"


def artisan_party(artisan_id: int) -> str:
    """Name an artisan as the ledger knows it."""
    return f"artisan:{artisan_id}"


def payment_party(payment_id: int) -> str:
    """Name one payment of a payout run, whose money is in transit, as the ledger knows it."""
    return f"payment:{payment_id}"


def household_payment_party(payment_id: int) -> str:
    """Name one payment to a household (a dividend, capital bought back), whose money is in transit, as the ledger knows it."""
    return f"household_payment:{payment_id}"


def supplier_party(name: str) -> str:
    """Name a supplier as the ledger knows it."""
    return f"supplier:{name}"


class Posting(NamedTuple):
    """One debit (+) or credit (-) of an account; `line_id` names the order line it is about."""

    account_code: int
    party: str
    amount: int
    line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of money, whole: it balances, or it cannot be made.

    `key` is its idempotency key, from business identity; `reverses` is the key of the entry this one mirrors. Raises `too_few_postings`,
    `zero_amount`, `unknown_account`, `wrong_party`, `does_not_balance` or `too_large`.
    """

    key: str
    kind: str
    business_date: date
    postings: tuple[Posting, ...]
    memo: str = ""
    reverses: str | None = None

    def __post_init__(self) -> None:
        assert self.key, "an entry without a key could be booked twice"
        assert self.kind
        if len(self.postings) < 2:
            raise RuleBroken(
                "too_few_postings", "An entry needs at least two postings: where money comes from, and where it goes."
            )
        total = moved = 0
        for code, party, amount, _ in self.postings:
            kind = CHART.get(code)
            if kind is None:
                raise RuleBroken("unknown_account", f"There is no account {code} in the chart of accounts.")
            if kind.per_party is not bool(party):
                needs = "needs to say whose" if kind.per_party else "belongs to the co-op and to no party"
                raise RuleBroken("wrong_party", f"Account {code} ({kind.name}) {needs}.")
            if amount == 0:
                raise RuleBroken("zero_amount", f"A posting of nothing on account {code} says nothing; leave it out.")
            total += amount
            moved += abs(amount)
        if total:
            raise RuleBroken(
                "does_not_balance",
                f"The entry is out of balance by {total} minor units; debits and credits must be equal.",
            )
        if moved > 2 * AMOUNT_LIMIT:
            raise RuleBroken("too_large", f"One entry moves at most {AMOUNT_LIMIT} minor units.")

    def reversed(self, *, key: str, business_date: date, memo: str) -> "Entry":
        """Make the exact mirror of this entry: its stored postings with their signs turned, nothing computed again."""
        if self.reverses is not None:
            raise RuleBroken("is_a_reversal", "This entry is a reversal itself; book what is right anew instead.")
        mirrored = tuple(posting._replace(amount=-posting.amount) for posting in self.postings)
        return Entry(key, "reversal", business_date, mirrored, memo, reverses=self.key)


def season_share_paid(household: str, minor: int) -> tuple[Posting, ...]:
    """A payment for a season share arrives: prepaid until its instalments fall due."""
    return Posting(BANK, "", minor), Posting(SHARE_PREPAID, household, -minor)


def instalment_released(household: str, minor: int) -> tuple[Posting, ...]:
    """An instalment of a season share falls due and becomes credit to order with."""
    return Posting(SHARE_PREPAID, household, minor), Posting(MEMBER_CREDIT, household, -minor)


def credit_paid_in(credits_minor: Mapping[str, int]) -> tuple[Posting, ...]:
    """Money arrives for the credit of one household or of many, in one bank posting; households with 0 are left out."""
    credited = [Posting(MEMBER_CREDIT, household, -minor) for household, minor in credits_minor.items() if minor]
    return Posting(BANK, "", sum(credits_minor.values())), *credited


def bank_charged(minor: int) -> tuple[Posting, ...]:
    """The bank takes its charges."""
    return Posting(BANK_FEES, "", minor), Posting(BANK, "", -minor)


class HoldChange(NamedTuple):
    """How the hold of a line changes; `fund` of it is borne by the hardship fund, or paid to it where below zero."""

    line_id: int
    minor: int
    fund: int = 0


class Freed(NamedTuple):
    """What of a line's hold is not needed any more; `fund` of it goes back to the hardship fund."""

    household: str
    line_id: int
    minor: int
    fund: int = 0


def held_for_order(household: str, changes: Iterable[HoldChange]) -> tuple[Posting, ...]:
    """Move credit into the hold, line by line: an order, an edit by difference, or a cancellation.

    Lines that do not change are left out; no change at all gives no postings.
    """
    held: list[Posting] = []
    taken = 0
    for line_id, minor, fund in changes:
        taken += minor - fund
        parts = (Posting(ORDER_HOLD, household, -minor, line_id), Posting(HARDSHIP_FUND, "", fund, line_id))
        held.extend(posting for posting in parts if posting.amount)
    return (Posting(MEMBER_CREDIT, household, taken), *held) if taken else tuple(held)


def released_from_hold(freed: Iterable[Freed]) -> tuple[Posting, ...]:
    """Give back what a sharing out left short: each line from its hold, one sum to each household's credit, the fund's part to the fund."""
    released: list[Posting] = []
    back: dict[str, int] = {}
    for household, line_id, minor, fund in freed:
        if minor:
            released.append(Posting(ORDER_HOLD, household, minor, line_id))
        if fund:
            released.append(Posting(HARDSHIP_FUND, "", -fund, line_id))
        back[household] = back.get(household, 0) + minor - fund
    return *released, *(Posting(MEMBER_CREDIT, household, -minor) for household, minor in back.items() if minor)
