"""What a household may wish for: in an open pool, within the caps, at the price it was shown."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop.core.errors import NotFound, RuleBroken
from coop.core.money import format_minor, minor_exponent
from coop.policy import service as policy
from coop.pools.models import Offering, Pool
from coop.seasons import service as seasons

MOST_PIECES = 1_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a household asks of one offering, at the price it was shown; a wish of 0 takes the line back.

    Lines with the same `choice` stand in for one another in the order of their ranks, and take `wish` pieces in all.
    """

    offering_id: int
    wish: int
    up_to: int
    shown_unit_minor: int
    shown_deposit_minor: int = 0
    choice: int | None = None
    rank: int | None = None

    @property
    def each_minor(self) -> int:
        return self.shown_unit_minor + self.shown_deposit_minor


def pool_taking_orders(session: Session, pool_id: int, at: datetime) -> Pool:
    """Return a pool that takes orders now, its cut-off held until commit. Raises NotFound, `not_open` and `closed_at`."""
    pool = session.get(Pool, pool_id, with_for_update={"read": True})
    if pool is None:
        raise NotFound("There is no such pool.")
    if pool.opened_at is None:
        raise RuleBroken("not_open", "This pool has not opened yet. It opens as announced on its page.")
    if pool.closed_at is not None or at > pool.closes_at:
        raise RuleBroken("closed_at", "Orders for this pool are closed, so they can no longer change.")
    return pool


def check_right_to_order(session: Session, pool: Pool, household_id: int) -> None:
    """See that a household may order in a pool. Raises `no_share`."""
    assert pool.opened_at is not None
    if not seasons.may_order(session, pool.season_id, household_id, at=pool.opened_at):
        raise RuleBroken("no_share", "This season is for households with a season share. Take one to order.")


def checked_offerings(session: Session, pool_id: int, wishes: Sequence[Wish], *, at: datetime) -> dict[int, Offering]:
    """Return what is wished for by its id, each wish in order: offered, whole, within the cap, and at the price that was shown.

    Raises NotFound, `same_line_twice`, `bad_wish`, `over_cap` and `price_changed`.
    """
    for offering_id, times in Counter(wish.offering_id for wish in wishes).items():
        if times > 1:
            raise RuleBroken(
                "same_line_twice", "The same batch stands twice in the order.", field=f"wish-{offering_id}"
            )
    found = {
        offering.id: offering
        for offering in session.scalars(
            select(Offering).where(Offering.pool_id == pool_id, Offering.id.in_([w.offering_id for w in wishes]))
        )
    }
    for wish in wishes:
        offering = found.get(wish.offering_id)
        if offering is None:
            raise NotFound("One of these batches is not offered in this pool.")
        _check_wish(wish, offering)
        if wish.up_to:
            _check_price(session, wish, offering, at=at)
    return found


def _check_wish(wish: Wish, offering: Offering) -> None:
    field = f"wish-{offering.id}"
    if not 0 <= wish.wish <= wish.up_to <= MOST_PIECES:
        raise RuleBroken(
            "bad_wish",
            "Wishes are whole pieces from 0, and “up to” is at least the wish.",
            field=f"up_to-{offering.id}",
        )
    if offering.cap is not None and wish.up_to > offering.cap:
        raise RuleBroken("over_cap", f"One household may take at most {offering.cap} of this batch.", field=field)


def _check_price(session: Session, wish: Wish, offering: Offering, *, at: datetime) -> None:
    shown, now_minor = (wish.shown_unit_minor, wish.shown_deposit_minor), (offering.price_minor, offering.deposit_minor)
    if shown == now_minor:
        return
    currency = policy.current(session, "currency", at=at)
    before, today = (_price_words(*price, currency) for price in (shown, now_minor))
    raise RuleBroken(
        "price_changed",
        f"The price has changed since this page was shown: it was {before}, and is {today} now. Save again to order at that.",
        field=f"wish-{offering.id}",
    )


def _price_words(unit_minor: int, deposit_minor: int, currency: str) -> str:
    unit, deposit = (format_minor(minor, minor_exponent(currency)) for minor in (unit_minor, deposit_minor))
    return f"{unit} {currency}" + (f" and {deposit} deposit" if deposit_minor else "")
