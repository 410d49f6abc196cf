"""Choose what a season shares out by, as long as no member has ordered under another rule."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.claims import STANDING_RULE, rule_named
from coop.core.errors import RuleBroken
from coop.db import Db, locked
from coop.pools.models import Offering, Pool
from coop.seasons import service as seasons
from coop.seasons.models import Season


def choose_rule(
    db: Db, season_id: int, *, rule: str, memory: str, credit_cap: int | None = None, by: int, key: str
) -> None:
    """Let a season share out by another rule from its first pool on.

    Raises `rule_fixed` once a pool of the season has opened, `no_memory` where an offering relies on the standing that
    the rule would not keep, and what `agree_rule` raises.
    """
    with db.begin() as session:
        body = {"act": "choose_rule", "season": season_id, "rule": rule, "memory": memory, "credit_cap": credit_cap}
        if keys.spend(session, by=by, key=key, body=body) is not None:
            return
        season = locked(session, Season, season_id, called="season")
        _refuse_opened(session, season_id)
        if rule_named(rule) != STANDING_RULE:
            _refuse_without_standing(session, season_id)
        seasons.agree_rule(session, season, rule, memory, credit_cap, by=by)
        audit.record(session, "choose_rule", by=by, subject=("season", season_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=season_id)


def _refuse_opened(session: Session, season_id: int) -> None:
    opened = select(Pool.name).where(Pool.season_id == season_id, Pool.opened_at.is_not(None))
    name = session.scalar(opened.order_by(Pool.opened_at).limit(1))
    if name is not None:
        raise RuleBroken(
            "rule_fixed",
            f"Orders of {name} have opened under the season's rule, so it stands. Choose another for the next season.",
            field="rule",
        )


def _refuse_without_standing(session: Session, season_id: int) -> None:
    relying = select(Offering.id).join(Pool, Pool.id == Offering.pool_id)
    if session.scalar(relying.where(Pool.season_id == season_id, Offering.rule == STANDING_RULE).limit(1)) is not None:
        raise RuleBroken(
            "no_memory",
            "A batch is offered by level filling with standing, which this rule would not keep. Withdraw it first.",
            field="rule",
        )
