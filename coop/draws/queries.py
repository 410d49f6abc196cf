"""Where a pool's draws stand, for pages."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.draws import service
from coop.draws.models import Draw


@dataclass(frozen=True, slots=True)
class WitnessRow:
    """`secret` stays empty until the last witness has revealed."""

    name: str
    person_id: int
    hash: str
    has_revealed: bool
    secret: str


@dataclass(frozen=True, slots=True)
class DrawPart:
    """One draw of a pool and where it stands."""

    n: int
    kind: str
    chain: str
    round: str
    round_at: datetime | None
    value: str
    known_at: datetime | None
    void_reason: str | None
    witnesses: list[WitnessRow]

    def of(self, person_id: int) -> WitnessRow | None:
        """Return what somebody handed in for this draw."""
        return next((witness for witness in self.witnesses if witness.person_id == person_id), None)


_PEOPLE = text("SELECT id, name FROM person WHERE id = ANY(:people)")


def parts_of(session: Session, pool_id: int) -> list[DrawPart]:
    """Return the draws of a pool, the one that counts last; none where the season's secret decides."""
    parts = []
    for draw in session.scalars(select(Draw).where(Draw.pool_id == pool_id).order_by(Draw.n)):
        witnesses = service.witnesses(session, draw)
        ids = [witness.person_id for witness in witnesses]
        names = {row.id: row.name for row in session.execute(_PEOPLE, {"people": ids})}
        rows = [
            WitnessRow(
                name=names[witness.person_id],
                person_id=witness.person_id,
                hash=witness.hash,
                has_revealed=witness.secret is not None,
                secret=witness.secret.hex() if witness.secret and draw.value else "",
            )
            for witness in witnesses
        ]
        value = draw.value.hex() if draw.value else ""
        parts.append(
            DrawPart(
                draw.n, draw.kind, draw.chain, draw.round, draw.round_at, value, draw.known_at, draw.void_reason, rows
            )
        )
    return parts
