"""Agree with makers what the co-op takes: one person asks, a second lets it count, and the maker is told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.catalog import service as catalog
from coop.core.errors import RuleBroken
from coop.core.payout import Model, Terms
from coop.core.season import local_day
from coop.db import Db, copy_rows, locked, take_ids
from coop.fees.models import ArtisanTerms, AskedTerms
from coop.people import service as people
from coop.policy import service as policy
from coop.seconding import service as seconding


def agree_terms(
    session: Session,
    artisan_id: int,
    *,
    effective_from: datetime,
    model: str = "agent",
    fee_bp: int = 1000,
    fee_tax_bp: int = 0,
    price_tax_bp: int = 0,
) -> int:
    """Write down what the co-op takes from a day on; offerings made before keep the terms they name."""
    _refuse_taken_day(session, artisan_id, effective_from)
    terms = ArtisanTerms(
        artisan_id=artisan_id,
        effective_from=effective_from,
        model=model,
        fee_bp=check_fee(fee_bp),
        fee_tax_bp=fee_tax_bp,
        price_tax_bp=price_tax_bp,
    )
    session.add(terms)
    session.flush()
    return terms.id


def bring_in_terms(session: Session, made: Sequence[tuple[int, Terms]], *, effective_from: datetime) -> Sequence[int]:
    """Agree on terms with many workshops at once, as (artisan, terms); return their ids in the same order."""
    terms_ids = take_ids(session, "artisan_terms", len(made))
    copy_rows(
        session,
        "artisan_terms",
        ("id", "artisan_id", "effective_from", "model", "fee_bp", "fee_tax_bp", "price_tax_bp"),
        (
            (terms_id, artisan_id, effective_from, *terms)
            for terms_id, (artisan_id, terms) in zip(terms_ids, made, strict=True)
        ),
    )
    return terms_ids


def current_terms(session: Session, artisan_id: int, at: datetime) -> int:
    """Return the id of the terms in effect at an instant."""
    terms_id = session.scalar(
        select(ArtisanTerms.id)
        .where(ArtisanTerms.artisan_id == artisan_id, ArtisanTerms.effective_from <= at)
        .order_by(ArtisanTerms.effective_from.desc())
        .limit(1)
    )
    if terms_id is None:
        raise RuleBroken("no_terms", "No terms are agreed with this maker for that day; agree them first.")
    return terms_id


def ask_terms(
    db: Db,
    artisan_id: int,
    *,
    effective_from: datetime,
    fee_bp: int,
    model: str = "agent",
    fee_tax_bp: int = 0,
    price_tax_bp: int = 0,
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Ask a second person to let terms count from a day to come; return what waits.

    They say who sells, the co-op fee and the tax inside it where the maker does, and the tax inside the price. Where the maker sells, that tax is its own:
    nothing is booked of it, and it stands on invoices in the maker's name. Raises `in_the_past`, `fee_of_resale`, `out_of_range`, `terms_exist` and `terms_wait`.
    """
    rates = {"fee_bp": check_fee(fee_bp), "fee_tax_bp": fee_tax_bp, "price_tax_bp": price_tax_bp}
    agreed = {"model": Model(model).value, **rates}
    body = {"act": "ask_terms", "artisan": artisan_id, "from": effective_from.isoformat(), **agreed}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        catalog.lock_artisan(session, artisan_id)
        if effective_from < at:
            raise RuleBroken(
                "in_the_past",
                "New terms begin on a day to come; what was sold stays as it was.",
                field="effective_from",
            )
        if model == Model.RESALE and fee_bp:
            raise RuleBroken("fee_of_resale", "Where the co-op itself sells there is no fee: give 0.", field="fee")
        if model == Model.RESALE and fee_tax_bp:
            raise RuleBroken("fee_of_resale", "Where the co-op itself sells there is no fee, so no tax in it: give 0.", field="fee_tax")  # fmt: skip
        _refuse_taken_day(session, artisan_id, effective_from)
        _refuse_waiting_day(session, artisan_id, effective_from)
        asked = AskedTerms(artisan_id=artisan_id, effective_from=effective_from, state="waiting", asked_by=by, asked_at=at, **agreed)  # fmt: skip
        session.add(asked)
        session.flush()
        _record(session, "ask_terms", asked, by=by)
        keys.answer(session, by=by, key=key, row_id=asked.id)
        return asked.id


def approve_terms(db: Db, asked_id: int, *, by: int, at: datetime) -> int:
    """Let terms count, as a second person, and tell the maker; return the maker. Repeating it changes nothing.

    Raises `second_person`, `not_waiting`, `terms_exist`, and `in_the_past` where their day came while they waited.
    """
    with db.begin() as session:
        asked = locked(session, AskedTerms, asked_id, called="terms")
        if not seconding.is_done(asked, by=by):
            artisan = catalog.lock_artisan(session, asked.artisan_id)
            people.refuse_own_workshop(session, by, artisan.id)
            if asked.effective_from < at:
                raise RuleBroken("in_the_past", "The day on which these terms were to begin has come already. Take them back, and ask for them anew from a day to come.")  # fmt: skip
            asked.terms_id = agree_terms(session, artisan.id, effective_from=asked.effective_from, **_rates(asked))
            seconding.settle(asked, by=by, at=at)
            _record(session, "approve_terms", asked, by=by)
            begins = local_day(asked.effective_from, policy.current(session, "zone", at=at)).isoformat()
            told = {"artisan": artisan.name, "begins": begins, **_rates(asked)}
            people.tell_artisan(session, f"terms_agreed:{asked.id}", "terms_agreed", artisan.id, told)
        return asked.artisan_id


def withdraw_terms(db: Db, asked_id: int, *, by: int, at: datetime) -> int:
    """Let terms fall that wait; return their maker. Raises `not_waiting`."""
    with db.begin() as session:
        asked = locked(session, AskedTerms, asked_id, called="terms")
        if seconding.withdraw(asked, by=by, at=at):
            _record(session, "withdraw_terms", asked, by=by)
        return asked.artisan_id


def check_fee(fee_bp: int) -> int:
    """Return the fee. Raises `out_of_range`."""
    if not 0 <= fee_bp <= 5000:
        raise RuleBroken("out_of_range", "The co-op fee lies between 0 % and 50 %.", field="fee")
    return fee_bp


def _rates(asked: AskedTerms) -> dict[str, Any]:
    names = ("model", "fee_bp", "fee_tax_bp", "price_tax_bp")
    return {name: getattr(asked, name) for name in names}


def _refuse_taken_day(session: Session, artisan_id: int, effective_from: datetime) -> None:
    taken = select(ArtisanTerms.id).where(
        ArtisanTerms.artisan_id == artisan_id, ArtisanTerms.effective_from == effective_from
    )
    if session.scalar(taken) is not None:
        raise RuleBroken(
            "terms_exist", "Terms from that very day are agreed already; choose another day.", field="effective_from"
        )


def _refuse_waiting_day(session: Session, artisan_id: int, effective_from: datetime) -> None:
    waits = select(AskedTerms.id).where(
        AskedTerms.artisan_id == artisan_id,
        AskedTerms.effective_from == effective_from,
        AskedTerms.state == "waiting",
    )
    if session.scalar(waits) is not None:
        raise RuleBroken(
            "terms_wait",
            "Terms from that very day wait for a second person already. Take them back first, or choose another day.",
            field="effective_from",
        )


def _record(session: Session, act: str, asked: AskedTerms, *, by: int) -> None:
    detail = {"row": asked.id, "from": asked.effective_from.isoformat(), **_rates(asked)}
    audit.record(session, act, by=by, subject=("artisan", asked.artisan_id), detail=detail)
