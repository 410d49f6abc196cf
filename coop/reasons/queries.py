"""Explain a household's lines of a published pool by what their batches froze, and show the way to each."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import explain_pictures as pictures
from coop.core.claims import MICRO, TOGETHER_RULE
from coop.core.errors import NotFound
from coop.core.explain import sentence
from coop.core.explain_changes import Aftermath, told_after
from coop.core.explain_facts import AwardFacts, facts_of
from coop.core.explain_numbers import Wording, amount, rounded
from coop.core.explain_ways import Way
from coop.core.recent import Recent
from coop.core.roles import Viewer, may_share_out
from coop.frozen.queries import Linked, SharedBatch, aftermath_of, agrees, linked_lines, shared_batches

_MOVED = text("""
SELECT w.family, e.name
  FROM pool t CROSS JOIN unnest(CAST(:families AS text[])) AS w (family)
  CROSS JOIN LATERAL (
    SELECT p.name FROM household_order o
      JOIN pool p ON p.id = o.pool_id AND p.season_id = t.season_id AND (p.closes_at, p.id) < (t.closes_at, t.id)
      JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
     WHERE o.household_id = :household AND EXISTS (
       SELECT 1 FROM order_line l
         JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id
         JOIN offering f ON f.id = l.offering_id
         JOIN product d ON d.id = f.product_id AND d.family = w.family
        WHERE l.order_id = o.id AND a.entitled_micro <> 1000000 * (a.pieces - a.extra))
     ORDER BY p.closes_at DESC, p.id DESC LIMIT 1) e
 WHERE t.id = :pool
""")

_LINES = text("""
SELECT l.id, l.offering_id, d.family, b.lot_number, a.pieces - a.extra AS served, a.entitled_micro, a.owed_before_micro
  FROM household_order o
  JOIN order_line l ON l.order_id = o.id AND l.up_to > 0
  JOIN award a ON a.run_id = :run AND a.offering_id = l.offering_id AND a.line_id = l.id
  JOIN offering f ON f.id = l.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
 WHERE o.pool_id = :pool AND o.household_id = :household
 ORDER BY b.lot_number COLLATE "C"
""")


def since(session: Session, run_id: int, pool_id: int, household_id: int) -> dict[int, str]:
    """Say of each line of a published pool where what was owed before it came from: the batch or the pool that moved it last."""
    asked = {"run": run_id, "pool": pool_id, "household": household_id}
    rows = session.execute(_LINES, asked).all()
    families = sorted({row.family for row in rows if row.owed_before_micro})
    moved: dict[str, str] = {}
    if families:
        moved = {row.family: row.name for row in session.execute(_MOVED, asked | {"families": families})}
    told = {}
    for row in rows:
        told[row.id] = moved.get(row.family, "")
        if row.entitled_micro is not None and row.entitled_micro != MICRO * row.served:
            moved[row.family] = f"lot {row.lot_number} of this pool"
    return told


_SHARED: Final[Recent[tuple[Hashable, int], SharedBatch]] = Recent(1024)
"""Batches as they were shared out, some 10 kB each: whoever claimed in one looks at the same; only their words may change."""


class Explained(NamedTuple):
    """The numbers of one award, without the words that a product may change later."""

    facts: AwardFacts
    aftermath: Aftermath

    def words(self, wording: Wording) -> str:
        """Say them in the one true sentence."""
        return sentence(self.facts, wording) + told_after(self.aftermath, wording)


def explained(
    session: Session,
    run_id: int,
    pool_id: int,
    household_id: int,
    lines: Sequence[tuple[int, int]],
    *,
    field_key: bytes,
    under: Hashable = None,
) -> dict[int, Explained | str]:
    """Explain some lines (offering, line) of a household's order in a published pool, by line.

    Lines that were shared out together with others come in words: they name products. What stays true of the batches for as
    long as `under` is the same is kept under it, for all who claimed in them.
    """
    batches = _batches(session, run_id, [offering_id for offering_id, _ in lines], field_key, under)
    before = since(session, run_id, pool_id, household_id)
    told: dict[int, Explained | str] = {}
    linked = _linked(session, run_id, batches, lines, field_key)
    for offering_id, line_id in lines:
        if line_id in linked:
            told[line_id] = " ".join(linked[line_id].steps)
            continue
        shared = batches[offering_id]
        after = aftermath_of(shared, line_id)
        told[line_id] = Explained(_facts(shared, line_id, before[line_id], after), after)
    return told


def _batches(
    session: Session, run_id: int, offering_ids: list[int], field_key: bytes, under: Hashable
) -> Mapping[int, SharedBatch]:
    if under is None:
        return shared_batches(session, run_id, offering_ids, field_key=field_key)

    def read(places: list[int]) -> list[SharedBatch]:
        asked = [offering_ids[place] for place in places]
        found = shared_batches(session, run_id, asked, field_key=field_key)
        return [found[offering_id] for offering_id in asked]

    kept = _SHARED.of_many([(under, offering_id) for offering_id in offering_ids], read)
    return dict(zip(offering_ids, kept, strict=True))


def _linked(
    session: Session,
    run_id: int,
    batches: Mapping[int, SharedBatch],
    lines: Sequence[tuple[int, int]],
    field_key: bytes,
) -> dict[int, Linked]:
    """Read again what was shared out together, if any of these lines may be part of that."""
    ours = [line for offering, line in lines if batches[offering].way.batch.rule == TOGETHER_RULE]
    return linked_lines(session, run_id, ours, field_key=field_key) if ours else {}


@dataclass(frozen=True, slots=True)
class WhyPage:
    """One award with the way to it; a drawing is None or empty where the rule has no such step.

    `agrees` says whether working the batch out anew, from what was frozen, gave the stored awards. `rest` counts the
    pieces that were left once all wishes were met, `room` those that members would still take. `together` tells the
    steps, and nothing else is drawn, where the batch was shared out as one with others.
    """

    pool_id: int
    pool: str
    published_at: datetime
    product: str
    maker: str
    lot_number: str
    wording: Wording
    household_id: int
    household: str
    rule: str
    path: str
    rounding: str
    sentence: str
    aftermath: Aftermath
    pieces: int
    is_corrected: bool
    facts: AwardFacts
    members: int
    points: int
    rest: int
    room: int
    level: str
    part: str
    water: pictures.Water | None
    account: list[pictures.Strip]
    turns: list[pictures.TurnShown]
    draw: pictures.Draw | None
    name: str
    agrees: bool
    together: list[str] = field(default_factory=list)


_LINE = text("""
SELECT l.offering_id, o.household_id, h.name AS household, p.id AS pool_id, p.name AS pool, r.id AS run_id, r.published_at,
       d.name AS product, m.name AS maker, b.lot_number
  FROM order_line l JOIN household_order o ON o.id = l.order_id JOIN household h ON h.id = o.household_id
  JOIN pool p ON p.id = o.pool_id JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
  JOIN offering f ON f.id = l.offering_id JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id JOIN artisan m ON m.id = d.artisan_id
 WHERE l.id = :line AND l.up_to > 0
""")


def may_see(session: Session, viewer: Viewer, /, *, line_id: int) -> bool:
    """Whether a line is of the viewer's own household, or the viewer shares out."""
    owner = "SELECT o.household_id FROM order_line l JOIN household_order o ON o.id = l.order_id WHERE l.id = :line"
    household_id = session.scalar(text(owner), {"line": line_id})
    return household_id is not None and (household_id == viewer.household_id or may_share_out(viewer))


def why_page(session: Session, line_id: int, *, field_key: bytes) -> WhyPage:
    """Return the way to one published award, worked out anew from what its batch froze."""
    line = session.execute(_LINE, {"line": line_id}).first()
    if line is None:
        raise NotFound
    shared = shared_batches(session, line.run_id, [line.offering_id], field_key=field_key)[line.offering_id]
    linked = _linked(session, line.run_id, {line.offering_id: shared}, [(line.offering_id, line_id)], field_key)
    if linked:
        return _why_linked(line, shared, shared.place_of(line_id), linked[line_id])
    way, place = shared.way, shared.place_of(line_id)
    aftermath = aftermath_of(shared, line_id)
    facts = _facts(shared, line_id, since(session, line.run_id, line.pool_id, line.household_id)[line_id], aftermath)
    before, after = facts.owed_before, facts.owed_after
    keeps = before is not None and after is not None and facts.wish and way.is_short
    return WhyPage(
        pool_id=line.pool_id,
        pool=line.pool,
        published_at=line.published_at,
        product=line.product,
        maker=line.maker,
        lot_number=line.lot_number,
        wording=shared.wording,
        household_id=line.household_id,
        household=line.household,
        rule=way.batch.rule,
        path=way.path,
        rounding=way.rounding,
        sentence=sentence(facts, shared.wording) + told_after(aftermath, shared.wording),
        aftermath=aftermath,
        pieces=shared.stored.awards[place],
        is_corrected=shared.is_corrected,
        facts=facts,
        members=sum(1 for wish in way.batch.requests if wish),
        points=sum(w for w, wish in zip(way.batch.weights, way.batch.requests, strict=True) if wish),
        rest=max(0, facts.units - facts.demand),
        room=sum(way.batch.tolerances),
        level=amount(rounded(facts.level * 100)),
        part=amount(rounded(facts.part * 100)),
        water=pictures.water(way, place) if way.is_short and way.divides and facts.wish else None,
        account=pictures.account(before or 0, way.outcome.entitlements[place], facts.award, after or 0)
        if keeps
        else [],
        turns=_turns(way, place) if facts.wish and not aftermath.holds else [],
        draw=pictures.draw(facts.tie) if facts.tie else None,
        name=way.batch.ids[place],
        agrees=agrees(shared),
    )


def _why_linked(line: Any, shared: SharedBatch, place: int, linked: Linked) -> WhyPage:
    """Tell the turns of a line whose batch was shared out as one with others."""
    batch, awards = shared.way.batch, shared.way.outcome.awards
    taken = linked.shared.awards[list(linked.shared.network.products).index(linked.lot)]
    return WhyPage(
        pool_id=line.pool_id,
        pool=line.pool,
        published_at=line.published_at,
        product=line.product,
        maker=line.maker,
        lot_number=line.lot_number,
        wording=shared.wording,
        household_id=line.household_id,
        household=line.household,
        rule=batch.rule,
        path="",
        rounding="",
        sentence=" ".join(linked.steps),
        aftermath=Aftermath(awards[place], awards[place]),
        pieces=awards[place],
        is_corrected=False,
        facts=AwardFacts(
            batch.rule, batch.units, sum(batch.requests), batch.weights[place], batch.requests[place], awards[place]
        ),
        members=sum(1 for wish in batch.requests if wish),
        points=0,
        rest=max(0, batch.units - sum(awards)),
        room=0,
        level="",
        part="",
        water=None,
        account=[],
        turns=[],
        draw=None,
        name=linked.claim,
        agrees=list(taken) == list(awards),
        together=linked.steps,
    )


def _turns(way: Way, place: int) -> list[pictures.TurnShown]:
    if way.has_turns:
        return pictures.turns(way, place)
    return pictures.served(way, place) if way.is_short and way.order else []


def _facts(shared: SharedBatch, line_id: int, since_when: str, aftermath: Aftermath) -> AwardFacts:
    """Gather the numbers of an award by the rule; where hands held pieces back, no ticket settled who got the last ones."""
    facts = facts_of(shared.way, shared.place_of(line_id), since_when)
    return replace(facts, tie=None) if aftermath.holds else facts
