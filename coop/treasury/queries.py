"""Payout runs as treasurers see them: what a run would pay, where it stands, and its bank file."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import jobs
from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.core.payout import ACCOUNT_RESTS
from coop.payouts.queries import (
    WITH_SALES,
    bank_balance_left,
    open_postings,
    owed_to_makers,
    why_it_waits,
)

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
    return RunsPage(shown, Slice(number, A_PAGE, rows[0].total if rows else 0), _open_run(session))


def _open_run(session: Session) -> int | None:
    found = session.execute(
        text("SELECT id FROM payout_run WHERE state IN ('requested', 'computed', 'approved')")
    ).first()
    return None if found is None else int(found.id)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A maker as a run would treat it now; `waits` says why it is not paid, "" where it is."""

    maker: str
    sold_minor: int
    fee_minor: int
    tax_minor: int
    earned_minor: int
    waits: str


@dataclass(frozen=True, slots=True)
class PreviewPage:
    through: date
    rows: list[PreviewRow]
    part: Slice
    makers: int
    total_minor: int
    minimum_minor: int
    left_minor: int
    open_run_id: int | None

    @property
    def is_covered(self) -> bool:
        """Whether the bank account holds what the run would pay."""
        return self.total_minor <= self.left_minor


_PREVIEW = text(f"""
SELECT substr(a.party, 9)::bigint AS artisan_id, coalesce(sum(hl.pieces * l.unit_minor), 0)::bigint AS sold,
       coalesce(sum(hl.fee_minor), 0)::bigint AS fee, coalesce(sum(hl.tax_minor), 0)::bigint AS tax
{open_postings(WITH_SALES)}
 GROUP BY a.party
""")


def preview_page(session: Session, through: date, *, minimum_minor: int, number: int, at: datetime) -> PreviewPage:
    """Return what a run up to a day would pay each maker, those who are paid first, fifty at a time."""
    parts = {row.artisan_id: row for row in session.execute(_PREVIEW, {"through": through})}
    owed = [one for one in owed_to_makers(session, through) if one.earned_minor]
    names = {row.id: row.name for row in session.execute(text("SELECT id, name FROM artisan"))}
    rows = [
        PreviewRow(
            names[one.artisan_id],
            part.sold,
            part.fee,
            part.tax,
            one.earned_minor,
            why_it_waits(one, minimum_minor, at=at),
        )
        for one in owed
        if (part := parts.get(one.artisan_id))
    ]
    rows.sort(key=lambda row: row.waits != "")
    paid = [row.earned_minor for row in rows if not row.waits]
    return PreviewPage(
        through=through,
        rows=rows[A_PAGE * (number - 1) :][:A_PAGE],
        part=Slice(number, A_PAGE, len(rows)),
        makers=len(paid),
        total_minor=sum(paid),
        minimum_minor=minimum_minor,
        left_minor=bank_balance_left(session),
        open_run_id=_open_run(session),
    )


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


@dataclass(frozen=True, slots=True)
class RunPage:
    id: int
    through: date
    state: str
    requested_at: datetime
    requested_by: str
    approved_at: datetime | None
    approved_by: str
    failure: str
    trouble: str
    makers: int
    sold_minor: int
    fee_minor: int
    total_minor: int
    sha256: str
    file_made_at: datetime | None
    asked_by_viewer: bool
    pays_viewer: bool
    changed_accounts: int
    sought: str
    rows: list[PaidRow]
    part: Slice

    @property
    def steps(self) -> list[Step]:
        """Where the run stands on its way."""
        labels = ("working out", "approval", "bank file", "payment")
        reached = {"requested": 0, "computed": 1, "approved": 2, "file_made": 3, "settled": 4, "partly_returned": 4}
        at = reached.get(self.state, 0)
        return [Step(label, "done" if n < at else "now" if n == at else "ahead") for n, label in enumerate(labels)]

    @property
    def may_be_called_off(self) -> bool:
        """Whether its bank file is not made yet."""
        return self.state in {"requested", "computed", "approved", "failed"}


_RUN = text("""
SELECT r.*, coalesce(asker.name, 'the command line') AS asker, coalesce(second.name, 'the command line') AS second,
       coalesce(f.sha256, '') AS sha256,
       coalesce(t.makers, 0) AS makers, coalesce(t.sold, 0)::bigint AS sold, coalesce(t.fee, 0)::bigint AS fee,
       coalesce(t.payable, 0)::bigint AS payable, coalesce(t.pays_viewer, false) AS pays_viewer
  FROM payout_run r
  LEFT JOIN person asker ON asker.id = r.requested_by
  LEFT JOIN person second ON second.id = r.approved_by
  LEFT JOIN bank_file f ON f.run_id = r.id
  LEFT JOIN LATERAL (SELECT count(*) AS makers, sum(sold_minor) AS sold, sum(fee_minor) AS fee, sum(payable_minor) AS payable,
                            bool_or(artisan_id = ANY(:own)) AS pays_viewer FROM statement WHERE run_id = r.id) t ON true
 WHERE r.id = :run
""")

_PAID = text("""
SELECT s.id, m.name AS maker, s.series || '-' || s.number AS reference, s.sold_minor, s.fee_minor, s.payable_minor, b.iban_ending,
       CASE WHEN EXISTS (SELECT FROM bank_details x WHERE x.artisan_id = b.artisan_id AND x.id < b.id) THEN b.set_at END AS changed_at,
       CASE WHEN r.state = 'cancelled' THEN 'cancelled' WHEN p.returned_on IS NOT NULL THEN 'returned'
            WHEN p.settled_on IS NOT NULL THEN 'settled' WHEN p.sent_entry_id IS NOT NULL THEN 'sent' ELSE 'waits' END AS fate,
       coalesce(p.returned_on, p.settled_on) AS fate_on, count(*) OVER () AS total
  FROM statement s
  JOIN payout_run r ON r.id = s.run_id
  JOIN artisan m ON m.id = s.artisan_id
  JOIN payment p ON p.statement_id = s.id
  JOIN bank_details b ON b.id = p.bank_details_id
 WHERE s.run_id = :run AND m.name ILIKE :like
 ORDER BY s.number LIMIT :most OFFSET :skipped
""")

_CHANGED = text("""
SELECT count(*) FROM payment p
  JOIN statement s ON s.id = p.statement_id
  JOIN bank_details b ON b.id = p.bank_details_id
 WHERE s.run_id = :run AND b.set_at > :since
   AND EXISTS (SELECT FROM bank_details x WHERE x.artisan_id = b.artisan_id AND x.id < b.id)
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
        approved_at=run.approved_at,
        approved_by=run.second,
        failure=run.failure or "",
        trouble=(job.last_error or "") if job else "",
        makers=run.makers,
        sold_minor=run.sold,
        fee_minor=run.fee,
        total_minor=run.payable,
        sha256=run.sha256,
        file_made_at=run.file_made_at,
        asked_by_viewer=run.requested_by == viewer_id,
        pays_viewer=run.pays_viewer,
        changed_accounts=session.scalar(_CHANGED, {"run": run_id, "since": at - 2 * ACCOUNT_RESTS}) or 0,
        sought=sought,
        rows=[PaidRow(*row[:-1]) for row in rows],
        part=Slice(number, A_PAGE, rows[0].total if rows else 0),
    )


@dataclass(frozen=True, slots=True)
class FileOfRun:
    name: str
    content: bytes


def file_of_run(session: Session, run_id: int) -> FileOfRun:
    """Return the bank file as it was stored, having compared it with its digest."""
    row = session.execute(
        text("SELECT message_id, bytes, sha256 FROM bank_file WHERE run_id = :run"), {"run": run_id}
    ).first()
    if row is None:
        raise NotFound
    content = bytes(row.bytes)
    assert hashlib.sha256(content).hexdigest() == row.sha256, f"the bank file of run {run_id} was changed"
    return FileOfRun(f"{row.message_id}.xml", content)
