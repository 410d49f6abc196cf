"""What is sent to put something right: always with a reason."""

from coop.core.payout import HIGHEST_FEE_BP
from coop.web.fields import PercentField, PiecesField, TextLine
from coop.web.forms import CoopForm


class CreditForm(CoopForm):
    pieces = PiecesField("How many were bad", least=1)
    reason = TextLine("What was wrong", description="The household and the maker read it: “cracked glaze”.")


class FeeForm(CoopForm):
    fee = PercentField("Co-op fee, percent of the price", least=0, most=HIGHEST_FEE_BP // 100)
    reason = TextLine("Why it changes", description="It stays in the books.")


class ReasonForm(CoopForm):
    reason = TextLine("Why", description="It stays in the books.")
