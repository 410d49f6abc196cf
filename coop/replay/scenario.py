"""Read a file of money scenarios: cases with their events, in whole minor units, pieces and basis points."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coop.core.errors import RuleBroken
from coop.core.money import MINOR_EXPONENT

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario: what is agreed, what happens, and what is expected of it, if anything is."""

    id: str
    currency: str
    policy: Mapping[str, Any]
    events: Sequence[Event]
    expected: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Ordered:
    """One line of an order event: its name, who makes it with their parts, pieces, prices and terms."""

    name: str
    makers: tuple[tuple[str, int], ...]
    pieces: int
    unit_minor: int
    deposit_minor: int
    cost_minor: int
    subsidy_minor: int
    tier_bp: int
    model: str
    fee_bp: int
    fee_tax_bp: int
    price_tax_bp: int

    @property
    def terms(self) -> tuple[str, int, int, int]:
        return self.model, self.fee_bp, self.fee_tax_bp, self.price_tax_bp


def read_cases(file: Path) -> dict[str, Any]:
    """Read the file as it stands. Raises `unreadable_file` or `malformed`."""
    try:
        written = json.loads(file.read_text("utf-8"))
    except OSError as wrong:
        raise RuleBroken("unreadable_file", f"{file} cannot be read: {wrong.strerror}.", field="file") from wrong
    except ValueError as wrong:
        raise RuleBroken("malformed", f"{file} is no JSON: {wrong}.", field="file") from wrong
    if not isinstance(written, dict):
        raise RuleBroken("malformed", f"{file} holds no object with `cases`.", field="file")
    return written


def case_of(written: Mapping[str, Any]) -> Case:
    """Read one case. Raises `malformed`, and `unknown_currency` where its decimals are not those of the currency."""
    try:
        currency, exponent = written["currency"], written.get("minor_exponent")
        if exponent is not None and MINOR_EXPONENT.get(currency) != exponent:
            raise RuleBroken("unknown_currency", f"“{currency}” is no currency we know with {exponent} decimals.")
        events = [dict(event) for event in written["events"]]
        for event in events:
            _check_whole(event, f"{written['id']}/{event['id']}/{event['e']}")
        return Case(str(written["id"]), currency, dict(written.get("policy", {})), events, written.get("expected"))
    except (KeyError, TypeError, ValueError) as wrong:
        raise RuleBroken("malformed", f"A case is not of the form that is played: {wrong!r}.") from wrong


def ordered(line: Event, policy: Mapping[str, Any]) -> Ordered:
    """Read a line of an order; what it says of its own terms stands before the case's policy."""
    own = line.get("policy") or {}
    terms: dict[str, Any] = {"model": "agent", "fee_bp": 0, "fee_tax_bp": 0} | dict(policy)
    terms |= {"model": own} if isinstance(own, str) else own
    terms |= {name: line[name] for name in ("fee_bp", "fee_tax_bp") if name in line}
    resale = terms["model"] == "resale"
    return Ordered(
        name=line["line"],
        makers=_makers(line["makers"]),
        pieces=line["qty"],
        unit_minor=line["unit"],
        deposit_minor=line.get("deposit", 0),
        cost_minor=line.get("cost", 0),
        subsidy_minor=line.get("subsidy", 0),
        tier_bp=line.get("tier_bp", 10_000),
        model=terms["model"],
        fee_bp=0 if resale else terms["fee_bp"],
        fee_tax_bp=0 if resale else terms["fee_tax_bp"],
        price_tax_bp=line.get("tax_bp", terms.get("tax_bp", 0)) if resale else 0,
    )


def members_of(case: Case) -> list[str]:
    """Name every member that the case speaks of, in order of appearance."""
    names = [name for event in case.events for name in _members(event)]
    return list(dict.fromkeys(names))


def makers_of(case: Case) -> list[str]:
    """Name every maker that the case speaks of, in order of appearance."""
    names: list[str] = []
    for event in case.events:
        names.extend(name for line in _lines(event) for name, _ in _makers(line["makers"]))
        names.extend([event["maker"]] if event["e"] == "advance" else event.get("hold", []))
    return list(dict.fromkeys(names))


def lines_of(case: Case) -> list[Ordered]:
    """Read every line that any order of the case asks for, each once."""
    found = [ordered(line, case.policy) for event in case.events for line in _lines(event)]
    return list(dict.fromkeys(found))


def _lines(event: Event) -> Sequence[Event]:
    return event["lines"] if event["e"] == "order" else ()


def _members(event: Event) -> list[str]:
    named = [event[name] for name in ("member", "from", "to") if name in event and (name != "to" or "from" in event)]
    return named + [name for name, _ in event.get("among", ())]


def _makers(written: Any) -> tuple[tuple[str, int], ...]:
    if isinstance(written, str):
        return ((written, 10_000),)
    return tuple((str(name), part_bp) for name, part_bp in written if part_bp)


def _check_whole(value: Any, where: str) -> None:
    if isinstance(value, float):
        raise RuleBroken("malformed", f"{where}: amounts, pieces and rates are whole numbers, and {value} is none.")
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_whole(one, where)
