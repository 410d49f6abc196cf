"""Play the events of a scenario: each is one command of the co-op, asked with the event's own key."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text

from coop import jobs
from coop.books import service as books
from coop.confirmations import service as confirmations
from coop.core.errors import RuleBroken
from coop.core.hardship import Help
from coop.db import Db
from coop.deciding import service as deciding
from coop.incoming import service as incoming
from coop.instalments import service as instalments
from coop.mending import service as mending
from coop.orders import service as orders
from coop.payouts import service as payouts
from coop.pickups import service as pickups
from coop.replay import closing
from coop.replay.closing import month_after
from coop.replay.figures import figures
from coop.replay.scenario import Case, Event, ordered
from coop.replay.stage import APPROVES, ASKS, Stage, set_up
from coop.returnables import service as returnables
from coop.takebacks import service as takebacks
from coop.transfers import service as transfers
from coop.treasury import service as treasury
from coop.wishes.service import Wish

BILL = "carrier"
"""Whose bills are shared; a scenario names no supplier."""

REASON = "as the scenario says"


def play(db: Db, case: Case, *, at: datetime, field_key: bytes) -> dict[str, Any]:
    """Play a case on a fresh database, and return what it comes to beside what is expected of it."""
    player = Player(case, set_up(db, case, at=at, field_key=field_key))
    refused: dict[str, str] = {}
    for event in case.events:
        try:
            player.play(event)
        except RuleBroken as broken:
            refused[event["id"]] = broken.code
    with db() as session:
        found = figures(session)
    unclean = [rule.id for rule in books.run_checks(db, by=ASKS) if not rule.ok]
    printed = {"id": case.id, **found, "refused": refused, "invariants": unclean or "clean"}
    differences = _differences(case, printed)
    is_asked = case.expected is not None or any("refused" in event for event in case.events)
    return printed | {"matches": not differences if is_asked else None, "differences": differences}


class Player:
    """Plays one case: maps events to commands, and names to the rows they stand for."""

    def __init__(self, case: Case, stage: Stage) -> None:
        self.case, self.stage, self.db = case, stage, stage.db
        self.lines: dict[str, int] = {}
        self.runs: dict[str, int] = {}
        self.played: dict[str, tuple[Event, int]] = {}

    def play(self, event: Event) -> None:
        """Play one event, and remember what it made."""
        acts: dict[str, Callable[[Event], int]] = {
            "pay_in": self._pay_in,
            "share_release": self._share_release,
            "share_transfer": self._share_transfer,
            "share_refund": self._share_refund,
            "cash_refund": self._cash_refund,
            "gift": self._gift,
            "goodwill": self._goodwill,
            "order": self._order,
            "cancel": self._cancel,
            "allocate": self._allocate,
            "deliver": self._deliver,
            "credit_note": self._credit_note,
            "deposit_return": self._deposit_return,
            "deposit_forfeit": self._deposit_forfeit,
            "shared_cost": self._shared_cost,
            "supplier_paid": self._supplier_paid,
            "advance": self._advance,
            "payout_run": self._payout_run,
            "payout_settled": self._payout_settled,
            "payout_rejected": self._payout_rejected,
            "payout_returned": self._payout_returned,
            "chargeback": self._chargeback,
            "reverse": self._reverse,
            "close": self._close,
            "patronage_pay": self._patronage_pay,
        }
        if event["e"] not in acts:
            raise RuleBroken("unknown_event", f"“{event['e']}” is no event that is played.")
        self.played[event["id"]] = (event, acts[event["e"]](event))

    def _asked(self, event: Event) -> dict[str, Any]:
        return {"by": ASKS, "at": self.stage.at, "key": str(event.get("key", event["id"]))}

    def _explained(self, event: Event) -> dict[str, Any]:
        return self._asked(event) | {"reason": REASON}

    def _member(self, event: Event, name: str = "member") -> int:
        return self.stage.members[event[name]]

    def _line(self, event: Event, code: str) -> int:
        if event["line"] not in self.lines:
            raise RuleBroken(code, f"There is no line {event['line']}.")
        return self.lines[event["line"]]

    def _pay_in(self, event: Event) -> int:
        to = event.get("to", "credit")
        asked = self._asked(event)
        payment_id = incoming.record_payment(
            self.db,
            self._member(event),
            amount_minor=event["cents"],
            received_on=self.stage.at.date(),
            reference=asked["key"],
            share_id=self.stage.shares[event["member"]] if to == "share" else None,
            purpose="credit" if to == "share" else to,
            **asked,
        )
        return self._number("SELECT entry_id FROM recorded_payment WHERE id = :id", payment_id)

    def _share_release(self, event: Event) -> int:
        return instalments.release_early(self.db, self._member(event), event["cents"], **self._explained(event))

    def _share_transfer(self, event: Event) -> int:
        to = self._member(event, "to")
        from_id = self._member(event, "from")
        return instalments.move_prepaid(self.db, from_id, to, event["cents"], **self._explained(event))

    def _share_refund(self, event: Event) -> int:
        return instalments.refund_prepaid(self.db, self._member(event), event["cents"], **self._explained(event))

    def _cash_refund(self, event: Event) -> int:
        return treasury.refund_credit(self.db, self._member(event), event["cents"], **self._asked(event))

    def _gift(self, event: Event) -> int:
        return treasury.give_to_fund(self.db, self._member(event), event["cents"], **self._asked(event))

    def _goodwill(self, event: Event) -> int:
        asked = self._asked(event)
        return treasury.show_goodwill(self.db, self._member(event), event["cents"], reason=REASON, **asked)

    def _order(self, event: Event) -> int:
        wishes: dict[int, list[Wish]] = {}
        helped: dict[int, Help] = {}
        names: dict[int, str] = {}
        for written in event["lines"]:
            line = ordered(written, self.case.policy)
            place = self.stage.places[line]
            wish = Wish(place.offering_id, line.pieces, line.pieces, line.unit_minor, line.deposit_minor)
            wishes.setdefault(place.pool_id, []).append(wish)
            helped[place.offering_id] = Help(line.tier_bp, line.subsidy_minor)
            names[place.offering_id] = line.name
        household_id = self._member(event)
        order_id = orders.place_orders(self.db, wishes, household_id=household_id, helped=helped, **self._asked(event))
        made = (
            "SELECT l.offering_id, l.id FROM order_line l JOIN household_order o ON o.id = l.order_id"
            " WHERE o.household_id = :household AND l.offering_id = ANY(:offerings)"
        )
        for offering_id, line_id in self._rows(made, household=household_id, offerings=list(names)):
            self.lines[names[offering_id]] = line_id
        return order_id

    def _cancel(self, event: Event) -> int:
        return takebacks.take_back(self.db, [self._line(event, "too_late")], **self._explained(event))

    def _allocate(self, event: Event) -> int:
        """Give each line's lot its part of the yield, as far as it goes; the last gets what is left."""
        awards = {self._line({"line": name}, "exceeds_order"): pieces for name, pieces in event["lines"].items()}
        made: dict[int, int] = {}
        left, batch_id = event["yield"], 0
        for line_id, pieces in awards.items():
            batch_id = self._number(
                "SELECT f.batch_id FROM order_line l JOIN offering f ON f.id = l.offering_id WHERE l.id = :id", line_id
            )
            made[batch_id] = min(pieces, left)
            left -= made[batch_id]
        made |= {batch_id: made[batch_id] + left} if awards else {}
        deciding.decide(self.db, awards, made, **self._asked(event))
        return 0

    def _deliver(self, event: Event) -> int:
        line_id = self._line(event, "exceeds_allocation")
        order_id = self._number("SELECT order_id FROM order_line WHERE id = :id", line_id)
        fees_bp = {line_id: event["fee_bp"]} if "fee_bp" in event else {}
        return pickups.hand_over(self.db, order_id, {line_id: event["qty"]}, fees_bp=fees_bp, **self._asked(event))

    def _credit_note(self, event: Event) -> int:
        line_id = self._line(event, "exceeds_delivered")
        return mending.credit_bad(self.db, line_id, event["qty"], reason=REASON, **self._asked(event))

    def _containers(self, event: Event) -> dict[int, int]:
        kind = "SELECT id FROM container_type WHERE deposit_minor = :each ORDER BY id LIMIT 1"
        found = self._rows(kind, each=event["each"])
        if not found:
            raise RuleBroken("deposit_exceeds_outstanding", f"No container has a deposit of {event['each']}.")
        return {int(found[0][0]): event["qty"]}

    def _deposit_return(self, event: Event) -> int:
        return returnables.bring_back(self.db, self._member(event), self._containers(event), **self._asked(event))

    def _deposit_forfeit(self, event: Event) -> int:
        asked = self._asked(event) | {"reason": REASON}
        return returnables.forfeit(self.db, self._member(event), self._containers(event), **asked)

    def _shared_cost(self, event: Event) -> int:
        among = [(self.stage.members[name], weight) for name, weight in event["among"]]
        return treasury.share_cost(self.db, BILL, event["cents"], among=among, **self._asked(event))

    def _supplier_paid(self, event: Event) -> int:
        return treasury.pay_supplier(self.db, BILL, event["cents"], **self._asked(event))

    def _advance(self, event: Event) -> int:
        return treasury.pay_advance(self.db, self.stage.makers[event["maker"]], event["cents"], **self._asked(event))

    def _chargeback(self, event: Event) -> int:
        fee = event.get("bank_fee", 0)
        return treasury.charge_back(self.db, self._member(event), event["cents"], bank_fee=fee, **self._asked(event))

    def _payout_run(self, event: Event) -> int:
        """Ask for a run; then the worker's part, the second person's and the bank file, where anything is to be sent."""
        at = self.stage.at
        run_id = self.runs[event["id"]] = payouts.request_payouts(
            self.db,
            through=at.date(),
            minimum_minor=event.get("min", 0),
            recoup_bp=event.get("recoup_bp", 0),
            held=[self.stage.makers[name] for name in event.get("hold", ())],
            **self._asked(event),
        )
        waiting = "SELECT id FROM outbox WHERE job = :job AND row_id = :run AND done_at IS NULL"
        for (outbox_id,) in self._rows(waiting, job=jobs.COMPUTE_PAYOUTS, run=run_id):
            lease = jobs.take(self.db, outbox_id, jobs.COMPUTE_PAYOUTS)
            assert lease is not None, "nobody else works on a scratch database"
            payouts.carry_out(self.db, lease, at=at)
        state = "SELECT state FROM payout_run WHERE id = :run"
        if self._rows(state, run=run_id) == [("computed",)]:
            transfers.approve(self.db, run_id, by=APPROVES, at=at)
        if self._rows(state, run=run_id) == [("approved",)]:
            transfers.make_file(self.db, run_id, by=ASKS, at=at, field_key=self.stage.field_key)
        return run_id

    def _payment(self, event: Event, code: str) -> int:
        run, _, maker = event["payout"].partition(":")
        found = self._rows(
            "SELECT p.id FROM payment p JOIN statement s ON s.id = p.statement_id WHERE s.run_id = :run AND s.artisan_id = :maker",
            run=self.runs.get(run, 0),
            maker=self.stage.makers.get(maker, 0),
        )
        if not found:
            raise RuleBroken(code, f"There is no payout {event['payout']}.")
        return int(found[0][0])

    def _payout_settled(self, event: Event) -> int:
        payment_id = self._payment(event, "payout_not_in_transit")
        return confirmations.confirm(self.db, payment_id, on=self.stage.at.date(), **self._asked(event))

    def _payout_rejected(self, event: Event) -> int:
        payment_id = self._payment(event, "payout_not_in_transit")
        return confirmations.refuse(self.db, payment_id, reason_code="", on=self.stage.at.date(), **self._asked(event))

    def _payout_returned(self, event: Event) -> int:
        payment_id = self._payment(event, "payout_not_settled")
        on, fee = self.stage.at.date(), event.get("bank_fee", 0)
        return confirmations.take_back(self.db, payment_id, bank_fee=fee, on=on, **self._asked(event))

    def _reverse(self, event: Event) -> int:
        if event["of"] not in self.played:
            raise RuleBroken("not_found", f"There is no event {event['of']} to reverse.")
        of, row_id = self.played[event["of"]]
        asked = self._asked(event) | {"reason": REASON}
        if of["e"] == "deliver":
            return mending.undo_hand_over(self.db, row_id, **asked)
        if of["e"] == "credit_note":
            return mending.take_back_note(self.db, row_id, **asked)
        if of["e"] in {"deposit_return", "deposit_forfeit"}:
            return returnables.undo_move(self.db, row_id, **asked)
        return treasury.reverse(self.db, row_id, **asked)

    def _close(self, event: Event) -> int:
        """Let the month be over, and close it; what two persons decide has no key, so the event's is kept beside it."""
        claim = closing.Claim(str(event.get("key", event["id"])), event["reserve_bp"], event["cash_bp"])
        if (spent := closing.answered(self.db, claim)) is not None:
            return spent
        over = month_after(self.stage.at)
        made = closing.close(self.db, reserve_bp=claim.reserve_bp, cash_bp=claim.cash_bp, at=over)
        closing.keep(self.db, claim, made)
        self.stage.at = over
        return made

    def _patronage_pay(self, event: Event) -> int:
        asked = self._asked(event)
        return closing.pay(self.db, minimum_minor=event.get("min", 0), at=asked["at"], key=asked["key"])

    def _rows(self, query: str, **values: object) -> list[Any]:
        with self.db() as session:
            return list(session.execute(text(query), values))

    def _number(self, query: str, row_id: int) -> int:
        (found,) = self._rows(query, id=row_id)
        return int(found[0])


def _differences(case: Case, printed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Compare every key that is expected, and every refusal that an event names."""
    found: list[dict[str, Any]] = []
    for event in case.events:
        wanted, got = event.get("refused"), printed["refused"].get(event["id"])
        if wanted is not None and wanted != got:
            found.append({"path": f"refused/{event['id']}", "expected": wanted, "got": got})
    for name, expected in (case.expected or {}).items():
        _compare(name, expected, printed.get(name), found)
    return found


def _compare(path: str, expected: Any, got: Any, found: list[dict[str, Any]]) -> None:
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in sorted(expected.keys() | got.keys()):
            _compare(f"{path}/{name}", expected.get(name), got.get(name), found)
    elif expected != got:
        found.append({"path": path, "expected": expected, "got": got})
