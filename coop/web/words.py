"""The co-op's words for what the database calls otherwise, with the colour a state is shown in."""

from typing import Final, NamedTuple


class Said(NamedTuple):
    """A state as people say it, and the kind of pill: good, short, wrong, told, now or plain."""

    words: str
    kind: str = ""


ROLES: Final = {
    "member": "member",
    "artisan": "maker",
    "packer": "packer",
    "treasurer": "treasurer",
    "accountant": "accountant",
    "admin": "co-op admin",
}


class RuleSaid(NamedTuple):
    """A rule of sharing out as members are told of it; `how` goes on after "shared out"."""

    name: str
    line: str
    how: str


RULES: Final = {
    "cea/standing@1": RuleSaid(
        "level filling with standing",
        "Everyone is topped up to the same level for each share point. What rounding leaves somebody owed comes first the next time.",
        "to the same level by weight, and whom rounding left short comes first the next time",
    ),
    "cea/webster@1": RuleSaid(
        "level filling, each batch by itself",
        "Everyone is topped up to the same level for each share point. Nothing is remembered from one batch to the next.",
        "to the same level by weight, each batch for itself",
    ),
    "cea/largest_remainder@1": RuleSaid(
        "level filling, largest fraction first",
        "Everyone is topped up to the same level for each share point; the last pieces go to those whom rounding down would cost most.",
        "to the same level by weight, the last pieces to the largest fractions",
    ),
    "proportional/largest_remainder@1": RuleSaid(
        "in proportion to the wishes",
        "Everyone receives the same part of what they wished for. Who asks for more gets more, also when nobody can have all.",
        "in proportion to the wishes",
    ),
    "cel/largest_remainder@1": RuleSaid(
        "equal shortfalls",
        "Everyone is short by the same number of pieces for each share point, so that small wishes may get nothing.",
        "so that everybody is short by the same, by weight",
    ),
    "talmud/largest_remainder@1": RuleSaid(
        "half of each wish first",
        "Up to half of every wish the batch is shared out level; beyond the half, everyone is short by the same.",
        "level up to half of each wish, and equally short beyond it",
    ),
    "priority@1": RuleSaid(
        "first come, first served",
        "The earliest orders are filled first, for as long as there is any. Who orders late may get nothing.",
        "in the order in which the orders came in",
    ),
    "lottery@1": RuleSaid(
        "a draw",
        "Names are drawn, with as many tickets as share points; each gets the whole wish for as long as there is any.",
        "by a draw, with as many tickets as share points",
    ),
    "leximin/webster@1": RuleSaid(
        "together, with alternatives",
        "Members may say what they would take instead. Batches that are linked so are shared out as one, by equal pieces "
        "per share point; each piece is the best liked one that is still possible. What was owed neither counts nor changes.",
        "together with the batches that members named as alternatives, by equal pieces per share point",
    ),
}
"""Each rule that a co-op can choose, in plain words; this is the one place where they stand."""

STATES: Final = {
    "pool": {
        "planned": Said("planned"),
        "open": Said("open for orders", "good"),
        "closed": Said("closed", "short"),
        "allocated": Said("shared out, not yet published", "short"),
        "published": Said("published", "good"),
        "picked_up": Said("picked up", "told"),
    },
    "batch": {
        "planned": Said("planned"),
        "in_work": Said("in work", "told"),
        "reported": Said("yield reported", "good"),
        "released": Said("released", "good"),
    },
    "memory": {
        "rounding": Said("what rounding left owed, over the season"),
        "season": Said("every shortfall, over the season"),
        "none": Said("none"),
    },
    "job": {
        "allocation.compute": Said("Share out a pool"),
        "corrections.compute": Said("Share out a corrected batch"),
        "corrections.publish": Said("Publish a corrected batch"),
        "allocation.publish": Said("Publish a sharing out"),
        "fairness.compute": Said("Work out a fairness report"),
        "payouts.compute": Said("Compute a payout"),
        "payouts.hand_in": Said("Hand a bank file in"),
        "payouts.papers": Said("Lay statements out on paper"),
        "documents.issue": Said("Write members' documents"),
        "documents.paper": Said("Lay a document out on paper"),
        "notices.deliver": Said("Send a mail"),
        "recipes.apply": Said("Order what the recipes of season shares ask for"),
        "pools.close_due": Said("Close pools at their cut-off"),
        "seasons.release_instalments": Said("Turn instalments into credit"),
        "monthly.remind": Said("Remind of monthly payments"),
        "audit.seal": Said("Seal the record of acts"),
        "books.check": Said("Check the books"),
        "jobs.purge": Said("Forget jobs done long ago"),
    },
    "allocation_run": {
        "requested": Said("being worked out", "told"),
        "waiting": Said("waiting for the seed", "told"),
        "proposed": Said("ready to look at", "short"),
        "publishing": Said("being published", "told"),
        "published": Said("published", "good"),
        "failed": Said("went wrong", "wrong"),
        "cancelled": Said("cancelled"),
        "superseded": Said("replaced by a later one"),
    },
    "override": {
        "waiting": Said("waits for a second person", "short"),
        "approved": Said("approved", "good"),
        "refused": Said("refused"),
        "replaced": Said("changed again"),
    },
    "correction": {
        "requested": Said("being worked out", "told"),
        "proposed": Said("ready to look at", "short"),
        "publishing": Said("being published", "told"),
        "published": Said("published", "good"),
        "failed": Said("went wrong", "wrong"),
        "cancelled": Said("put aside"),
    },
    "payout_run": {
        "requested": Said("being worked out", "told"),
        "computed": Said("waits for a second person", "short"),
        "approved": Said("approved, no bank file yet", "short"),
        "file_made": Said("bank file not handed in", "short"),
        "submitting": Said("being handed in", "told"),
        "uncertain": Said("ask the bank", "wrong"),
        "submitted": Said("with the bank", "told"),
        "settled": Said("paid", "good"),
        "partly_returned": Said("some came back", "wrong"),
        "closed": Said("closed", "good"),
        "failed": Said("went wrong", "wrong"),
        "cancelled": Said("called off"),
    },
    "payment": {
        "waits": Said("not sent yet"),
        "sent": Said("on its way", "told"),
        "settled": Said("paid", "good"),
        "returned": Said("came back", "wrong"),
        "refused": Said("refused by the bank", "wrong"),
        "cancelled": Said("called off"),
    },
    "household_file": {
        "waiting": Said("waits for a second person", "short"),
        "withdrawn": Said("withdrawn"),
        "made": Said("with the bank", "told"),
        "paid": Said("paid", "good"),
        "refused": Said("not taken by the bank", "wrong"),
    },
    "statement_wait": {
        "no_account": Said("no account known", "short"),
        "account_rests": Said("account changed: rests", "short"),
    },
    "waits": {
        "": Said("paid now", "good"),
        "nothing_owed": Said("nothing owed"),
        "below_minimum": Said("waits: under the minimum", "short"),
        "no_account": Said("waits: no bank account", "short"),
        "account_changed": Said("waits: account changed", "short"),
        "held": Said("held this time", "short"),
    },
    "confidence": {
        "very_likely": Said("very likely", "good"),
        "likely": Said("likely", "told"),
        "possible": Said("possible", "short"),
    },
    "noted": {
        "refund": Said("the refund to"),
        "supplier_paid": Said("the bill of"),
        "advance": Said("the advance to"),
        "chargeback": Said("the chargeback of"),
        "manual": Said("the entry by hand"),
        "household_paid": Said("the payment to"),
    },
    "decision": {
        "waiting": Said("waits for a second person", "short"),
        "done": Said("done", "good"),
        "withdrawn": Said("taken back"),
    },
    "dividend": {
        "waiting": Said("waits for a second person", "short"),
        "done": Said("decided", "good"),
        "paid": Said("paid out", "good"),
        "withdrawn": Said("taken back"),
    },
    "dividend_part": {
        "waits": Said("not paid out yet", "short"),
        "credited": Said("became credit", "good"),
        "sent": Said("on its way", "told"),
        "settled": Said("paid", "good"),
    },
    "voucher": {
        "waiting": Said("waits for a second person", "short"),
        "done": Said("booked", "good"),
        "withdrawn": Said("taken back"),
    },
    "asked_terms": {
        "waiting": Said("waits for a second person", "short"),
    },
    "bank_details": {
        "waiting": Said("waits for a second person", "short"),
        "withdrawn": Said("taken back"),
    },
    "bank_line": {
        "payout_settled": Said("payout", "good"),
        "payout_returned": Said("payout came back", "wrong"),
        "recorded": Said("recorded by hand", "good"),
        "by_reference": Said("by its reference", "good"),
        "bank_charge": Said("bank charge", "good"),
        "supplier_paid": Said("bill of a supplier", "good"),
        "noted": Said("noted by hand", "good"),
        "came_back": Said("came back", "wrong"),
        "card_payout": Said("from the card provider", "good"),
        "unidentified": Said("whose is not known", "short"),
        "identified": Said("found its household", "good"),
        "unmatched": Said("not matched", "short"),
    },
}


REASONS: Final = {
    "account": "paid from this account before",
    "name": "has this name",
    "amount": "owes just this",
}
"""Why a receipt may be a household's."""

ENTRIES: Final = {
    "credit_paid_in": "Paid in",
    "top_up": "Paid in",
    "share_paid": "Season share paid",
    "instalment": "Season share becomes credit",
    "order": "Held for an order",
    "cancel": "Order taken back",
    "allocation": "Short pieces, back to credit",
    "pickup": "Picked up",
    "reversal": "Put right",
    "credit_note": "Pieces that were bad",
    "early_release": "Season share becomes credit, early",
    "refund": "Credit paid out",
    "refund_prepared": "Credit paid out",
    "goodwill": "A kindness of the co-op",
    "gift": "Given to the hardship fund",
    "returnables_back": "Jars and bottles brought back",
    "shared_cost": "Part of a shared cost",
    "chargeback": "A payment that was taken back",
    "patronage_credited": "Dividend",
    "capital_paid_in": "Capital paid in",
    "buyback": "Bought back by the co-op",
    "surplus": "Dividend, the retained part",
}
"""What an entry is to the household whose credit it moves."""


LATE_SHARES: Final = {
    "full": "costs its full price",
    "refuse": "cannot be taken any more",
    "pools": "costs the part of its price for the pools whose cut-off is still to come",
    "days": "costs the part of its price for the days that are left",
}
"""What a co-op may choose for shares taken after their season began."""

PURPOSES: Final = {
    "share": "season share",
    "credit": "credit",
    "gift": "gift to the fund",
    "capital": "capital",
    "reserve": "gift to the reserve",
}
"""What a payment of a household was for."""

PAYMENTS: Final = {"dividend": "dividend", "buyback": "bought back", "refund": "credit paid back"}
"""What a payment to a household is for."""

RETURNABLES: Final = {
    "out": "Fetched",
    "back": "Brought back",
    "forfeited": "Deposit forfeited",
    "undone": "Put right",
}
"""What moved jars and bottles of a household."""


PAYOUT_ACTS: Final = {
    "request_payouts": "Asked for",
    "compute_payouts": "Worked out",
    "approve_payouts": "Approved",
    "make_bank_file": "Bank file made",
    "begin_submission": "Handing in begun",
    "confirm_submission": "The bank has the file",
    "refuse_submission": "The bank did not accept the file",
    "doubt_submission": "Nobody knows whether the bank has it",
    "payments_done": "Each payment was paid or came back",
    "read_status_report": "Report of the bank read",
    "cancel_payouts": "Called off",
    "try_payouts_again": "Tried again",
    "close_payouts": "Closed",
}
"""What was done to a payout run."""


def act_words(act: str, reason: str = "") -> str:
    """Return how people say an act of a payout run, with the reason that was given."""
    words = PAYOUT_ACTS.get(act, act.replace("_", " ").capitalize())
    return f"{words}: {reason}" if reason else words


FUND: Final = {
    "gift": "A member's gift",
    "gift_received": "A gift",
    "order": "Its part of an order",
    "cancel": "Its part of an order, back",
    "allocation": "Its part of short pieces, back",
    "credit_note": "Its part of bad pieces, back",
    "surplus": "From a year's surplus",
    "reversal": "Put right",
}
"""What moved the hardship fund, without saying whose order it was."""


def fund_words(kind: str) -> str:
    """Return how people say what moved the hardship fund."""
    return FUND.get(kind, kind.replace("_", " "))


MAKER_ENTRIES: Final = {
    "payout_returned": "A payment that came back",
    "payout_rejected": "A payment that the bank refused",
    "set_off": "Taken off earlier against what was owed or advanced",
}


def maker_entry(kind: str) -> str:
    """Return how a maker is told of what moved its account beside sales."""
    return MAKER_ENTRIES.get(kind, "Correction")


def entry_words(kind: str) -> str:
    """Return how people say a kind of entry."""
    return ENTRIES.get(kind, kind.replace("_", " "))


def said(kind: str, state: str) -> Said:
    """Return how people say a state of a pool, a run, a batch."""
    return STATES[kind][state]
