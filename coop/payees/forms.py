"""What a member types of the household's bank account."""

from typing import Final

from coop.agreements.forms import BankDetailsForm, UsBankDetailsForm, typed_account
from coop.core.payout import ACCOUNT_RESTS

__all__ = ["BankDetailsForm", "UsBankDetailsForm", "typed_account"]

KEPT: Final = (
    "The account is kept, sealed, and each of you is told by mail. "
    f"One that took another's place rests for {ACCOUNT_RESTS.days} days before anything is paid to it."
)
