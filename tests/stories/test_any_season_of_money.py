"""Any season of money: random events through the co-op's commands, sent twice, reversed and crashed into, beside an independent model."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import event, text

from coop.books import queries as books
from coop.core.errors import RuleBroken
from coop.replay.figures import figures
from coop.replay.player import Player
from coop.replay.scenario import case_of
from coop.replay.stage import set_up
from tests.builders import FIELD_KEY, NOW
from tests.money_model import Model, Refused

MEMBERS, MAKERS = ("Ana", "Ben", "Cleo"), ("Mia", "Noor", "Tomas")
LINES = 8

someone, maker = st.sampled_from(MEMBERS), st.sampled_from(MAKERS)
cents, sums = st.integers(1, 900), st.integers(1_000, 9_000)
rates = st.sampled_from([0, 700, 1_000, 1_333, 2_500])
two = st.integers(1, 9_999).map(lambda part: [["Mia", part], ["Tomas", 10_000 - part]])
three = st.tuples(st.integers(1, 4_999), st.integers(1, 5_000)).map(
    lambda some: [["Tomas", some[0]], ["Mia", some[1]], ["Noor", 10_000 - sum(some)]]
)
makers = st.one_of(maker, two, three)
agent = st.fixed_dictionaries(
    {"fee_bp": rates, "fee_tax_bp": rates, "tier_bp": st.sampled_from([10_000, 10_000, 7_000, 12_500]), "subsidy": st.just(0)}
    | {"policy": st.just({"model": "agent"})}
)  # fmt: skip
helped = st.fixed_dictionaries({"fee_bp": rates, "subsidy": st.integers(1, 300)})
resale = st.fixed_dictionaries({"policy": st.just("resale"), "cost": st.integers(1, 400), "tax_bp": rates})
line = st.builds(
    dict.__or__,
    st.fixed_dictionaries(
        {
            "makers": makers,
            "qty": st.integers(1, 4),
            "unit": st.integers(300, 999),
            "deposit": st.sampled_from([0, 50, 100]),
        }
    ),
    st.one_of(agent, helped, resale),
)


among = st.lists(st.integers(0, 7), min_size=3, max_size=3).filter(any)
PAID_IN = st.fixed_dictionaries(
    {
        "e": st.just("pay_in"),
        "member": someone,
        "cents": sums,
        "to": st.sampled_from(["credit", "share", "capital", "reserve"]),
    }
)
OF_ONE = st.fixed_dictionaries(
    {
        "e": st.sampled_from(["share_release", "share_refund", "cash_refund", "gift", "goodwill"]),
        "member": someone,
        "cents": cents,
    }
)
SHARES = st.permutations(MEMBERS).flatmap(
    lambda names: st.fixed_dictionaries(
        {"e": st.just("share_transfer"), "from": st.just(names[0]), "to": st.just(names[1]), "cents": cents}
    )
)
BACK = st.fixed_dictionaries(
    {"e": st.just("chargeback"), "member": someone, "cents": sums, "bank_fee": st.integers(0, 300)}
)
BILL = st.fixed_dictionaries(
    {
        "e": st.just("shared_cost"),
        "cents": cents,
        "among": among.map(lambda weights: [list(one) for one in zip(MEMBERS, weights, strict=True)]),
    }
)

ACTS = st.sampled_from(["deliver", "deliver", "deliver", "deliver", "credit_note", "credit_note", "allocate", "cancel"])
"""What is tried on a line that is decided."""


class Crash(Exception):  # noqa: N818 - it stands for a process that dies
    """The process dies where all is written and nothing committed."""


class Season(RuleBasedStateMachine):
    """One co-op on a database of its own; each step is an event, and after each the books are what the model says."""

    events: ClassVar[Counter[str]] = Counter()
    """How often each kind of event happened or, in brackets, was refused, in all seasons."""

    def __init__(self, another_db, *, full):
        super().__init__()
        self.full, self.made = full, another_db()
        self.db = self.made.__enter__()
        self.model, self.n, self.sent, self.dies_at = Model(), 0, [], 0

    @initialize(lines=st.lists(line, min_size=LINES, max_size=LINES))
    def agree(self, lines):
        self.lines = {f"L{n}": {"line": f"L{n}"} | written for n, written in enumerate(lines)}
        named = [{"id": f"m{name}", "e": "pay_in", "member": name, "cents": 1} for name in MEMBERS]
        named += [{"id": f"a{name}", "e": "advance", "maker": name, "cents": 1} for name in MAKERS]
        named.append({"id": "all", "e": "order", "member": "Ana", "lines": list(self.lines.values())})
        case = case_of({"id": "any", "currency": "EUR", "events": named})
        self.player = Player(case, set_up(self.db, case, at=NOW, field_key=FIELD_KEY))
        for name in MEMBERS:
            self.happens(e="pay_in", member=name, cents=9_000)
            self.happens(e="pay_in", member=name, cents=700, to="share")
        self.happens(e="gift", member="Cleo", cents=1_200)
        for number, name in enumerate(list(self.lines)[:4]):
            self.happens(e="order", member=MEMBERS[number % 3], lines=[self.lines[name]])
            if name in self.model.lines:
                self.decided(name, self.lines[name]["qty"], 0)

    def happens(self, **asked):
        """Let an event happen in the books and in the model, to the same end or the same refusal."""
        self.n += 1
        asked["id"] = f"e{self.n}"
        try:
            self.model.play(asked)
        except Refused as refused:
            with pytest.raises(RuleBroken) as broken:
                self.player.play(asked)
            Season.events[f"({asked['e']})"] += 1
            assert not refused.args or broken.value.code in refused.args, (asked, broken.value)
        else:
            if self.dies_at and self.crashes_into(asked, self.dies_at):
                self.dies_at = 0
                Season.events["crash"] += 1
            self.player.play(asked)
            self.sent.append(asked)
            Season.events[asked["e"]] += 1
        self.compare()

    def compare(self):
        """All ends are the model's, to the cent, and in the long form every rule of the books holds after every step."""
        with self.db() as session:
            assert figures(session)["balances"] == {name: minor for name, minor in self.model.balances.items() if minor}
        if self.full:
            self.ask_all_rules()

    def ask_all_rules(self):
        with self.db() as session:
            assert [result for result in books.results(session) if not result.ok] == []

    def crashes_into(self, asked, nth):
        """Let the process die at the n-th commit of an event, where all is written; say whether it did.

        What a worker had leased then is free again, as it is once the lease is over.
        """
        left = [nth]

        def die(session):
            left[0] -= 1
            if left[0] == 0:
                session.flush()
                raise Crash

        event.listen(self.db, "before_commit", die)
        try:
            self.player.play(asked)
        except Crash:
            with self.db.kw["bind"].begin() as connection:
                connection.execute(
                    text("UPDATE outbox SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL")
                )
        finally:
            event.remove(self.db, "before_commit", die)
        return left[0] <= 0

    @rule(
        asked=st.one_of(
            PAID_IN, OF_ONE, SHARES, BACK, BILL, st.builds(dict, e=st.just("advance"), maker=maker, cents=cents)
        )
    )
    def money_moves(self, asked):
        self.happens(**asked)

    @precondition(lambda self: self.model.balances["supplier_payable"])
    @rule(minor=cents)
    def a_bill_is_paid(self, minor):
        self.happens(e="supplier_paid", cents=minor)

    @rule(data=st.data())
    def a_line_moves_on(self, data):
        self.moves_on(data)

    def moves_on(self, data):
        """A line is ordered, decided, and fetched piece by piece; now and then something goes wrong with it."""
        name = data.draw(st.sampled_from(list(self.lines)))
        one = self.model.lines.get(name)
        if one is None:
            more = [other for other in self.lines if other != name and other not in self.model.lines]
            together = [
                name,
                *data.draw(st.lists(st.sampled_from(more), max_size=2, unique=True) if more else st.just([])),
            ]
            self.happens(e="order", member=data.draw(someone), lines=[self.lines[one] for one in together])
        elif one.state == "cancelled":
            return
        elif one.state == "ordered" and data.draw(st.integers(0, 4)):
            self.decided(name, one.qty - data.draw(st.sampled_from([0, 0, 1])), data.draw(st.integers(0, 2)))
        elif one.state == "ordered" or (act := data.draw(ACTS)) == "cancel":
            self.happens(e="cancel", line=name)
        elif act == "allocate":
            self.decided(name, data.draw(st.integers(0, 5)), data.draw(st.integers(-1, 1)))
        elif act == "credit_note":
            self.happens(e="credit_note", line=name, qty=data.draw(st.integers(1, 2)))
        else:
            fee_bp = None if one.policy == "resale" else data.draw(st.one_of(st.none(), rates))
            fee = {} if fee_bp is None else {"fee_bp": fee_bp}
            self.happens(e="deliver", line=name, qty=data.draw(st.integers(1, 2)), **fee)

    @rule(data=st.data())
    def another_line_moves_on(self, data):
        self.moves_on(data)

    @rule(data=st.data())
    def and_another(self, data):
        self.moves_on(data)

    def decided(self, name, pieces, spare):
        self.happens(e="allocate", batch="b", **{"yield": max(pieces + spare, 0)}, lines={name: max(pieces, 0)})

    @precondition(lambda self: any(one.deposit and one.delivered for one in self.model.lines.values()))
    @rule(
        member=someone,
        pieces=st.integers(1, 2),
        each=st.sampled_from([50, 100]),
        e=st.sampled_from(["deposit_return", "deposit_return", "deposit_forfeit"]),
    )
    def jars_come_back(self, member, pieces, each, e):
        self.happens(e=e, member=member, qty=pieces, each=each)

    @precondition(lambda self: any(one.delivered for one in self.model.lines.values()))
    @rule(least=st.sampled_from([0, 0, 400]), recoup_bp=rates, hold=st.sampled_from([[], [], ["Mia"]]))
    def makers_are_paid(self, least, recoup_bp, hold):
        self.happens(e="payout_run", min=least, recoup_bp=recoup_bp, hold=hold)

    @precondition(lambda self: self.model.payouts)
    @rule(data=st.data(), e=st.sampled_from(["payout_settled", "payout_settled", "payout_rejected", "payout_returned"]))
    def the_bank_answers(self, data, e):
        fee = {"bank_fee": data.draw(st.integers(0, 300))} if e == "payout_returned" else {}
        self.happens(e=e, payout=data.draw(st.sampled_from(list(self.model.payouts))), **fee)

    @rule(data=st.data())
    def an_event_is_reversed(self, data):
        kinds = {"pay_in", "gift", "goodwill", "cash_refund", "shared_cost", "supplier_paid", "advance", "chargeback"}
        kinds |= {"deliver", "credit_note", "deposit_return", "deposit_forfeit"}
        able = [one for one, (of, _) in self.model.done.items() if of["e"] in kinds]
        self.happens(e="reverse", of=data.draw(st.sampled_from(able)))

    @rule(data=st.data())
    def an_event_is_sent_again(self, data):
        self.player.play(data.draw(st.sampled_from(self.sent)))
        Season.events["again"] += 1
        self.compare()

    @rule(data=st.data(), member=someone, minor=cents)
    def a_key_is_sent_with_another_body(self, data, member, minor):
        key = data.draw(st.sampled_from(self.sent))["id"]
        with pytest.raises(RuleBroken, match="key_reused"):
            self.player.play({"id": "other", "key": key, "e": "goodwill", "member": member, "cents": minor + 10_000})
        Season.events["(other body)"] += 1
        self.compare()

    @rule(nth=st.sampled_from([1, 1, 1, 2, 3, 4, 5]))
    def the_next_event_meets_a_crash(self, nth):
        self.dies_at = nth

    def ends(self):
        """All is fetched, the bank has answered, and the season is closed and its dividend paid, each sent twice, where anybody bought."""
        for name, one in list(self.model.lines.items()):
            if one.state == "ordered":
                self.happens(e="cancel", line=name)
            elif left := one.allocated - one.delivered:
                self.happens(e="deliver", line=name, qty=left)
        for name, (state, _) in list(self.model.payouts.items()):
            if state == "transit":
                self.happens(e="payout_settled", payout=name)
        if not any(one.delivered > one.noted for one in self.model.lines.values()):
            return
        for asked in ({"e": "close", "reserve_bp": 3_333, "cash_bp": 2_000}, {"e": "patronage_pay", "min": 40}):
            self.happens(**asked)
            self.player.play(self.sent[-1])
            self.compare()

    def teardown(self):
        try:
            if self.sent:
                self.ends()
            self.ask_all_rules()
        finally:
            self.made.__exit__(None, None, None)


@pytest.mark.timeout(7_200)
def test_any_season_of_money_ends_where_the_model_does(another_db, full):
    """The long form takes ten thousand steps; what happened how often is told by `-s`."""
    Season.events.clear()
    size = {"max_examples": 130, "stateful_step_count": 100} if full else {"max_examples": 4, "stateful_step_count": 14}
    checks = {
        "suppress_health_check": list(HealthCheck),
        "phases": [Phase.generate],
        "deadline": None,
        "database": None,
    }
    run_state_machine_as_test(lambda: Season(another_db, full=full), settings=settings(**size, **checks))
    print(Season.events, Season.events.total())
    assert not full or Season.events.total() >= 10_000
