"""The account that somebody is paid to, as it is kept sealed: an IBAN, or an account in the United States."""

from typing import NamedTuple

from coop.core.errors import RuleBroken
from coop.core.us_account import UsAccount
from coop.formats.iban import read_iban


class PayeeAccount(NamedTuple):
    """Whose it is, its scheme (`iban` or `us`), what is to be sealed, and the last four characters that may be shown."""

    holder: str
    scheme: str
    written: bytes
    ending: str


def read_account(holder: str, iban: str, us: UsAccount | None) -> PayeeAccount:
    """Read what was typed; `us` goes before an IBAN. Raises `required` and what `read_iban` does."""
    if not holder.strip():
        raise RuleBroken("required", "Please give the name the account is held under.", field="holder")
    if us is not None:
        return PayeeAccount(holder.strip(), "us", us.written().encode(), us.number[-4:])
    try:
        number = read_iban(iban)
    except RuleBroken as wrong:
        raise RuleBroken(wrong.code, wrong.sentence, field="iban") from wrong
    return PayeeAccount(holder.strip(), "iban", number.encode(), number[-4:])


def account_of(scheme: str, written: bytes) -> str | UsAccount:
    """Return the account whose sealed words these were."""
    return written.decode() if scheme == "iban" else UsAccount.of(written.decode())
