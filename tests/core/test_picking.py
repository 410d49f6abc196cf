"""Picking in turns: who takes what, and what keeps an item from being taken."""

from coop.core.picking import Picker, picked
from coop.core.solve import solve

CUPS = {"mug": 1, "bowl": 1, "jug": 2}
VALUES = {"mug": 3, "bowl": 2, "jug": 2}


def test_the_first_listed_of_equally_valued_items_is_taken_and_the_full_are_out():
    pickers = {"Ana": Picker(2, VALUES), "Tomas": Picker(1, {"jug": 1, "mug": 9}), "Vera": Picker(0, VALUES)}
    assert picked(pickers, CUPS, ["Ana", "Tomas", "Vera"], {}) == {"Ana": ["bowl", "mug"], "Tomas": ["jug"], "Vera": []}


def test_items_in_conflict_keep_each_other_out_both_ways():
    pickers = {"Ana": Picker(3, VALUES)}
    assert picked(pickers, CUPS, ["Ana"], {"mug": ["bowl"]}) == {"Ana": ["jug", "mug"]}
    assert picked(pickers, CUPS, ["Ana"], {"bowl": ["mug"], "jug": ["mug"]}) == {"Ana": ["mug"]}
    assert picked({"Ana": Picker(3, VALUES, {"mug"})}, CUPS, ["Ana"], {}) == {"Ana": ["bowl", "jug"]}
    assert picked({"Ana": Picker(3, VALUES, (), {"mug": ["jug"]})}, CUPS, ["Ana"], {}) == {"Ana": ["bowl", "mug"]}


def test_whoever_stands_twice_in_the_order_picks_twice_a_round():
    pickers = {"Ana": Picker(9, VALUES), "Tomas": Picker(9, VALUES)}
    assert picked(pickers, CUPS, ["Ana", "Ana", "Tomas"], {}) == {"Ana": ["bowl", "jug", "mug"], "Tomas": ["jug"]}


def test_solve_reads_the_conflicts_of_an_agent_as_barred_items_or_as_a_table():
    problem = {
        "id": "p",
        "rule": "picking",
        "agents": {
            "Ana": {"capacity": 3, "values": VALUES, "conflicts": ["bowl"]},
            "Tomas": {"capacity": 3, "values": VALUES, "conflicts": {"bowl": ["jug"]}},
        },
        "items": CUPS,
        "order": ["Ana", "Tomas"],
    }
    assert solve(problem) == {"id": "p", "picks": {"Ana": ["jug", "mug"], "Tomas": ["bowl"]}}
