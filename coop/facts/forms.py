"""What an admin says about the co-op."""

from flask import request
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from coop.core.money import MINOR_EXPONENT, parse_amount
from coop.facts.service import BankFileFacts, Facts
from coop.web.fields import AmountField, PiecesField, TextLine
from coop.web.forms import CoopForm
from coop.web.reading import customs
from coop.web.words import LATE_SHARES


class SmallestPayout(AmountField):
    """An amount in the currency of the same form, which may be about to change."""

    def read(self, typed: str) -> int:
        """Read it with the decimals of the currency that was sent along."""
        named = request.form.get("currency", "").strip().upper()
        return parse_amount(typed, MINOR_EXPONENT.get(named, customs().exponent), customs().numbers, least=self.least)


class FactsForm(CoopForm):
    coop_name = TextLine(
        "Name of the co-op", most=70, description="On every page, in letters, and as payer at the bank."
    )
    coop_line = TextLine("One line under the name", optional=True)
    coop_town = TextLine("Town", optional=True)
    currency = TextLine(
        "Currency",
        most=3,
        description="Its ISO code, such as EUR. It stays once anything is in the books.",
        render_kw={"list": "currencies", "autocomplete": "off", "spellcheck": "false"},
    )
    zone = TextLine(
        "Time zone",
        most=60,
        description="Cut-offs and days go by it: Europe/London.",
        render_kw={"list": "zones", "autocomplete": "off", "spellcheck": "false"},
    )
    locale = TextLine(
        "Language and place",
        most=20,
        description="How amounts and dates are written: en_IE, de_AT.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    payout_minimum_minor = SmallestPayout(
        "Smallest payout", least=0, description="A maker who is owed less waits for the next payout."
    )
    returnables_kept_days = PiecesField(
        "Days that jars and bottles may stay out",
        least=0,
        most=3650,
        description="After them the treasurer may let their deposit be forfeited. 0: never.",
    )
    late_shares = RadioField(
        "A season share that is taken after the season's first day",
        choices=[SelectChoice(way, words) for way, words in LATE_SHARES.items()],
        default="full",
    )
    coop_iban = TextLine(
        "IBAN of the co-op", most=60, optional=True, render_kw={"autocomplete": "off", "spellcheck": "false"}
    )

    def facts(self) -> Facts:
        """Return what was typed."""
        return Facts(**{name: self[name].data for name in Facts.__dataclass_fields__})


class BankFileForm(CoopForm):
    bank_file = RadioField(
        "The bank takes",
        choices=[
            SelectChoice("sepa", "SEPA credit transfers: pain.001.001.09"),
            SelectChoice("nacha", "ACH credits in the United States: a Nacha file (PPD)"),
            SelectChoice("list", "a list to enter by hand: CSV"),
        ],
    )
    ach_routing = TextLine("Routing number of the co-op's bank", most=20, optional=True, description="For ACH.")
    ach_bank_name = TextLine("Name of the bank", most=23, optional=True, description="For ACH, as the bank writes it.")
    ach_company_id = TextLine(
        "Company identification", most=10, optional=True, description="For ACH: ten signs that the bank gives."
    )

    def facts(self) -> BankFileFacts:
        """Return what was chosen and typed."""
        return BankFileFacts(**{name: self[name].data for name in BankFileFacts.__dataclass_fields__})


class PointForm(CoopForm):
    name = TextLine("Name", most=60, description="As members say it: Mill Yard.")
    place = TextLine("Where it is", description="Street and town.")
    hours = TextLine("When it is open", description="Wednesdays 16:00 to 19:00")
