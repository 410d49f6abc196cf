"""`coop payout`: pay the makers, and on a co-op whose money is not real, let a made-up bank confirm it."""

import dataclasses
from datetime import UTC, date, datetime, time
from typing import Any

import click
from sqlalchemy import text

from coop.bank import service as bank
from coop.clock import now
from coop.commands.running import COMMAND_LINE, SECOND_PERSON, Running, running, say, wait_until
from coop.core.errors import NotFound, RuleBroken
from coop.demo.bank import statement
from coop.formats.camt import write_camt053
from coop.payouts import queries
from coop.payouts import service as payouts
from coop.policy import service as policy
from coop.transfers import service as transfers


@click.command()
@click.option("--through", required=True, metavar="DATE", help="The last day whose hand-overs are paid: 2011-06-30.")
@click.option("--by", "by_email", metavar="EMAIL", help="Who asks for it; needed where the money is real.")
@click.option("--approver", metavar="EMAIL", help="Who approves it, another person; needed where the money is real.")
@click.option("--json", "_json", is_flag=True, help="One JSON object; the only form there is.")
def payout(through: str, by_email: str | None, approver: str | None, *, _json: bool) -> None:
    """Pay what makers earned through DATE: a run, a second approval, the bank file.

    A demo or imported season is then settled by a bank statement made for the purpose.
    """
    day = _day(through)
    with running(worker=True) as coop:
        play = _is_play(coop)
        if not play and not (by_email and approver):
            raise RuleBroken("second_person", "Name two persons, --by and --approver: one asks, another approves.")
        by = _person(coop, by_email) if by_email else COMMAND_LINE
        second = _person(coop, approver) if approver else SECOND_PERSON
        say(paid(coop, day, by=by, second=second, play=play))


def paid(coop: Running, through: date, *, by: int, second: int, play: bool) -> dict[str, Any]:
    at = datetime.combine(through, time(12), UTC) if play else now()
    known = _run(coop, through)
    if known is None or (known[1] in {"settled", "partly_returned", "closed"} and _something_unpaid(coop, through)):
        payouts.request_payouts(coop.db, through=through, by=by, at=now())
    wait_until(coop, lambda _: (_run(coop, through) or (0, "gone"))[1] != "requested", what="The payout")
    run = _run(coop, through)
    if run is None:
        raise RuleBroken("nothing_to_pay", f"Nobody is owed enough to be paid through {through}.")
    run_id, state = run
    if state == "computed":
        transfers.approve(coop.db, run_id, by=second, at=at)
    if state in {"computed", "approved"}:
        transfers.make_file(coop.db, run_id, by=by, at=at, field_key=coop.settings.field_key)
    if play and state not in {"settled", "closed"}:
        bank.import_statement(
            coop.db, _confirmation(coop, run_id, through), by=by, at=at, field_key=coop.settings.field_key
        )
    with coop.db() as session:
        figures = queries.run_figures(session, run_id)
    line = dataclasses.asdict(figures)
    return line | ({"unchanged": True} if known == (run_id, "settled" if play else "file_made") else {})


def _confirmation(coop: Running, run_id: int, booked_on: date) -> bytes:
    """Make the statement by which the bank would confirm a run's payments."""
    with coop.db() as session:
        said = statement(session, run_id, booked_on, at=now())
    return write_camt053(said, created_at=datetime.combine(booked_on, time(18), UTC))


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise RuleBroken(
            "bad_date", f"“{written[:20]}” is no day; write it like 2011-06-30.", field="through"
        ) from None


def _run(coop: Running, through: date) -> tuple[int, str] | None:
    with coop.db() as session:
        return queries.run_through(session, through)


def _something_unpaid(coop: Running, through: date) -> bool:
    with coop.db() as session:
        return payouts.is_something_unpaid(session, through, at=now())


def _is_play(coop: Running) -> bool:
    """Tell whether no real money is here: every season was brought in from files, or the co-op is a demo."""
    with coop.db() as session:
        real = session.scalar(text("SELECT count(*) FROM season WHERE files_digest IS NULL"))
        return policy.current(session, "demo", at=now()) or not real


def _person(coop: Running, email: str) -> int:
    with coop.db() as session:
        found = session.scalar(
            text(
                "SELECT p.id FROM person p JOIN role_grant g ON g.person_id = p.id AND g.ended_at IS NULL"
                " WHERE p.email_key = lower(:email) AND p.left_at IS NULL AND g.role IN ('treasurer', 'admin') LIMIT 1"
            ),
            {"email": email},
        )
    if found is None:
        raise NotFound(f"No treasurer or admin here has the address {email}.")
    return int(found)
