"""Rules R1-R12 of the money cases in plain dicts and whole numbers, knowing nothing of the co-op's code; balances are positive on their normal side."""

from collections import defaultdict
from copy import deepcopy

DEBIT = ("bank", "maker_receivable", "maker_advance", "member_receivable", "cogs", "bank_fees", "goodwill")
INCOME, EXPENSE = ("fee_income", "sales_income", "deposit_breakage"), ("cogs", "bank_fees", "goodwill")
MAY_BE_BELOW_ZERO = {"bank", "tax_payable", "reserve", "fee_income", "sales_income", "deposit_breakage", *EXPENSE}
SHORT = {"member_credit": "insufficient_credit", "share_deferred": "insufficient_share", "hardship_fund": "fund_insufficient"}  # fmt: skip
SHORT |= {"deposits": "deposit_exceeds_outstanding", "supplier_payable": "more_than_owed"}
SIMPLE = """
share_release -share_deferred:{member} +member_credit:{member}; share_transfer -share_deferred:{from} +share_deferred:{to};
share_refund -share_deferred:{member} -bank; cash_refund -member_credit:{member} -bank; advance +maker_advance:{maker} -bank;
gift -member_credit:{member} +hardship_fund; goodwill +goodwill +member_credit:{member}; supplier_paid -supplier_payable -bank;
deposit_return -deposits:{member} +member_credit:{member}; deposit_forfeit -deposits:{member} +deposit_breakage
"""
MOVES = {name: moves for name, *moves in map(str.split, SIMPLE.split(";"))}
PAID_IN = {"credit": "member_credit:{member}", "share": "share_deferred:{member}", "capital": "capital:{member}"}
OF_LINE = dict.fromkeys(("deposit", "cost", "tax_bp", "fee_bp", "fee_tax_bp", "subsidy"), 0) | {"tier_bp": 10_000, "policy": ""}  # fmt: skip
PAYMENT = {"payout_settled": ("transit", "settled"), "payout_rejected": ("transit", "rejected"), "payout_returned": ("settled", "returned")}  # fmt: skip


class Refused(Exception):  # noqa: N818 - it is what the model says, no error
    """The event must be refused with one of these codes; no codes at all: with any."""


def refuse(*codes, when):
    if when:
        raise Refused(*codes)


def half_up(amount, parts):
    return (2 * amount + parts) // (2 * parts)


def largest_remainder(total, weights):
    parts = [total * weight // sum(weights) for weight in weights]
    first = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % sum(weights)), n))
    for n in first[: total - sum(parts)]:
        parts[n] += 1
    return parts


class Line:
    """A line of an order: what was agreed, and what stands by now of it on each account."""

    def __init__(self, member, written):
        vars(self).update(OF_LINE | written)
        self.member, self.state, self.stands = member, "ordered", defaultdict(int)
        self.allocated = self.delivered = self.noted = self.fund_handed = self.fund_back = 0
        self.makers = [[self.makers, 10_000]] if isinstance(self.makers, str) else self.makers
        self.own = half_up(self.qty * self.unit * self.tier_bp, 10_000) - self.subsidy

    def change(self, changes, sign):
        for name, more in changes.items():
            setattr(self, name, getattr(self, name) + sign * more)

    def fund(self, pieces):
        return pieces * self.unit - half_up(pieces * self.own, self.qty)

    def target(self):
        """What the pieces kept come to in total (R2, R3, R4): income and tax by account, and each maker's part."""
        gross = (kept := self.delivered - self.noted) * self.unit
        if self.policy == "resale":
            tax, net = half_up(gross * self.tax_bp, 10_000 + self.tax_bp), kept * self.cost
            found = {"sales_income": gross - tax, "tax_payable": tax, "cogs": net}
        else:
            fee = half_up(gross * self.fee_bp, 10_000)
            tax = half_up(fee * self.fee_tax_bp, 10_000 + self.fee_tax_bp)
            found, net = {"fee_income": fee - tax, "tax_payable": tax}, gross - fee
        parts = largest_remainder(net, [part for _, part in self.makers])
        return found | {f"maker:{name}": part for (name, _), part in zip(self.makers, parts, strict=True)}


class Model:
    def __init__(self):
        self.balances, self.lines, self.payouts, self.done, self.reversed = defaultdict(int), {}, {}, {}, set()

    def play(self, event):
        """Change the balances as the event asks. Raises Refused, and then nothing has changed."""
        before, to = deepcopy(vars(self)), PAID_IN.get(event.get("to", "credit"), "reserve")
        written = MOVES.get(event["e"], ["+bank", "+" + to] if event["e"] == "pay_in" else ())
        cents = event["cents"] if "cents" in event else event.get("qty", 0) * event.get("each", 0)
        simple = {name[1:].format_map(event): int(name[0] + str(cents)) for name in written}
        try:
            self.done[event["id"]] = event, self._post(simple) if simple else getattr(self, "_" + event["e"])(event)
            code = () if event["e"] == "reverse" else ("deposit_exceeds_outstanding",)
            refuse(*code, when=any(pieces < 0 for pieces in self.jars().values()))
        except Refused:
            vars(self).update(before)
            raise

    def jars(self):
        """Count the containers that each household has of each deposit: came with pieces, and did not come back."""
        found = defaultdict(int)
        for line in self.lines.values():
            found[line.member, line.deposit] += line.delivered
        for name, (event, _) in self.done.items():
            if event["e"] in {"deposit_return", "deposit_forfeit"} and name not in self.reversed:
                found[event["member"], event["each"]] -= event["qty"]
        return found

    def _post(self, moves, codes=None):
        after = {name: self.balances[name] + minor for name, minor in moves.items()}
        below = {name.split(":")[0] for name, minor in after.items() if minor < 0}
        if short := below - MAY_BE_BELOW_ZERO:
            raise Refused(*(codes if codes is not None else [SHORT[name] for name in short]))
        assert not sum(minor if name.split(":")[0] in DEBIT else -minor for name, minor in moves.items()), moves
        self.balances.update(after)
        return moves

    def _order(self, e):
        lines = {written["line"]: Line(e["member"], written) for written in e["lines"]}
        held = sum(line.qty * (line.unit + line.deposit) for line in lines.values())
        fund = sum(line.fund(line.qty) for line in lines.values())
        self._post({f"member_credit:{e['member']}": fund - held, "hardship_fund": -fund, "order_hold": held})
        self.lines |= lines

    def _cancel(self, e):
        line = self.lines.get(e["line"])
        refuse("too_late", when=line is None or line.state == "decided")
        self._release(line, line.qty, 0)
        line.state = "cancelled"

    def _release(self, line, had, has):
        """Give back what is held for the pieces that a line gets less, or take more (R6, R8)."""
        fund, held = line.fund(had) - line.fund(has), (had - has) * (line.unit + line.deposit)
        self._post({"order_hold": -held, "hardship_fund": fund, f"member_credit:{line.member}": held - fund})

    def _allocate(self, e):
        for name, pieces in e["lines"].items():
            line = self.lines[name]
            refuse("over_allocated", when=pieces > e["yield"])
            refuse("exceeds_order", when=pieces > line.qty)
            refuse("already_delivered", when=line.delivered)
            self._release(line, line.allocated if line.state == "decided" else line.qty, pieces)
            line.state, line.allocated = "decided", pieces

    def _deliver(self, e):
        line, pieces = self.lines[e["line"]], e["qty"]
        refuse("exceeds_allocation", when=pieces > line.allocated - line.delivered)
        line.fee_bp, deposits = e.get("fee_bp", line.fee_bp), pieces * line.deposit
        given = {"order_hold": -pieces * line.unit - deposits, f"deposits:{line.member}": deposits}
        return self._earn(line, given, {"delivered": pieces, "fund_handed": line.fund(line.delivered + pieces) - line.fund_handed})  # fmt: skip

    def _credit_note(self, e):
        line, pieces = self.lines[e["line"]], e["qty"]
        kept = line.delivered - line.noted - pieces
        refuse("exceeds_delivered", when=kept < 0)
        fund = line.fund_handed - line.fund_back - line.fund(kept)
        given = {f"member_credit:{line.member}": pieces * line.unit - fund, "hardship_fund": fund}
        return self._earn(line, given, {"noted": pieces, "fund_back": fund})

    def _earn(self, line, given, changes):
        """Book by difference to what stands; a maker's loss beyond what is owed to it is owed by it (R9)."""
        moves, stood = defaultdict(int, given), line.stands.copy()
        line.change(changes, 1)
        for name, minor in line.target().items():
            more, line.stands[name] = minor - line.stands[name], minor
            if name.startswith("maker:"):
                payable = name.replace("maker", "maker_payable")
                moves[payable] = max(more, -self.balances[payable])
                moves[name.replace("maker", "maker_receivable")] = moves[payable] - more
            else:
                moves[name] += more
        self._post(moves)
        return dict(moves) | {"stood": {name: minor - stood[name] for name, minor in line.stands.items()}, "changes": changes}  # fmt: skip

    def _shared_cost(self, e):
        parts = largest_remainder(e["cents"], [weight for _, weight in e["among"]])
        moves = {f"member_credit:{name}": -part for (name, _), part in zip(e["among"], parts, strict=True)}
        return self._post(moves | {"supplier_payable": e["cents"]})

    def _chargeback(self, e):
        covered = min(e["cents"], self.balances[f"member_credit:{e['member']}"])
        moves = {f"member_credit:{e['member']}": -covered, f"member_receivable:{e['member']}": e["cents"] - covered}
        return self._post(moves | {"bank": -e["cents"] - e["bank_fee"], "bank_fees": e["bank_fee"]})

    def _payout_run(self, e):
        owed_to = [name.partition(":")[2] for name in self.balances if name.startswith("maker_payable:")]
        for maker in sorted(set(owed_to) - set(e["hold"])):
            owed = self.balances[f"maker_payable:{maker}"]
            off = min(owed, self.balances[f"maker_receivable:{maker}"])
            recouped = min(self.balances[f"maker_advance:{maker}"], (owed - off) * e["recoup_bp"] // 10_000)
            if sent := owed - off - recouped:
                sent, recouped = (sent, recouped) if sent >= e["min"] else (0, 0)
            moves = {f"maker_payable:{maker}": -off - recouped - sent, f"maker_receivable:{maker}": -off}
            self._post(moves | {f"maker_advance:{maker}": -recouped, "payout_transit": sent})
            if sent:
                self.payouts[f"{e['id']}:{maker}"] = ["transit", sent]

    def _payout_settled(self, e):
        state, after = PAYMENT[e["e"]]
        payout, fee = self.payouts.get(e["payout"], ["", 0]), e.get("bank_fee", 0)
        refuse("payout_not_in_transit" if state == "transit" else "payout_not_settled", when=payout[0] != state)
        payout[0], sent = after, payout[1]
        taken = {"payout_transit": -sent} if state == "transit" else {"bank": sent - fee, "bank_fees": fee}
        given = "bank" if after == "settled" else f"maker_payable:{e['payout'].partition(':')[2]}"
        self._post(taken | {given: -sent if after == "settled" else sent})

    _payout_rejected = _payout_returned = _payout_settled

    def _close(self, e):
        """Close: the reserve bears a loss, and a surplus is divided by what members kept at full price (R11)."""
        result = sum(self.balances[name] for name in INCOME) - sum(self.balances[name] for name in EXPENSE)
        kept = half_up(result * e["reserve_bp"], 10_000) if result > 0 else result
        bought = defaultdict(int)
        for line in self.lines.values():
            bought[line.member] += (line.delivered - line.noted) * line.unit
        names = sorted(name for name in bought if bought[name] and result > 0)
        parts = largest_remainder(result - kept, [bought[name] for name in names]) if names else ()
        moves = {name: -self.balances[name] for name in INCOME + EXPENSE} | {"reserve": kept}
        for name, part in zip(names, parts, strict=True):
            cash = -(-part * e["cash_bp"] // 10_000)
            moves |= {f"patronage_payable:{name}": cash, f"allocated_equity:{name}": part - cash}
        self._post(moves)

    def _patronage_pay(self, e):
        owed = {name: minor for name, minor in self.balances.items() if name.startswith("patronage_payable:")}
        refuse("not_posted", when=not owed)
        for name, cash in owed.items():
            to = "bank" if cash >= e["min"] else name.replace("patronage_payable", "member_credit")
            self._post({name: -cash, to: -cash if to == "bank" else cash})

    def _reverse(self, e):
        of, moves = self.done[e["of"]]
        refuse("already_reversed", when=e["of"] in self.reversed)
        line = self.lines.get(of.get("line"))
        refuse("exceeds_delivered", when=of["e"] == "deliver" and line.delivered - line.noted < of["qty"])
        self._post({name: -minor for name, minor in moves.items() if name not in {"stood", "changes"}}, codes=())
        for name, minor in moves.get("stood", {}).items():
            line.stands[name] -= minor
        if line:
            line.change(moves["changes"], -1)
        self.reversed.add(e["of"])
