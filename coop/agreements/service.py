"""Agree with makers what the co-op takes, and keep where they are paid."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from coop import keys
from coop.agreements.models import BankDetails, ProductMaker
from coop.audit import service as audit
from coop.catalog import service as catalog
from coop.catalog.models import Product
from coop.core.errors import RuleBroken
from coop.core.payout import ACCOUNT_RESTS, Terms, check_parts
from coop.core.us_account import UsAccount
from coop.db import Db, copy_rows, locked
from coop.factors import service as factors
from coop.fees import service as fees
from coop.formats.payee_account import account_of, read_account
from coop.people import service as people
from coop.sealing import seal, unseal
from coop.seconding import service as seconding

_IBAN = "bank_details.iban"


def welcome_artisan(
    db: Db,
    name: str,
    *,
    craft: str,
    town: str,
    distance_km: int | None,
    story: str,
    fee_bp: int,
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Take a workshop in together with its first terms."""
    with db.begin() as session:
        body = {"act": "welcome_artisan", "name": name, "craft": craft, "town": town, "km": distance_km, "fee": fee_bp}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        artisan_id = catalog.add_artisan(session, name, craft=craft, town=town, distance_km=distance_km, story=story)
        fees.agree_terms(session, artisan_id, effective_from=at, fee_bp=fee_bp)
        audit.record(session, "welcome_artisan", by=by, subject=("artisan", artisan_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=artisan_id)
        return artisan_id


def share_product(db: Db, product_id: int, parts: Sequence[tuple[int, int]], *, by: int, key: str) -> None:
    """Agree who makes a product together, as (artisan, part in basis points) in the order in which an odd cent falls.

    It counts for what is offered from now on. The first is the workshop the product is listed under; one alone takes the others out.
    Raises `does_not_add_up`, `same_line_twice` or `other_maker`.
    """
    with db.begin() as session:
        body = {"act": "share_product", "product": product_id, "parts": [list(part) for part in parts]}
        if keys.spend(session, by=by, key=key, body=body) is not None:
            return
        product = locked(session, Product, product_id, called="product")
        makers = [artisan_id for artisan_id, _ in parts]
        if len(set(makers)) < len(makers):
            raise RuleBroken("same_line_twice", "A maker stands twice in this list.", field="parts")
        if not makers or makers[0] != product.artisan_id:
            raise RuleBroken("other_maker", "The first maker is the one the product is listed under.", field="parts")
        check_parts([part_bp for _, part_bp in parts])
        for artisan_id in makers:
            catalog.lock_artisan(session, artisan_id)
        before = [[maker.artisan_id, maker.part_bp] for maker in makers_of(session, product_id)]
        session.execute(delete(ProductMaker).where(ProductMaker.product_id == product_id))
        if len(parts) > 1:
            session.add_all(
                ProductMaker(product_id=product_id, n=n, artisan_id=artisan_id, part_bp=part_bp)
                for n, (artisan_id, part_bp) in enumerate(parts, 1)
            )
        detail = {"before": before, "parts": body["parts"]}
        audit.record(session, "share_product", by=by, subject=("product", product_id), detail=detail)
        keys.answer(session, by=by, key=key, row_id=product_id)


def makers_of(session: Session, product_id: int) -> Sequence[ProductMaker]:
    """Return the makers of a product in their order; none where it has one maker."""
    own = select(ProductMaker).where(ProductMaker.product_id == product_id).order_by(ProductMaker.n)
    return session.scalars(own).all()


def set_bank_details(
    session: Session,
    artisan_id: int,
    *,
    holder: str,
    iban: str = "",
    us: UsAccount | None = None,
    waiting: bool = False,
    by: int,
    at: datetime,
    field_key: bytes,
) -> int:
    """Keep where a workshop is paid, an IBAN or an account in the United States, sealed; earlier details stay as history.

    The latest count, unless they are `waiting` for a second person.
    """
    account = read_account(holder, iban, us)
    details = BankDetails(
        artisan_id=artisan_id,
        holder=account.holder,
        scheme=account.scheme,
        iban_sealed=seal(account.written, field_key, purpose=_IBAN),
        iban_ending=account.ending,
        state="waiting" if waiting else "done",
        asked_by=by,
        asked_at=at,
    )
    session.add(details)
    session.flush()
    factors.ask_of_workshops(session, [artisan_id], at=at)
    _record_details(session, "set_bank_details", details, by=by)
    return details.id


def change_bank_details(
    db: Db,
    artisan_id: int,
    *,
    holder: str,
    iban: str = "",
    us: UsAccount | None = None,
    by: int,
    at: datetime,
    field_key: bytes,
) -> int:
    """Say where a workshop is to be paid, and tell its people; it counts once a second person has let it.

    The mail shows the account's ending alone, and says until when a changed account rests. What still waited is taken back.
    """
    with db.begin() as session:
        artisan = catalog.lock_artisan(session, artisan_id)
        known = latest_bank_details(session, [artisan_id])
        for row in session.scalars(
            select(BankDetails).where(BankDetails.artisan_id == artisan_id, BankDetails.state == "waiting")
        ):
            seconding.withdraw(row, by=by, at=at)
        row_id = set_bank_details(
            session, artisan_id, holder=holder, iban=iban, us=us, waiting=True, by=by, at=at, field_key=field_key
        )
        values = {
            "artisan": artisan.name,
            "ending": session.get_one(BankDetails, row_id).iban_ending,
            "at": at.isoformat(),
            "rests_until": (at + ACCOUNT_RESTS).isoformat() if known else "",
        }
        people.tell_artisan(session, f"bank_details_changed:{row_id}", "bank_details_changed", artisan_id, values)
        return row_id


def approve_bank_details(db: Db, details_id: int, *, by: int, at: datetime) -> int:
    """Let bank details count, as a second person; return their maker. Raises `second_person` and `not_waiting`."""
    with db.begin() as session:
        details = locked(session, BankDetails, details_id, called="bank details")
        if not seconding.is_done(details, by=by):
            people.refuse_own_workshop(session, by, details.artisan_id)
            seconding.settle(details, by=by, at=at)
            _record_details(session, "approve_bank_details", details, by=by)
        return details.artisan_id


def withdraw_bank_details(db: Db, details_id: int, *, by: int, at: datetime) -> int:
    """Let bank details fall that wait; return their maker. Raises `not_waiting`."""
    with db.begin() as session:
        details = locked(session, BankDetails, details_id, called="bank details")
        if seconding.withdraw(details, by=by, at=at):
            _record_details(session, "withdraw_bank_details", details, by=by)
        return details.artisan_id


def _record_details(session: Session, act: str, details: BankDetails, *, by: int) -> None:
    audit.record(session, act, by=by, subject=("artisan", details.artisan_id), detail={"row": details.id})


def latest_bank_details(session: Session, artisan_ids: Sequence[int]) -> dict[int, BankDetails]:
    """Return the bank details that count, by artisan; an artisan without any is left out."""
    rows = session.scalars(
        select(BankDetails)
        .ext(distinct_on(BankDetails.artisan_id))
        .where(BankDetails.artisan_id.in_(artisan_ids), BankDetails.state == "done")
        .order_by(BankDetails.artisan_id, BankDetails.id.desc())
    )
    return {row.artisan_id: row for row in rows}


def unseal_account(details: BankDetails, field_key: bytes) -> str | UsAccount:
    """Read the account out of a row of bank details, for a bank file and nothing else."""
    return account_of(details.scheme, unseal(details.iban_sealed, field_key, purpose=_IBAN))


class NewAgreement(NamedTuple):
    """What is agreed with a workshop brought in from files: its terms, and where it is paid."""

    artisan_id: int
    holder: str
    terms: Terms
    iban: str


def bring_in_agreements(
    session: Session, made: Sequence[NewAgreement], *, effective_from: datetime, by: int, field_key: bytes
) -> Sequence[int]:
    """Agree with many workshops at once; return the ids of the terms in the same order."""
    agreed = [(one.artisan_id, one.terms) for one in made]
    terms_ids = fees.bring_in_terms(session, agreed, effective_from=effective_from)
    copy_rows(
        session,
        "bank_details",
        ("artisan_id", "holder", "iban_sealed", "iban_ending", "state", "asked_by", "asked_at"),
        (
            (
                one.artisan_id,
                one.holder,
                seal(one.iban.encode(), field_key, purpose=_IBAN),
                one.iban[-4:],
                "done",
                by,
                effective_from,
            )
            for one in made
        ),
    )
    factors.ask_of_workshops(session, [one.artisan_id for one in made], at=effective_from)
    return terms_ids
