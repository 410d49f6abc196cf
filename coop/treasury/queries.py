"""Payout runs as treasurers see them: what a run would pay, where it stands, and its bank file."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import jobs
from coop.core.bank_reasons import reason_words
from coop.core.errors import NotFound, RuleBroken
from coop.core.paging import Slice
from coop.core.payout import ACCOUNT_RESTS
from coop.payouts.queries import open_run
from coop.statements.queries import FATE

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class RunRow:
    id: int
    through: date
    state: str
    requested_at: datetime
    makers: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class RunsPage:
    rows: list[RunRow]
    part: Slice
    open_run_id: int | None


def runs_page(session: Session, *, number: int) -> RunsPage:
    """Return fifty payout runs, the latest first."""
    rows = session.execute(
        text(
            "SELECT r.id, r.through, r.state, r.requested_at, t.makers, t.minor, count(*) OVER () AS total FROM payout_run r"
            " LEFT JOIN LATERAL (SELECT count(*) AS makers, coalesce(sum(payable_minor), 0)::bigint AS minor"
            "   FROM statement WHERE run_id = r.id) t ON true ORDER BY r.id DESC LIMIT :most OFFSET :skipped"
        ),
        {"most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    shown = [RunRow(row.id, row.through, row.state, row.requested_at, row.makers, row.minor) for row in rows]
    return RunsPage(shown, Slice(number, A_PAGE, rows[0].total if rows else 0), open_run(session))


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: str


@dataclass(frozen=True, slots=True)
class PaidRow:
    """A maker's statement in a run; `fate` of its payment: waits, sent, settled, returned or cancelled."""

    id: int
    maker: str
    reference: str
    sold_minor: int
    fee_minor: int
    payable_minor: int
    account_ending: str
    account_changed_at: datetime | None
    fate: str
    fate_on: date | None
    payment_id: int
    reason_code: str

    @property
    def reason(self) -> str:
        """Why it was refused or came back, in words."""
        return reason_words(self.reason_code)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a run: the act's name, when, by whom, and the reason that was given."""

    act: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunMoney:
    """Where the money of a run is, minor units, each figure from its own rows.

    Came in: `sold`, and `other` (payments that came back and go out again, corrections). Went to: `fee`, `taken_off`
    (what makers owed, advances), and `to_makers`, of which so much is `on_its_way`, `paid` and `back`.
    """

    sold: int
    other: int
    fee: int
    taken_off: int
    to_makers: int
    on_its_way: int
    paid: int
    back: int
    adds_up: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    id: int
    through: date
    state: str
    requested_at: datetime
    requested_by: str
    history: list[Event]
    failure: str
    trouble: str
    makers: int
    sold_minor: int
    fee_minor: int
    total_minor: int
    money: RunMoney
    sha256: str
    file_name: str
    asked_by_viewer: bool
    pays_viewer: bool
    changed_accounts: int
    sought: str
    rows: list[PaidRow]
    part: Slice

    @property
    def steps(self) -> list[Step]:
        """Where the run stands on its way."""
        at = next((n for n, states in enumerate(_STEPS.values()) if self.state in states), 0)
        return [Step(label, "done" if n < at else "now" if n == at else "ahead") for n, label in enumerate(_STEPS) if label]  # fmt: skip

    @property
    def may_be_called_off(self) -> bool:
        """Whether its bank file is not made yet."""
        return self.state in {"requested", "computed", "approved", "failed"}


_STEPS: Final = {
    "working out": {"requested"},
    "approval": {"computed"},
    "bank file": {"approved"},
    "hand in": {"file_made", "submitting", "uncertain"},
    "payment": {"submitted"},
    "": {"settled", "partly_returned", "closed"},
}
"""The steps of a run, each with the states in which it is the next to be done; behind the last nothing is left."""

_RUN = text("""
SELECT r.*, coalesce(asker.name, 'the command line') AS asker,
       coalesce(f.sha256, '') AS sha256, coalesce(f.message_id || '.' || f.extension, '') AS file_name,
       coalesce(t.makers, 0) AS makers, coalesce(t.sold, 0)::bigint AS sold, coalesce(t.fee, 0)::bigint AS fee,
       coalesce(t.payable, 0)::bigint AS payable, coalesce(t.pays_viewer, false) AS pays_viewer
  FROM payout_run r
  LEFT JOIN person asker ON asker.id = r.requested_by
  LEFT JOIN bank_file f ON f.run_id = r.id
  LEFT JOIN LATERAL (SELECT count(*) AS makers, sum(sold_minor) AS sold, sum(fee_minor) AS fee, sum(payable_minor) AS payable,
                            bool_or(artisan_id = ANY(:own)) AS pays_viewer FROM statement WHERE run_id = r.id) t ON true
 WHERE r.id = :run
""")

_PAID = text(f"""
SELECT s.id, m.name AS maker, s.series || '-' || s.number AS reference, s.sold_minor, s.fee_minor, s.payable_minor, b.iban_ending,
       CASE WHEN EXISTS (SELECT FROM bank_details x WHERE x.artisan_id = b.artisan_id AND x.id < b.id AND x.state = 'done') THEN b.asked_at END AS changed_at,
       {FATE}, p.id AS payment_id, p.reason_code,
       count(*) OVER () AS total
  FROM statement s
  JOIN payout_run r ON r.id = s.run_id
  JOIN artisan m ON m.id = s.artisan_id
  JOIN payment p ON p.statement_id = s.id
  JOIN bank_details b ON b.id = p.bank_details_id
 WHERE s.run_id = :run AND m.name ILIKE :like
 ORDER BY s.number LIMIT :most OFFSET :skipped
""")  # noqa: S608 - put together from constants only

_HISTORY = text("""
SELECT a.act, a.at, coalesce(p.name, CASE WHEN a.actor_id = 0 THEN 'Smallbatch' ELSE '' END) AS by, coalesce(a.detail ->> 'reason', '') AS reason
  FROM audit_record a LEFT JOIN person p ON p.id = a.actor_id
 WHERE a.subject_kind = 'payout_run' AND a.subject_id = :run ORDER BY a.id DESC LIMIT 50
""")

_MONEY = text("""
WITH paid AS (SELECT p.*, s.sold_minor, s.fee_minor, s.set_off_minor + s.recouped_minor AS taken_off, s.id AS statement
                FROM statement s JOIN payment p ON p.statement_id = s.id WHERE s.run_id = :run)
SELECT coalesce(sum(sold_minor), 0)::bigint AS sold, coalesce(sum(fee_minor), 0)::bigint AS fee,
       coalesce(sum(taken_off), 0)::bigint AS taken_off, coalesce(sum(amount_minor), 0)::bigint AS to_makers,
       coalesce(sum(amount_minor) FILTER (WHERE sent_entry_id IS NOT NULL AND settled_on IS NULL AND refused_on IS NULL), 0)::bigint AS waits_for_bank,
       coalesce(sum(amount_minor) FILTER (WHERE settled_on IS NOT NULL AND returned_on IS NULL), 0)::bigint AS paid,
       coalesce(sum(amount_minor) FILTER (WHERE returned_on IS NOT NULL OR refused_on IS NOT NULL), 0)::bigint AS back,
       (SELECT coalesce(sum(l.amount_minor), 0) FROM statement_line l JOIN paid ON paid.statement = l.statement_id)::bigint AS earned,
       (SELECT coalesce(-sum(b.amount), 0) FROM paid JOIN account a ON a.code = 2450 AND a.party = 'payment:' || paid.id
          JOIN balance b ON b.account_id = a.id)::bigint AS on_its_way
  FROM paid
""")

_CHANGED = text("""
SELECT count(*) FROM payment p
  JOIN statement s ON s.id = p.statement_id
  JOIN bank_details b ON b.id = p.bank_details_id
 WHERE s.run_id = :run AND b.asked_at > :since
   AND EXISTS (SELECT FROM bank_details x WHERE x.artisan_id = b.artisan_id AND x.id < b.id AND x.state = 'done')
""")


class Asked(NamedTuple):
    """What is asked of a run's page, and by whom: the person, and the workshops they speak for."""

    sought: str
    number: int
    viewer_id: int
    own: frozenset[int]


def run_page(session: Session, run_id: int, asked: Asked, *, at: datetime) -> RunPage:
    """Return a run with fifty of its statements."""
    sought, number, viewer_id, own = asked
    run = session.execute(_RUN, {"run": run_id, "own": sorted(own)}).first()
    if run is None:
        raise NotFound
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    found = {"run": run_id, "like": like, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    rows = session.execute(_PAID, found).all()
    job = jobs.state_of(session, jobs.COMPUTE_PAYOUTS, run_id) if run.state == "requested" else None
    return RunPage(
        id=run.id,
        through=run.through,
        state=run.state,
        requested_at=run.requested_at,
        requested_by=run.asker,
        history=[Event(*row) for row in session.execute(_HISTORY, {"run": run_id})],
        failure=run.failure or "",
        trouble=(job.last_error or "") if job else "",
        makers=run.makers,
        sold_minor=run.sold,
        fee_minor=run.fee,
        total_minor=run.payable,
        money=_money(session, run_id),
        sha256=run.sha256,
        file_name=run.file_name,
        asked_by_viewer=run.requested_by == viewer_id,
        pays_viewer=run.pays_viewer,
        changed_accounts=session.scalar(_CHANGED, {"run": run_id, "since": at - 2 * ACCOUNT_RESTS}) or 0,
        sought=sought,
        rows=[PaidRow(*row[:-1]) for row in rows],
        part=Slice(number, A_PAGE, rows[0].total if rows else 0),
    )


def _money(session: Session, run_id: int) -> RunMoney:
    row = session.execute(_MONEY, {"run": run_id}).one()
    return RunMoney(
        sold=row.sold,
        other=row.earned - row.sold + row.fee,
        fee=row.fee,
        taken_off=row.taken_off,
        to_makers=row.to_makers,
        on_its_way=row.on_its_way,
        paid=row.paid,
        back=row.back,
        adds_up=row.earned == row.taken_off + row.to_makers and row.on_its_way == row.waits_for_bank,
    )


@dataclass(frozen=True, slots=True)
class PaymentPage:
    id: int
    run_id: int
    reference: str
    maker: str
    amount_minor: int
    end_to_end_id: str
    account_ending: str
    fate: str
    fate_on: date | None


_PAYMENT = text(f"""
SELECT p.id, r.id AS run_id, s.series || '-' || s.number AS reference, m.name AS maker, p.amount_minor, p.end_to_end_id,
       b.iban_ending AS account_ending, {FATE}
  FROM payment p JOIN statement s ON s.id = p.statement_id JOIN payout_run r ON r.id = s.run_id
  JOIN artisan m ON m.id = s.artisan_id JOIN bank_details b ON b.id = p.bank_details_id
 WHERE p.id = :payment AND r.id = :run
""")  # noqa: S608 - put together from constants only


def payment_page(session: Session, run_id: int, payment_id: int) -> PaymentPage:
    """Return one payment of a run."""
    row = session.execute(_PAYMENT, {"payment": payment_id, "run": run_id}).first()
    if row is None:
        raise NotFound
    return PaymentPage(*row)


@dataclass(frozen=True, slots=True)
class FileOfRun:
    name: str
    content: bytes


def file_of_run(session: Session, run_id: int) -> FileOfRun:
    """Return the bank file as it was stored, having compared it with its digest. Raises `file_changed`."""
    row = session.execute(
        text("SELECT message_id || '.' || extension AS name, bytes, sha256 FROM bank_file WHERE run_id = :run"),
        {"run": run_id},
    ).first()
    if row is None:
        raise NotFound
    content = bytes(row.bytes)
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise RuleBroken("file_changed", "The stored bank file is not the one that was made: its digest differs. Do not use it.")  # fmt: skip
    return FileOfRun(row.name, content)
