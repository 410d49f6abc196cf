"""Settle the co-op's own facts."""

from dataclasses import asdict, dataclass
from datetime import datetime

from babel import Locale
from babel.core import UnknownLocaleError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent
from coop.core.season import zone_named
from coop.db import Db
from coop.formats.iban import read_iban
from coop.ledger.models import Entry
from coop.policy import service as policy


@dataclass(frozen=True, slots=True)
class Facts:
    """What a co-op says of itself, by the names of its policies. An empty `coop_iban` keeps the account there is."""

    coop_name: str
    coop_line: str
    coop_town: str
    currency: str
    zone: str
    locale: str
    payout_minimum_minor: int
    coop_iban: str = ""


def settle_facts(db: Db, facts: Facts, *, by: int, at: datetime, key: str) -> int:
    """Write each fact that differs from the one in effect, and return how many did.

    Raises `unknown_currency`, `in_use` for another currency once something is posted, `bad_timezone`, `bad_locale`,
    or what `read_iban` finds; then nothing has changed.
    """
    with db.begin() as session:
        spent = keys.spend(session, by=by, key=key, body={"act": "settle_facts"} | asdict(facts))
        if spent is not None:
            return spent
        session.execute(text("LOCK TABLE policy IN SHARE ROW EXCLUSIVE MODE"))  # two admins settle one after the other
        agreed = policy.all_current(session, at=at)
        wanted = _read(facts)
        changed = {name: value for name, value in wanted.items() if value != agreed[name]}
        if "currency" in changed:
            _refuse_in_use(session, agreed["currency"])
        for name, value in changed.items():
            policy.change(session, name, value, by=by, at=at)
        keys.answer(session, by=by, key=key, row_id=len(changed))
        return len(changed)


def _read(facts: Facts) -> dict[str, str | int]:
    """Return the facts as they are kept; each must be one we know."""
    wanted = asdict(facts)
    wanted["currency"] = facts.currency.upper()
    wanted["locale"] = _locale(facts.locale)
    try:
        minor_exponent(wanted["currency"])
    except RuleBroken as broken:
        raise RuleBroken(broken.code, broken.sentence, field="currency") from broken
    try:
        zone_named(facts.zone)
    except RuleBroken as broken:
        raise RuleBroken(broken.code, broken.sentence, field="zone") from broken
    if not facts.coop_iban:
        del wanted["coop_iban"]
        return wanted
    try:
        wanted["coop_iban"] = read_iban(facts.coop_iban)
    except RuleBroken as broken:
        raise RuleBroken(broken.code, broken.sentence, field="coop_iban") from broken
    return wanted


def _locale(typed: str) -> str:
    try:
        return str(Locale.parse(typed.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        raise RuleBroken(
            "bad_locale",
            f"“{typed[:20]}” is no language and place we know; give them such as en_IE or de_AT.",
            field="locale",
        ) from None


def _refuse_in_use(session: Session, currency: str) -> None:
    if session.scalar(select(Entry.id).limit(1)) is not None:
        raise RuleBroken(
            "in_use",
            f"The books are kept in {currency} and have entries, so the currency stays.",
            field="currency",
        )
