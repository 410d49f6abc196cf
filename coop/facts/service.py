"""Settle the co-op's own facts, and where pieces are fetched."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from babel import Locale
from babel.core import UnknownLocaleError
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent
from coop.core.season import zone_named
from coop.core.us_account import read_routing
from coop.db import Db
from coop.formats.iban import read_iban
from coop.ledger.models import Entry
from coop.people import service as people
from coop.pickups import service as pickups
from coop.pickups.models import PickupPoint
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
    returnables_kept_days: int = 0
    late_shares: str = "full"
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


@dataclass(frozen=True, slots=True)
class BankFileFacts:
    """In what form the bank is asked to pay, by the names of the policies; what begins with `ach` is needed for ACH alone."""

    bank_file: str
    ach_routing: str = ""
    ach_bank_name: str = ""
    ach_company_id: str = ""


def settle_bank_file(db: Db, facts: BankFileFacts, *, by: int, at: datetime, key: str) -> int:
    """Write each fact that differs from the one in effect, and return how many did.

    Raises `required`, `bad_company_id`, `wrong_currency` for ACH in another currency than USD, and what `read_routing` finds.
    """
    with db.begin() as session:
        spent = keys.spend(session, by=by, key=key, body={"act": "settle_bank_file"} | asdict(facts))
        if spent is not None:
            return spent
        session.execute(text("LOCK TABLE policy IN SHARE ROW EXCLUSIVE MODE"))
        agreed = policy.all_current(session, at=at)
        wanted = asdict(facts)
        if facts.bank_file == "nacha":
            wanted["ach_routing"] = _of_ach(facts, agreed["currency"])
        changed = {name: value for name, value in wanted.items() if value != agreed[name]}
        for name, value in changed.items():
            policy.change(session, name, value, by=by, at=at)
        keys.answer(session, by=by, key=key, row_id=len(changed))
        return len(changed)


def _of_ach(facts: BankFileFacts, currency: str) -> str:
    """Check what an ACH file needs, and return the routing number as it is kept."""
    if currency != "USD":
        raise RuleBroken("wrong_currency", f"ACH moves US dollars; the books are in {currency}.", field="bank_file")
    try:
        routing = read_routing(facts.ach_routing)
    except RuleBroken as broken:
        raise RuleBroken(broken.code, broken.sentence, field="ach_routing") from broken
    if not facts.ach_bank_name:
        raise RuleBroken("required", "Please give the name of the bank, as it wants it in the file.", field="ach_bank_name")  # fmt: skip
    if re.fullmatch("[0-9A-Z]{10}", facts.ach_company_id) is None:
        raise RuleBroken("bad_company_id", "This has ten digits or capital letters; the bank gives it, often 1 and the tax number.", field="ach_company_id")  # fmt: skip
    return routing


def open_point(db: Db, name: str, *, place: str, hours: str, by: int, key: str) -> int:
    """Add a pickup point and return its id. Raises `name_taken`, also for the name of one that ended."""
    with db.begin() as session:
        body = {"act": "open_point", "name": name, "place": place, "hours": hours}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        session.execute(text("LOCK TABLE pickup_point IN SHARE ROW EXCLUSIVE MODE"))
        taken = session.scalar(select(PickupPoint).where(func.lower(PickupPoint.name) == name.lower()))
        if taken is not None:
            ended = "" if taken.ended_at is None else ", which has ended"
            raise RuleBroken(
                "name_taken", f"There is a pickup point {taken.name} already{ended}; give another name.", field="name"
            )
        point_id = pickups.add_point(session, name, place=place, hours=hours)
        audit.record(session, "open_pickup_point", by=by, subject=("pickup_point", point_id), detail={"name": name})
        keys.answer(session, by=by, key=key, row_id=point_id)
        return point_id


def end_point(db: Db, point_id: int, *, by: int, at: datetime, key: str) -> int:
    """End a pickup point, ask the households that fetched there to choose again, and return how many they are.

    Raises `already_ended`.
    """
    with db.begin() as session:
        earlier = keys.spend(session, by=by, key=key, body={"act": "end_point", "point": point_id})
        if earlier is not None:
            return earlier
        asked = pickups.end_point(session, point_id, at=at)
        point = session.get_one(PickupPoint, point_id)
        values = {"point": point.name, "place": point.place}
        people.tell_households(session, f"pickup_point_ended:{point_id}", "pickup_point_ended", asked, values)
        detail = {"households": len(asked)}
        audit.record(session, "end_pickup_point", by=by, subject=("pickup_point", point_id), detail=detail)
        keys.answer(session, by=by, key=key, row_id=len(asked))
        return len(asked)


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
