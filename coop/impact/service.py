"""Publish what a season came to so far: frozen, and only what shows no single maker, now or together with what was published before."""

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core import impact
from coop.core.errors import NotFound
from coop.core.impact import Figure, may_follow, may_publish_sum
from coop.core.money import minor_exponent
from coop.core.season import local_day
from coop.db import Db
from coop.impact import queries
from coop.impact.models import Snapshot
from coop.impact.queries import Measured
from coop.policy import service as policy
from coop.seasons.models import Season

PAID: Final = "paid_to_makers"
PART: Final = "makers_part_of_ten"


def publish_snapshot(db: Db, season_id: int, *, by: int, at: datetime, key: str = "") -> int:
    """Publish the figures of a season as they stand; return the snapshot's id.

    A sum whose change since the last publication would show a single maker stays as it was published, with its day.
    """
    with db.begin() as session:
        body = {"act": "publish_snapshot", "season": season_id}
        if key and (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        if session.get(Season, season_id, with_for_update=True) is None:
            raise NotFound("There is no such season.")
        agreed = policy.all_current(session, at=at)
        found = queries.measured(session, season_id)
        snapshot = Snapshot(season_id=season_id, taken_at=at, published_by=by)
        ten = 10 * 10 ** minor_exponent(agreed["currency"])
        figures = _figures(found, ten=ten, as_of=local_day(at, agreed["zone"]))
        _write(snapshot, figures, found, _latest(session, season_id))
        session.add(snapshot)
        session.flush()
        audit.record(session, "publish_snapshot", by=by, subject=("snapshot", snapshot.id), detail=body)
        if key:
            keys.answer(session, by=by, key=key, row_id=snapshot.id)
        return snapshot.id


def _figures(found: Measured, *, ten: int, as_of: date) -> list[Figure]:
    makers = found.makers
    return [
        impact.paid_to_makers(found.paid, makers=makers, as_of=as_of),
        impact.makers_part_of_ten(
            found.nets, prices=found.prices, taxes=found.taxes, ten=ten, makers=makers, as_of=as_of
        ),
        impact.fill_rate(awarded=found.awarded, wished=found.wished, batches=found.batches, as_of=as_of),
        impact.members_fully_served(served=found.served, wishing=found.wishing, as_of=as_of),
        impact.pay_speed(found.lines_by_days, handed_over=found.lines, as_of=as_of),
        impact.makers_count(makers, as_of=as_of),
        impact.members_count(found.members, as_of=as_of),
    ]


def _write(snapshot: Snapshot, figures: list[Figure], found: Measured, before: Snapshot | None) -> None:
    """Keep each sum of makers' money that may be shown after what was; the makers' parts of it are kept beside, unseen."""
    behind = {PAID: found.paid, PART: found.nets}
    snapshot.figures, snapshot.behind = [], {}
    for figure in figures:
        kept = dataclasses.asdict(figure) | {"as_of": figure.as_of.isoformat()}
        if figure.name in behind:
            shown_before = _amounts(before, figure.name)
            if not may_follow(shown_before, behind[figure.name]) and shown_before:
                assert before is not None
                kept = next(was for was in before.figures if was["name"] == figure.name)
                behind[figure.name] = shown_before
            if kept["value"] is not None:
                snapshot.behind[figure.name] = {str(maker): minor for maker, minor in behind[figure.name].items()}
        snapshot.figures.append(kept)
    _write_pools(snapshot, found.paid_by_pool, before)


def _write_pools(snapshot: Snapshot, by_pool: Mapping[str, Mapping[int, int]], before: Snapshot | None) -> None:
    """Show payments by pool only if each hides its makers and all of them add up to the total shown, or keep what was shown.

    One pool left out could be worked out from the total.
    """
    total = snapshot.behind.get(PAID, {})
    adds_up = bool(total) and all(
        sum(paid.get(int(maker), 0) for paid in by_pool.values()) == minor for maker, minor in total.items()
    )
    clear = all(
        may_publish_sum(paid.values()) and may_follow(_amounts(before, f"pool {name}"), paid)
        for name, paid in by_pool.items()
    )
    if adds_up and clear:
        snapshot.by_pool = [{"pool": name, "minor": sum(paid.values())} for name, paid in by_pool.items()]
        for name, paid in by_pool.items():
            snapshot.behind[f"pool {name}"] = {str(maker): minor for maker, minor in paid.items()}
    elif before is not None and snapshot.behind.get(PAID) == before.behind.get(PAID):
        snapshot.by_pool = before.by_pool
        snapshot.behind |= {name: paid for name, paid in before.behind.items() if name.startswith("pool ")}
    else:
        snapshot.by_pool = []


def _latest(session: Session, season_id: int) -> Snapshot | None:
    return session.scalar(
        select(Snapshot).where(Snapshot.season_id == season_id).order_by(Snapshot.taken_at.desc(), Snapshot.id.desc())
    )


def _amounts(snapshot: Snapshot | None, name: str) -> dict[int, int]:
    """Return the makers' parts of a sum that a snapshot shows; none where it shows none."""
    kept: Any = snapshot.behind.get(name, {}) if snapshot else {}
    return {int(maker): minor for maker, minor in kept.items()}
