"""Book receipts that name their household by a payment reference: for a season share, as credit, or as a gift."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from coop.core.ledger import BANK, HARDSHIP_FUND, MEMBER_CREDIT, SHARE_PREPAID, Entry, Posting, household_party
from coop.core.payment_reference import CREDIT, GIFT, SHARE, PaymentReference, references_in
from coop.formats.bank_statement import BankLine
from coop.instalments import service as instalments
from coop.ledger import service as ledger
from coop.people.models import Household
from coop.seasons.models import SeasonShare

PURPOSES: Final = {SHARE: "share", CREDIT: "credit", GIFT: "gift"}
_KINDS: Final = {SHARE: "share_paid", CREDIT: "top_up", GIFT: "gift"}


class Booked(NamedTuple):
    """A receipt that was booked by its reference."""

    entry_id: int
    household_id: int
    share_id: int | None
    purpose: str


class _Named(NamedTuple):
    key: str
    line: BankLine
    household_id: int
    reference: PaymentReference


def book_named(
    session: Session, receipts: Mapping[str, BankLine], *, by: int, at: datetime, currency: str
) -> dict[str, Booked]:
    """Book each receipt that carries exactly one valid reference of a household of ours, under its key; leave the others.

    What a share no longer costs becomes credit. Instalments that are due and now covered are released.
    """
    named = _named(session, receipts)
    owed = instalments.owed_by(session, {one.household_id for one in named})
    entries = []
    for one in named:
        party, minor = household_party(one.household_id), one.line.minor
        for_share = min(minor, owed[one.household_id]) if one.reference.purpose == SHARE else 0
        owed[one.household_id] -= for_share
        rest = Posting(HARDSHIP_FUND, "", for_share - minor)
        if one.reference.purpose != GIFT:
            rest = Posting(MEMBER_CREDIT, party, for_share - minor)
        postings = (Posting(BANK, "", minor), Posting(SHARE_PREPAID, party, -for_share), rest)
        kept = tuple(posting for posting in postings if posting.amount)
        memo = f"reference {one.reference.written()}"
        entries.append(Entry(one.key, _KINDS[one.reference.purpose], one.line.booked_on, kept, memo))
    entry_ids = ledger.post_all(session, entries, by=by, currency=currency)
    sharing = {one.household_id for one in named if one.reference.purpose == SHARE}
    instalments.release_of(session, sharing, by=by, at=at)
    return {
        one.key: Booked(
            entry_id,
            one.household_id,
            one.reference.number if one.reference.purpose == SHARE else None,
            PURPOSES[one.reference.purpose],
        )
        for one, entry_id in zip(named, entry_ids, strict=True)
    }


def remember(session: Session, seen: Collection[tuple[str, int, date]]) -> None:
    """Keep from which accounts, by their keyed hash, which household paid and when last."""
    latest: dict[tuple[str, int], date] = {}
    for payer_hash, household_id, on in seen:
        latest[payer_hash, household_id] = max(on, latest.get((payer_hash, household_id), on))
    if latest:
        told = [(payer_hash, household_id, on) for (payer_hash, household_id), on in sorted(latest.items())]
        hashes, households, days = zip(*told, strict=True)
        values = {"hashes": list(hashes), "households": list(households), "days": list(days)}
        session.execute(_REMEMBER, values)


_REMEMBER = text("""
INSERT INTO payer_account AS known (payer_hash, household_id, last_on)
SELECT * FROM unnest(CAST(:hashes AS text[]), CAST(:households AS bigint[]), CAST(:days AS date[]))
ON CONFLICT (payer_hash, household_id) DO UPDATE SET last_on = greatest(known.last_on, excluded.last_on)
""")


def _named(session: Session, receipts: Mapping[str, BankLine]) -> Sequence[_Named]:
    """Return the receipts whose one reference leads to a household that has not left; those households are held."""
    found = {key: references_in(f"{line.text} {line.end_to_end_id or ''}") for key, line in receipts.items()}
    alone = {key: next(iter(told)) for key, told in found.items() if len(told) == 1}
    shares = [told.number for told in alone.values() if told.purpose == SHARE]
    held_by = select(SeasonShare.id, SeasonShare.household_id).where(SeasonShare.id == any_(_numbers(shares)))
    whose = {share_id: household_id for share_id, household_id in session.execute(held_by)}  # noqa: C416 - a row is no pair
    led = {key: whose.get(told.number) if told.purpose == SHARE else told.number for key, told in alone.items()}
    wanted = sorted({household_id for household_id in led.values() if household_id is not None})
    here = set(
        session.scalars(
            select(Household.id)
            .where(Household.id == any_(_numbers(wanted)), Household.left_at.is_(None))
            .order_by(Household.id)
            .with_for_update()
        )
    )
    return [
        _Named(key, receipts[key], household_id, alone[key])
        for key, household_id in led.items()
        if household_id is not None and household_id in here
    ]


def _numbers(ids: Sequence[int]) -> ColumnElement[Any]:
    return literal(list(ids), ARRAY(BigInteger))
