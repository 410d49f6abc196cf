"""Every right is denied unless a predicate grants it."""

import pytest

from coop.core import roles
from coop.core.roles import ACCOUNTANT, ADMIN, ARTISAN, MEMBER, PACKER, TREASURER, Viewer

RIGHTS = {
    "may_order": (roles.may_order, {MEMBER}),
    "may_see_own_household": (lambda v: roles.may_see_household(v, 1), {MEMBER, TREASURER, ADMIN}),
    "may_see_other_household": (lambda v: roles.may_see_household(v, 2), {TREASURER, ADMIN}),
    "may_speak_for_own": (lambda v: roles.may_speak_for(v, 4), {ARTISAN}),
    "may_speak_for_other": (lambda v: roles.may_speak_for(v, 5), set()),
    "may_report_own_yield": (lambda v: roles.may_report_yield(v, 4), {ARTISAN, ADMIN}),
    "may_report_other_yield": (lambda v: roles.may_report_yield(v, 5), {ADMIN}),
    "may_see_own_statement": (lambda v: roles.may_see_statement(v, 4), {ARTISAN, TREASURER, ADMIN}),
    "may_see_other_statement": (lambda v: roles.may_see_statement(v, 5), {TREASURER, ADMIN}),
    "may_see_statements": (roles.may_see_statements, {ARTISAN, TREASURER, ADMIN}),
    "may_attend_assembly": (roles.may_attend_assembly, {MEMBER, ADMIN}),
    "may_witness": (roles.may_witness, {ARTISAN, PACKER, TREASURER, ADMIN}),
    "may_run_season": (roles.may_run_season, {ADMIN}),
    "may_share_out": (roles.may_share_out, {ADMIN}),
    "may_grant_roles": (roles.may_grant_roles, {ADMIN}),
    "may_hand_over": (roles.may_hand_over, {PACKER, ADMIN}),
    "may_mend": (roles.may_mend, {PACKER, TREASURER, ADMIN}),
    "may_handle_money": (roles.may_handle_money, {TREASURER, ADMIN}),
    "may_read_books": (roles.may_read_books, {ACCOUNTANT, TREASURER, ADMIN}),
    "may_see_names": (roles.may_see_names, {TREASURER, ADMIN}),
    "may_approve_payout": (
        lambda v: roles.may_approve_payout(v, asked_by=99, paid_artisans=frozenset({5})),
        {TREASURER, ADMIN},
    ),
    "may_see_health": (roles.may_see_health, {TREASURER, ADMIN}),
}


def viewer(*held, person_id=1, artisan_ids=(4,)):
    return Viewer(person_id, "Ana", 1, frozenset(held), frozenset(artisan_ids))


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("role", sorted(roles.ROLES))
def test_each_role_holds_its_rights_and_no_other(right, role):
    predicate, holders = RIGHTS[right]
    assert predicate(viewer(role)) is (role in holders)


@pytest.mark.parametrize("right", RIGHTS)
def test_a_visitor_and_a_person_without_roles_have_no_right(right):
    predicate, _ = RIGHTS[right]
    assert predicate(None) is False
    assert predicate(viewer()) is False


def test_every_public_predicate_is_in_the_table():
    named = {name for name in vars(roles) if name.startswith("may_")}
    tabled = {name.replace("_own", "").replace("_other", "") for name in RIGHTS}
    assert {name.replace("_own", "") for name in named} == tabled


def test_a_payout_is_approved_by_a_second_person_with_no_stake_in_it():
    paid = frozenset({4, 5})
    treasurer = viewer(TREASURER, person_id=7, artisan_ids=())
    assert roles.may_approve_payout(treasurer, asked_by=8, paid_artisans=paid)
    assert not roles.may_approve_payout(treasurer, asked_by=7, paid_artisans=paid)
    assert not roles.may_approve_payout(viewer(TREASURER, ARTISAN, person_id=7), asked_by=8, paid_artisans=paid)
    assert not roles.may_approve_payout(viewer(ADMIN, ARTISAN, person_id=7), asked_by=8, paid_artisans=paid)


def test_a_member_without_a_household_orders_nothing():
    assert not roles.may_order(Viewer(1, "Ana", None, frozenset({MEMBER}), frozenset()))


def test_only_a_session_is_signed_in_and_unknown_roles_cannot_be_held():
    assert roles.is_signed_in(viewer())
    assert not roles.is_signed_in(None)
    with pytest.raises(AssertionError):
        viewer("owner")
