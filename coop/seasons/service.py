"""Plan seasons with their rule and their sizes of share, and tell what each household's shares weigh."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.catalog.models import Product
from coop.core.choices import MOST_ALTERNATIVES
from coop.core.claims import STANDING_RULE, Terms, rule_named
from coop.core.errors import NotFound, RuleBroken
from coop.core.season import local_day
from coop.core.tickets import draw_secret
from coop.db import Db, copy_rows
from coop.policy import service as policy
from coop.sealing import seal, unseal
from coop.seasons.models import RecipeLine, Season, SeasonRule, ShareSize

MOST_RECIPE_LINES: Final = 24

_SECRET = "season.secret"  # noqa: S105 - the purpose of a sealed value, not a secret


def plan_season(
    session: Session,
    name: str,
    *,
    starts: date,
    ends: date,
    rule: str = "cea/standing@1",
    memory: str = "rounding",
    credit_cap: int | None = None,
    guest_weight: int = 1,
    secret: bytes,
    field_key: bytes,
    files_digest: str | None = None,
    guests_may_order: bool = True,
    by: int = 0,
    at: datetime | None = None,
) -> int:
    """Plan a season; the hash of what its draws come from is public from now on, and that itself at its end.

    The rule counts as chosen `at`, by default now.
    """
    if starts >= ends:
        raise RuleBroken("ends_before_start", "A season ends after it starts.", field="ends")
    if session.scalar(select(Season.id).where(Season.name == name)) is not None:
        raise RuleBroken("name_taken", f"There is already a season called {name}.", field="name")
    season = Season(
        name=name,
        starts=starts,
        ends=ends,
        rule=rule,
        memory=memory,
        credit_cap=credit_cap,
        guests_may_order=guests_may_order,
        guest_weight=guest_weight,
        secret_sealed=seal(secret, field_key, purpose=_SECRET),
        secret_hash=hashlib.sha256(draw_secret(secret)).hexdigest(),
        files_digest=files_digest,
    )
    session.add(season)
    session.flush()
    agree_rule(session, season, rule, memory, credit_cap, by=by, at=at)
    return season.id


def agree_rule(
    session: Session,
    season: Season,
    rule: str,
    memory: str,
    credit_cap: int | None,
    *,
    by: int,
    at: datetime | None = None,
) -> None:
    """Let a season share out by a rule from now on, as a new version. The caller holds the season and knows that it may.

    Only the rule with a standing has a memory; for any other `memory` and cap are left aside. Raises `unknown_rule`,
    `unknown_memory` and `credit_cap_not_allowed`.
    """
    chosen = rule_named(rule)
    kept, cap = (memory, credit_cap) if chosen == STANDING_RULE else ("none", None)
    Terms(None if kept == "none" else kept, cap)
    last = session.scalar(select(func.max(SeasonRule.version)).where(SeasonRule.season_id == season.id)) or 0
    season.rule, season.memory, season.credit_cap = chosen, kept, cap
    version = {"version": last + 1, "rule": chosen, "memory": kept, "credit_cap": cap}
    when = {} if at is None else {"chosen_at": at}
    session.add(SeasonRule(season_id=season.id, chosen_by=by, **version, **when))
    session.flush()


def add_size(
    session: Session,
    season_id: int,
    name: str,
    *,
    weight: int,
    price_minor: int,
    cap: int | None = None,
    line: str = "",
    price_min_minor: int | None = None,
    price_max_minor: int | None = None,
) -> int:
    """Offer a size of share in a season; without a cap there are as many as are wanted.

    A household chooses its own price between the least and the most, if these are given. Raises `name_taken` and `price_bounds`.
    """
    if price_min_minor is not None and not 0 <= price_min_minor <= price_minor:
        raise RuleBroken("price_bounds", "The least price is at most the price itself.", field="price_min")
    if price_max_minor is not None and price_max_minor < price_minor:
        raise RuleBroken("price_bounds", "The most is at least the price itself.", field="price_max")
    if session.scalar(select(ShareSize.id).where(ShareSize.season_id == season_id, ShareSize.name == name)) is not None:
        raise RuleBroken("name_taken", f"This season already has a {name} share.", field="name")
    prices = {"price_minor": price_minor, "price_min_minor": price_min_minor, "price_max_minor": price_max_minor}
    size = ShareSize(season_id=season_id, name=name, weight=weight, cap=cap, line=line, **prices)
    session.add(size)
    session.flush()
    return size.id


def announce_season(
    db: Db,
    *,
    name: str,
    starts: date,
    ends: date,
    rule: str,
    memory: str,
    credit_cap: int | None,
    guests_may_order: bool,
    guest_weight: int,
    secret: bytes,
    field_key: bytes,
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Plan a season under a rule that members can read before they take a share."""
    with db.begin() as session:
        body = {"act": "announce_season", "name": name, "starts": starts, "ends": ends, "guests": guests_may_order} | {
            "guest_weight": guest_weight,
            "rule": (rule, memory, credit_cap),
        }
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        if ends < local_day(at, policy.current(session, "zone", at=at)):
            raise RuleBroken("in_the_past", "Plan a season that has not ended yet.", field="ends")
        season_id = plan_season(
            session,
            name,
            starts=starts,
            ends=ends,
            rule=rule,
            memory=memory,
            credit_cap=credit_cap,
            by=by,
            guest_weight=guest_weight,
            guests_may_order=guests_may_order,
            secret=secret,
            field_key=field_key,
        )
        audit.record(session, "announce_season", by=by, subject=("season", season_id), detail={"name": name})
        keys.answer(session, by=by, key=key, row_id=season_id)
        return season_id


def offer_size(
    db: Db,
    season_id: int,
    name: str,
    *,
    weight: int,
    price_minor: int,
    cap: int | None,
    line: str,
    by: int,
    key: str,
    price_min_minor: int | None = None,
    price_max_minor: int | None = None,
) -> int:
    """Offer a size of share in a season that is planned."""
    with db.begin() as session:
        body = {"act": "offer_size", "season": season_id, "name": name, "weight": weight, "price": price_minor}
        bounds = {"price_min_minor": price_min_minor, "price_max_minor": price_max_minor}
        if (earlier := keys.spend(session, by=by, key=key, body=body | {"cap": cap} | bounds)) is not None:
            return earlier
        if session.get(Season, season_id) is None:
            raise NotFound
        size_id = add_size(
            session, season_id, name, weight=weight, price_minor=price_minor, cap=cap, line=line, **bounds
        )
        audit.record(session, "offer_size", by=by, subject=("share_size", size_id), detail=body | {"cap": cap} | bounds)
        keys.answer(session, by=by, key=key, row_id=size_id)
        return size_id


def add_to_recipe(db: Db, size_id: int, *, product_id: int, pieces: int, part: int | None, by: int, key: str) -> int:
    """Let shares of a size ask for pieces of a product in pools that open from now on: as a new part of the recipe, or as another way to serve a part.

    Returns the line. Raises `same_line_twice`, `no_such_part` and `too_many_lines`.
    """
    with db.begin() as session:
        body = {"act": "add_to_recipe", "size": size_id, "product": product_id, "pieces": pieces, "part": part}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        if session.get(ShareSize, size_id, with_for_update=True) is None or session.get(Product, product_id) is None:
            raise NotFound
        lines = list(session.scalars(select(RecipeLine).where(RecipeLine.size_id == size_id)))
        own = [line for line in lines if line.part == part]
        if part is not None and not own:
            raise RuleBroken("no_such_part", "This part of the recipe is gone. Choose another.", field="part")
        if any(line.product_id == product_id for line in own):
            raise RuleBroken("same_line_twice", "This product serves that part already.", field="product")
        if len(own) > MOST_ALTERNATIVES or len(lines) >= MOST_RECIPE_LINES:
            raise RuleBroken("too_many_lines", "The recipe is long enough. Take something out of it first.")
        number = part if part is not None else 1 + max((line.part for line in lines), default=0)
        rank = 1 + max((line.rank for line in own), default=0)
        line = RecipeLine(size_id=size_id, part=number, rank=rank, product_id=product_id, pieces=pieces)
        session.add(line)
        session.flush()
        audit.record(session, "add_to_recipe", by=by, subject=("share_size", size_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=line.id)
        return line.id


def take_out_of_recipe(db: Db, size_id: int, line_id: int, *, by: int) -> None:
    """Take a line out of a recipe; taking it out twice changes nothing."""
    with db.begin() as session:
        line = session.get(RecipeLine, line_id, with_for_update=True)
        if line is None:
            return
        if line.size_id != size_id:
            raise NotFound
        detail = {"part": line.part, "product": line.product_id, "pieces": line.pieces}
        audit.record(session, "take_out_of_recipe", by=by, subject=("share_size", size_id), detail=detail)
        session.delete(line)


def has_recipe(session: Session, season_id: int) -> bool:
    """Say whether any size of the season's shares has a recipe."""
    own = select(RecipeLine.id).join(ShareSize, ShareSize.id == RecipeLine.size_id)
    return session.scalar(own.where(ShareSize.season_id == season_id).limit(1)) is not None


def season_secret(session: Session, season_id: int, field_key: bytes) -> bytes:
    """Open the secret that the season's draws come from."""
    season = session.get(Season, season_id)
    if season is None:
        raise NotFound
    return opened(season.secret_sealed, field_key)


def opened(sealed: bytes, field_key: bytes) -> bytes:
    """Open a season's secret that was read with something else."""
    return unseal(sealed, field_key, purpose=_SECRET)


_HELD = """
FROM season_share h JOIN share_size z ON z.id = h.size_id
 WHERE z.season_id = {season} AND h.taken_at <= {at} AND (h.ended_at IS NULL OR h.ended_at > {at})
"""
_ASKED = "SELECT h.household_id, sum(z.weight)::bigint " + _HELD.format(season=":season", at=":at")
_WEIGHTS = text(_ASKED + "GROUP BY h.household_id")
_WEIGHTS_OF = text(_ASKED + "AND h.household_id = ANY(:households) GROUP BY h.household_id")


def weight_held(household: str, *, season: str, at: str) -> str:
    """Return the SQL of what a household's shares of a season weigh at an instant, null for a guest; for queries over many."""
    return f"(SELECT sum(z.weight)::bigint {_HELD.format(season=season, at=at)} AND h.household_id = {household})"


def weights(session: Session, season_id: int, *, at: datetime, of: Sequence[int] | None = None) -> dict[int, int]:
    """Return the weight of the households, all or some, that hold a share at an instant; the others are guests."""
    asked: dict[str, object] = {"season": season_id, "at": at}
    if of is None:
        held = session.execute(_WEIGHTS, asked)
    else:
        held = session.execute(_WEIGHTS_OF, asked | {"households": list(of)})
    return {household_id: weight for household_id, weight in held}  # noqa: C416 - a row is no pair to mypy


def may_order(session: Session, season_id: int, household_id: int, *, at: datetime) -> bool:
    """Say whether a household may order in a season: it holds a share at that instant, or guests are welcome."""
    season = session.get_one(Season, season_id)
    return season.guests_may_order or bool(weights(session, season_id, at=at, of=[household_id]))


def bring_in_shares(session: Session, season_id: int, held: Mapping[int, int], *, at: datetime, by: int) -> None:
    """Give each household of `held` a share of its weight, free of charge: a size for each weight there is."""
    sizes = {
        weight: add_size(session, season_id, f"weight {weight}", weight=weight, price_minor=0)
        for weight in sorted(set(held.values()))
    }
    rows = ((sizes[weight], household_id, at, by) for household_id, weight in held.items())
    copy_rows(session, "season_share", ("size_id", "household_id", "taken_at", "taken_by"), rows)
