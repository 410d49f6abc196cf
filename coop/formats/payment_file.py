"""The file by which a bank is asked to pay, in the form that the co-op's bank takes: SEPA, ACH, or a list."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from coop.core.errors import RuleBroken
from coop.core.money import format_minor, minor_exponent
from coop.core.us_account import UsAccount
from coop.formats.csv_writing import write_csv
from coop.formats.nacha import Credit, Originator, write_nacha
from coop.formats.pain import Payer, Transfer, write_pain001

SEPA: Final = "sepa"
NACHA: Final = "nacha"
LIST: Final = "list"
EXTENSIONS: Final = {SEPA: "xml", NACHA: "ach", LIST: "csv"}
_COLUMNS: Final = ("end_to_end_id", "name", "account", "amount", "currency", "text")


class Due(NamedTuple):
    """One payment to a maker or a household; the account is an IBAN or one in the United States."""

    end_to_end_id: str
    name: str
    account: str | UsAccount
    minor: int
    text: str


class Sender(NamedTuple):
    """The co-op as payer: what each form of file needs of it; "" for what is not known."""

    name: str
    iban: str
    routing: str
    bank_name: str
    company_id: str


SENDER: Final = ("coop_name", "coop_iban", "ach_routing", "ach_bank_name", "ach_company_id")
"""The co-op's settings that a `Sender` is made of, in its order."""


class Orders(NamedTuple):
    """What is asked of the bank. `number` tells files of one day apart; `made_at` is in the co-op's zone."""

    number: int
    message_id: str
    made_at: datetime
    pay_on: date
    currency: str
    sender: Sender
    payments: Sequence[Due]


def write_payment_file(kind: str, orders: Orders) -> bytes:
    """Write the file, the same bytes for the same orders. Raises `no_bank_account` and `account_elsewhere`."""
    _refuse_other_accounts(kind, orders.payments)
    if kind == NACHA:
        return _ach(orders)
    if kind == SEPA:
        return _sepa(orders)
    return _list(orders)


def _refuse_other_accounts(kind: str, payments: Sequence[Due]) -> None:
    wrong = [one.name for one in payments if isinstance(one.account, UsAccount) is not (kind == NACHA)]
    if wrong and kind != LIST:
        form = "an ACH file" if kind == NACHA else "a SEPA file"
        raise RuleBroken(
            "account_elsewhere",
            f"The bank details of {wrong[0]}{' and others' if wrong[1:] else ''} are of another kind than {form} can pay. Take"
            " back what was asked, and let the account be entered anew.",
        )


def _sepa(orders: Orders) -> bytes:
    if not orders.sender.iban:
        raise RuleBroken("no_bank_account", "The co-op's own bank account is not set yet. An admin adds it under Settings.")  # fmt: skip
    return write_pain001(
        message_id=orders.message_id,
        created_at=orders.made_at,
        execute_on=orders.pay_on,
        payer=Payer(orders.sender.name, orders.sender.iban),
        currency=orders.currency,
        transfers=[
            Transfer(one.end_to_end_id, one.name, str(one.account), one.minor, one.text) for one in orders.payments
        ],
    )


def _ach(orders: Orders) -> bytes:
    name, _, routing, bank_name, company_id = orders.sender
    if not (routing and bank_name and company_id):
        raise RuleBroken("no_bank_account", "What the co-op's bank needs in an ACH file is not set yet. An admin adds it under Settings, Bank file.")  # fmt: skip
    entries = [
        Credit(one.end_to_end_id, one.name, one.account, one.minor)
        for one in orders.payments
        if isinstance(one.account, UsAccount)
    ]
    originator = Originator(routing, bank_name, company_id, name)
    return write_nacha(
        number=orders.number, created_at=orders.made_at, pay_on=orders.pay_on, originator=originator, entries=entries
    )


def _list(orders: Orders) -> bytes:
    exponent = minor_exponent(orders.currency)
    rows = [
        (
            one.end_to_end_id,
            one.name,
            one.account.written() if isinstance(one.account, UsAccount) else one.account,
            format_minor(one.minor, exponent),
            orders.currency,
            one.text,
        )
        for one in orders.payments
    ]
    return b"".join(write_csv(_COLUMNS, rows))
