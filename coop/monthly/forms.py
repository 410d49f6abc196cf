"""How many months, and from when."""

from coop.monthly.service import MOST_MONTHS
from coop.web.fields import DayField, PiecesField
from coop.web.forms import CoopForm


class MonthlyForm(CoopForm):
    months = PiecesField("In how many monthly payments", least=2, most=MOST_MONTHS)
    first = DayField("The first one on", description="The others follow on the same day of each month.")
