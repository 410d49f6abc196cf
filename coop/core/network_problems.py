"""Reads the problems `leximin_flow` and `picking`, and refuses a malformed one with a code, a sentence and a path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coop.core.errors import RuleBroken
from coop.core.fields import Fields
from coop.core.networks import Network
from coop.core.picking import Picker
from coop.core.tickets import NO_SEED

MOST_MEMBERS = 10_000_000
MOST_PRODUCTS = 100_000
MOST_EDGES = 100_000_000


@dataclass(frozen=True, slots=True)
class FlowProblem:
    """Share out several products together; `order` has the members' ids as they were given."""

    batch_id: str
    seed: bytes
    with_standing: bool
    order: Sequence[str]
    network: Network


@dataclass(frozen=True, slots=True)
class PickingProblem:
    """Let agents pick things in turns."""

    pickers: Mapping[str, Picker]
    things: Mapping[str, int]
    order: Sequence[str]
    thing_conflicts: Mapping[str, Sequence[str]]


def flow_problem(fields: Fields) -> FlowProblem:
    """Read `leximin_flow`; edges of rank 0 or of equal ranks go by the bytes of the product's id."""
    params = fields.inner("params", needed=False)
    params.only(("rounding",))
    rounding = params.choice("rounding", ("webster", "standing"), "webster", "unknown_rounding")
    claims = _by_id(fields, "claims", MOST_MEMBERS, ("id", "weight", "cap"), "claim")
    products = _by_id(fields, "products", MOST_PRODUCTS, ("id", "units"), "product")
    ids, names = sorted(claims, key=str.encode), sorted(products, key=str.encode)
    units = [products[name].whole("units") for name in names]
    weights = [claims[member].whole("weight", 1, least=1) for member in ids]
    limits = [claims[member].whole_or_none("cap") for member in ids]
    wishes = _wishes(fields, ids, names, units)
    wholes = [sum(limit for _, limit in own) for own in wishes]
    caps = [whole if limit is None else limit for limit, whole in zip(limits, wholes, strict=True)]
    network = Network(ids, weights, caps, names, units, wishes)
    seed = fields.hexadecimal("seed", NO_SEED, length=32)
    return FlowProblem(fields.identifier("id"), seed, rounding == "standing", list(claims), network)


def picking_problem(fields: Fields) -> PickingProblem:
    """Read `picking`; `conflicts` of an agent are things barred for it, or a table of things that don't go together."""
    things = _counts(fields.inner("items"))
    pickers = {}
    for agent in _objects(fields.inner("agents")):
        agent.only(("capacity", "values", "conflicts"))
        values = agent.inner("values")
        _known(list(values.values), things, values.path, "item")
        if isinstance(agent.values.get("conflicts"), dict):
            barred, conflicts = frozenset[str](), _conflicts(agent.inner("conflicts"), things)
        else:
            barred, conflicts = frozenset(_names(agent, "conflicts", things) if "conflicts" in agent.values else ()), {}
        pickers[agent.path.removeprefix("agents.")] = Picker(
            agent.whole("capacity"), _counts(values), barred, conflicts
        )
    order = _names(fields, "order", pickers)
    return PickingProblem(pickers, things, order, _conflicts(fields.inner("item_conflicts", needed=False), things))


def _by_id(fields: Fields, name: str, most: int, allowed: Sequence[str], kind: str) -> dict[str, Fields]:
    found: dict[str, Fields] = {}
    for entry in fields.inners(name, most=most):
        entry.only(allowed)
        identifier = entry.identifier("id")
        if identifier in found:
            sentence = f"The {kind} “{identifier}” stands twice; each id once."
            raise RuleBroken(f"duplicate_{kind}", sentence, field=entry.at("id"))
        found[identifier] = entry
    return found


def _wishes(
    fields: Fields, ids: Sequence[str], names: Sequence[str], units: Sequence[int]
) -> list[list[tuple[int, int]]]:
    """Read the edges, by member and in the order of preference; one without a limit reaches as far as the product."""
    members = {member: place for place, member in enumerate(ids)}
    products = {name: place for place, name in enumerate(names)}
    ranked: list[list[tuple[int, int, int]]] = [[] for _ in ids]
    seen: set[tuple[int, int]] = set()
    for edge in fields.inners("edges", most=MOST_EDGES):
        edge.only(("member", "product", "limit", "rank"))
        member = _place(edge, "member", members, "claim")
        product = _place(edge, "product", products, "product")
        if (member, product) in seen:
            sentence = f"The member “{ids[member]}” names the product “{names[product]}” twice; each once."
            raise RuleBroken("duplicate_edge", sentence, field=edge.path)
        seen.add((member, product))
        limit = edge.whole_or_none("limit")
        ranked[member].append((edge.whole("rank", 0), product, units[product] if limit is None else limit))
    return [[(product, limit) for _, product, limit in sorted(wishes)] for wishes in ranked]


def _place(edge: Fields, name: str, places: Mapping[str, int], kind: str) -> int:
    found = edge.text(name)
    _known([found], places, edge.at(name), kind)
    return places[found]


def _objects(fields: Fields) -> list[Fields]:
    """Read an object whose keys are ids and whose values are objects."""
    for name in fields.values:
        Fields({"id": name}, fields.at(name)).identifier("id")
    return [fields.inner(name) for name in fields.values]


def _counts(fields: Fields) -> dict[str, int]:
    return {name: fields.whole(name) for name in fields.values}


def _conflicts(fields: Fields, things: Mapping[str, int]) -> dict[str, list[str]]:
    _known(list(fields.values), things, fields.path, "item")
    return {name: _names(fields, name, things) for name in fields.values}


def _names(fields: Fields, name: str, known: Mapping[str, object]) -> list[str]:
    """Read a list of ids that are defined elsewhere in the problem."""
    values = fields.values.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RuleBroken("not_a_list", f"“{name}” must be a list of ids.", field=fields.at(name))
    _known(values, known, fields.at(name), "agent" if name == "order" else "item")
    return values


def _known(names: Sequence[str], known: Mapping[str, object], path: str, kind: str) -> None:
    for name in names:
        if name not in known:
            raise RuleBroken(f"unknown_{kind}", f"There is no {kind} “{name}” in this problem.", field=path)
