"""Pay the makers: gather what each has earned on numbered statements, or call the run off before its file is made."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from coop import jobs, keys
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry, artisan_party
from coop.core.money import BASIS_POINTS
from coop.core.payout import payout_sent, settle
from coop.core.season import local_day
from coop.db import Db, locked, refresh_statistics
from coop.jobs import Lease
from coop.ledger import service as ledger
from coop.payouts import queries
from coop.payouts.models import Payment, PayoutRun, Statement, StatementLine
from coop.policy import service as policy


def request_payouts(
    db: Db,
    *,
    through: date,
    by: int,
    at: datetime,
    key: str = "",
    minimum_minor: int | None = None,
    recoup_bp: int = 0,
    held: Sequence[int] = (),
) -> int:
    """Ask the worker to gather what makers earned up to a day; return the run's id.

    The minimum is the co-op's unless another is given; `held` makers stay unpaid. Raises `future_date`, `run_open` or
    `bad_rate`.
    """
    with db.begin() as session:
        body = {"through": through, "minimum": minimum_minor, "recoup_bp": recoup_bp, "held": sorted(held)}
        if key and (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        if not 0 <= recoup_bp <= BASIS_POINTS:
            raise RuleBroken("bad_rate", "At most 100 % of a payout goes against an advance.", field="recoup_bp")
        agreed = policy.all_current(session, at=at)
        if through > local_day(at, agreed["zone"]):
            raise RuleBroken(
                "future_date", "A payout covers days that are over. Choose today or earlier.", field="through"
            )
        session.execute(text("LOCK TABLE payout_run IN SHARE ROW EXCLUSIVE MODE"))
        _refuse_second(session)
        run = PayoutRun(
            through=through,
            minimum_minor=agreed["payout_minimum_minor"] if minimum_minor is None else minimum_minor,
            recoup_bp=recoup_bp,
            held=sorted(held),
            state="requested",
            requested_by=by,
            requested_at=at,
        )
        session.add(run)
        session.flush()
        jobs.request(session, jobs.COMPUTE_PAYOUTS, run.id)
        audit.record(
            session, "request_payouts", by=by, subject=("payout_run", run.id), detail={"through": str(through)}
        )
        if key:
            keys.answer(session, by=by, key=key, row_id=run.id)
        return run.id


def carry_out(db: Db, lease: Lease, *, at: datetime) -> None:
    """Put what each maker has earned and was not paid on a numbered statement. Repeating it changes nothing."""
    refresh_statistics(db, "account", "entry", "posting", "hand_over", "hand_over_line", "order_line")
    with db.begin() as session:
        jobs.finish(session, lease)
        run = session.get_one(PayoutRun, lease.row_id, with_for_update=True)
        if run.state != "requested":
            return
        owed = queries.owed_to_makers(session, run.through)
        wanted = [maker for maker in owed if maker.artisan_id not in run.held]
        paid = [
            maker
            for maker in wanted
            if not queries.why_it_waits(maker, run.minimum_minor, recoup_bp=run.recoup_bp, at=at)
        ]
        _take_off(session, run, [maker for maker in wanted if maker not in paid], at=at)
        if not paid:
            run.state, run.failure = "cancelled", "Nobody is owed enough to be paid."
            return
        _write_statements(session, run, paid)
        run.state, run.computed_at = "computed", at
        audit.record(session, "compute_payouts", by=0, subject=("payout_run", run.id), detail={"statements": len(paid)})


def _take_off(session: Session, run: PayoutRun, unpaid: Sequence[queries.Owed], *, at: datetime) -> None:
    """Set off and recoup what makers owe whom this run sends nothing; it stands on their next statement, below zero."""
    agreed = policy.all_current(session, at=at)
    entries = []
    for maker in unpaid:
        if maker.earned_minor <= 0:
            continue
        settled = settle(
            maker.earned_minor,
            owed_by_maker=maker.owed_by_maker,
            advance=maker.advance,
            recoup_bp=run.recoup_bp,
            minimum=run.minimum_minor,
        )
        if (settled.set_off or settled.recouped) and settled.reason != "sent":
            party = artisan_party(maker.artisan_id)
            postings = payout_sent(party, "", settled._replace(sent=0))
            key, on = f"setoff:{run.id}:{maker.artisan_id}", local_day(at, agreed["zone"])
            entries.append(Entry(key, "set_off", on, postings))
    ledger.post_all(session, entries, by=run.requested_by, currency=agreed["currency"])


def _write_statements(session: Session, run: PayoutRun, paid: Sequence[queries.Owed]) -> None:
    """Number a statement for each maker, take the lines, and pay what the lines taken come to.

    Lines and sums come from one look at the books: a hand-over that is noted meanwhile is on both or on neither.
    """
    series = f"{run.through.year}"
    last = session.scalar(select(func.max(Statement.number)).where(Statement.series == series)) or 0
    nothing = dict.fromkeys(("sold_minor", "fee_minor", "tax_minor", "earned_minor", "payable_minor"), 0)
    statements = [
        Statement(run_id=run.id, artisan_id=maker.artisan_id, series=series, number=number, **nothing)
        for number, maker in enumerate(paid, last + 1)
    ]
    session.add_all(statements)
    session.flush()
    statement_of = {statement.artisan_id: statement.id for statement in statements}
    taken = session.execute(queries.TAKE_LINES, queries.open_lines(session, run.through, statement_of))
    session.execute(queries.CARRY, {"run": run.id})
    earned = {statement_id: minor for statement_id, minor in taken}  # noqa: C416 - a row is no pair to mypy
    for statement, maker in zip(statements, paid, strict=True):
        settled = settle(
            earned[statement.id],
            owed_by_maker=maker.owed_by_maker,
            advance=maker.advance,
            recoup_bp=run.recoup_bp,
        )
        if settled.set_off or settled.recouped:
            session.refresh(statement)
            statement.set_off_minor, statement.recouped_minor = settled.set_off, settled.recouped
            statement.payable_minor = settled.sent
        session.add(
            Payment(
                statement_id=statement.id,
                bank_details_id=maker.bank_details_id,
                amount_minor=settled.sent,
                end_to_end_id=f"SB{run.id}N{statement.number}",
            )
        )


def fail(session: Session, run_id: int, why: str) -> None:
    """Mark a run that its worker had to give up, with the reason in plain words."""
    run = locked_run(session, run_id)
    if run.state == "requested":
        run.state, run.failure = "failed", why


def cancel(db: Db, run_id: int, *, by: int, reason: str) -> None:
    """Call a run off before its bank file is made; what was on its statements is unpaid again."""
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why the run is called off.", field="reason")
    with db.begin() as session:
        run = locked_run(session, run_id)
        if run.state == "cancelled":
            return
        if run.state not in {"requested", "computed", "approved", "failed"}:
            raise RuleBroken("too_late", "Its bank file is made, so it can no longer be called off.")
        run.state = "cancelled"
        session.execute(
            update(StatementLine)
            .where(StatementLine.statement_id.in_(select(Statement.id).where(Statement.run_id == run_id)))
            .values(live=False)
        )
        audit.record(
            session, "cancel_payouts", by=by, subject=("payout_run", run_id), detail={"reason": reason.strip()}
        )


def try_again(db: Db, run_id: int, *, by: int, at: datetime) -> None:
    """Let the worker gather a run anew that it had to give up; one that is under way is left to it.

    Raises `not_failed` and `run_open`.
    """
    with db.begin() as session:
        session.execute(text("LOCK TABLE payout_run IN SHARE ROW EXCLUSIVE MODE"))
        run = locked_run(session, run_id)
        if run.state == "requested":
            return
        if run.state != "failed":
            raise RuleBroken("not_failed", "Only a run that went wrong is tried again.")
        _refuse_second(session)
        run.state, run.failure = "requested", None
        job = jobs.state_of(session, jobs.COMPUTE_PAYOUTS, run_id)
        if job is not None and job.done_at is None:
            jobs.revive(session, jobs.COMPUTE_PAYOUTS, run_id)
        else:
            jobs.request(session, jobs.COMPUTE_PAYOUTS, run_id, dedup=at.isoformat())
        audit.record(session, "try_payouts_again", by=by, subject=("payout_run", run_id))


def _refuse_second(session: Session) -> None:
    if session.scalar(select(PayoutRun.id).where(PayoutRun.state.in_(("requested", "computed", "approved")))):
        raise RuleBroken("run_open", "Another payout is under way. Finish or cancel it first.")


def is_something_unpaid(session: Session, through: date, *, at: datetime) -> bool:
    """Tell whether a run through this day would pay anybody."""
    minimum = policy.current(session, "payout_minimum_minor", at=at)
    owed = queries.owed_to_makers(session, through)
    return any(not queries.why_it_waits(maker, minimum, at=at) for maker in owed)


def locked_run(session: Session, run_id: int) -> PayoutRun:
    return locked(session, PayoutRun, run_id, called="payout run")
