"""What treasurers write as an entry by hand."""

from typing import Any, Final

from wtforms import FieldList, Form, FormField, SelectField
from wtforms.fields.choices import SelectChoice

from coop.core.errors import RuleBroken
from coop.core.vouchers import OPEN_TO_HAND, VoucherLine
from coop.web.fields import AmountField, DayField, TextLine
from coop.web.forms import CoopForm

ROWS: Final = 4


class LineForm(Form):  # type: ignore[misc]
    account = SelectField(
        "Account",
        choices=[
            SelectChoice("", "none"),
            *(SelectChoice(str(one.code), f"{one.code} {one.name}") for one in OPEN_TO_HAND),
        ],
        default="",
    )
    debit = AmountField("Debit", optional=True)
    credit = AmountField("Credit", optional=True)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for field in (self.debit, self.credit):
            field.flags.stands_alone = True  # one of the two, on each row that is used


class VoucherForm(CoopForm):
    on = DayField("Day of the entry")
    reason = TextLine("What it is for", most=300, description="It stays in the books, with both names.")
    lines = FieldList(FormField(LineForm), min_entries=ROWS, max_entries=ROWS)

    def told(self) -> list[VoucherLine]:
        """Return the rows that were filled in. Raises `half_filled` at the row's field."""
        found = []
        for row in self.lines:
            code, debit, credit = row.form.account.data, row.form.debit.data, row.form.credit.data
            if not code and debit is None and credit is None:
                continue
            if not code:
                raise RuleBroken("half_filled", "Choose the account of this amount.", field=row.form.account.name)
            if (debit is None) == (credit is None):
                raise RuleBroken("half_filled", "Give a debit or a credit, one of the two.", field=row.form.debit.name)
            found.append(VoucherLine(int(code), debit if debit is not None else -credit))
        return found


class AgreeForm(CoopForm):
    """One button of a page that shows what it does."""
