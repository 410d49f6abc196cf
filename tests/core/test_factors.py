"""Codes that count once and not for long, recovery codes as people type them, and rights that wait for a second factor."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core import factors, roles
from coop.core.roles import Viewer
from coop.formats import codes

RFC_SECRET = b"12345678901234567890"
RFC_CODES = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"}  # fmt: skip
"""RFC 6238, appendix B, for SHA-1; its eight digits end in these six."""


@pytest.mark.parametrize(("second", "code"), RFC_CODES.items())
def test_codes_are_those_of_the_standard(second, code):
    assert codes.code_at(RFC_SECRET, second) == code


@given(now=st.integers(10, 10**9), given_for=st.integers(-5, 5), used=st.integers(-5, 5))
def test_a_code_counts_one_step_around_its_own_and_only_after_the_last_one_used(now, given_for, used):
    step = factors.accepted_step(lambda one: one == now + given_for, now=now, used=now + used)
    assert (step is not None) == (abs(given_for) <= 1 and given_for > used)
    assert step in {None, now + given_for}


@given(now=st.integers(10, 10**9), used=st.integers(-5, 5))
def test_the_step_that_is_offered_is_one_that_is_accepted(now, used):
    step = factors.next_step(now=now, used=now + used)
    if step is None:
        assert used >= 1  # all that could count were used
    else:
        assert factors.accepted_step(lambda one: one == step, now=now, used=now + used) == step


def test_a_code_is_the_same_however_it_is_typed():
    assert factors.written_code("ABCDE01234") == "ABCDE-01234"
    for typed in ("ABCDE-01234", "abcde 01234", "abcdeO1234", "ABCDEoI234", " abcde\u2013ol234 "):
        assert factors.plain_code(typed) == "ABCDE01234"
    assert factors.plain_code("123 456") == "123456"


def test_recovery_codes_have_no_letters_that_are_misread():
    assert set("ILOU").isdisjoint(factors.RECOVERY_LETTERS)
    assert len(set(factors.RECOVERY_LETTERS)) == 32


ALL = sorted(roles.ROLES)


@pytest.mark.parametrize("held", [frozenset(r for r, on in zip(ALL, chosen, strict=True) if on) for chosen in product((0, 1), repeat=len(ALL))])  # fmt: skip
@pytest.mark.parametrize("is_paid", [False, True])
def test_without_a_second_factor_no_right_over_money_or_roles_counts(held, is_paid):
    viewer = Viewer(1, "Ana", 5 if "member" in held else None, held, frozenset({3} if "artisan" in held else ()))
    left = factors.rights_without_factor(viewer, is_paid=is_paid)
    assert left.roles == held - {"treasurer", "admin"} - ({"artisan"} if is_paid else set())
    assert left.artisan_ids == (viewer.artisan_ids if "artisan" in left.roles else frozenset())
    assert (left.person_id, left.name, left.household_id) == (1, "Ana", viewer.household_id)
