"""Who may do what: one predicate per right, true only for whom it names. A visitor is `None`, and every right not granted is denied."""

from dataclasses import dataclass
from typing import Final

MEMBER: Final = "member"
ARTISAN: Final = "artisan"
PACKER: Final = "packer"
TREASURER: Final = "treasurer"
ACCOUNTANT: Final = "accountant"
ADMIN: Final = "admin"
ROLES: Final = frozenset({MEMBER, ARTISAN, PACKER, TREASURER, ACCOUNTANT, ADMIN})


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person who is signed in, with the rights they hold now: roles, their household, and the artisans they speak for."""

    person_id: int
    name: str
    household_id: int | None
    roles: frozenset[str]
    artisan_ids: frozenset[int]

    def __post_init__(self) -> None:
        assert self.roles <= ROLES, f"no such role: {self.roles - ROLES}"


def _has(viewer: Viewer | None, *roles: str) -> bool:
    return viewer is not None and not viewer.roles.isdisjoint(roles)


def is_signed_in(viewer: Viewer | None) -> bool:
    """Anyone with a session, whatever their roles."""
    return viewer is not None


def may_order(viewer: Viewer | None) -> bool:
    """A member orders, takes a season share and sees the pools for a household."""
    return viewer is not None and MEMBER in viewer.roles and viewer.household_id is not None


def may_see_household(viewer: Viewer | None, household_id: int) -> bool:
    """A household's orders, awards and balance are its own members' to see, and the treasurer's and admin's."""
    return (viewer is not None and may_order(viewer) and viewer.household_id == household_id) or _has(
        viewer, TREASURER, ADMIN
    )


def may_speak_for(viewer: Viewer | None, artisan_id: int) -> bool:
    """An artisan's own people plan its batches, report its yields and tell its story."""
    return viewer is not None and ARTISAN in viewer.roles and artisan_id in viewer.artisan_ids


def may_report_yield(viewer: Viewer | None, artisan_id: int) -> bool:
    """The artisan reports the yields of its batches; an admin may for one who phones in."""
    return may_speak_for(viewer, artisan_id) or _has(viewer, ADMIN)


def may_see_statement(viewer: Viewer | None, artisan_id: int) -> bool:
    """An artisan's statement is its own, and the treasurer's and admin's to see: no other maker may learn what it earns."""
    return may_speak_for(viewer, artisan_id) or _has(viewer, TREASURER, ADMIN)


def may_see_statements(viewer: Viewer | None) -> bool:
    """Somebody who may see statements at all; whose, `may_see_statement` says."""
    return _has(viewer, ARTISAN, TREASURER, ADMIN)


def may_run_season(viewer: Viewer | None) -> bool:
    """An admin runs seasons, pools, products, artisans, members and notices."""
    return _has(viewer, ADMIN)


def may_attend_assembly(viewer: Viewer | None) -> bool:
    """The members' assembly is for members; an admin prepares it."""
    return may_order(viewer) or _has(viewer, ADMIN)


def may_witness(viewer: Viewer | None) -> bool:
    """Whoever acts for the co-op in some part may be a witness of its draws."""
    return _has(viewer, ARTISAN, PACKER, TREASURER, ADMIN)


def may_share_out(viewer: Viewer | None) -> bool:
    """An admin runs allocations and publishes them."""
    return _has(viewer, ADMIN)


def may_grant_roles(viewer: Viewer | None) -> bool:
    """An admin grants and takes roles; the treasurer cannot."""
    return _has(viewer, ADMIN)


def may_hand_over(viewer: Viewer | None) -> bool:
    """A packer sees the packing lists and ticks hand-overs; an admin may too."""
    return _has(viewer, PACKER, ADMIN)


def may_mend(viewer: Viewer | None) -> bool:
    """Whoever hands over or handles money may put right what was handed over."""
    return _has(viewer, PACKER, TREASURER, ADMIN)


def may_handle_money(viewer: Viewer | None) -> bool:
    """The treasurer records payments and runs payouts; an admin may too."""
    return _has(viewer, TREASURER, ADMIN)


def may_read_books(viewer: Viewer | None) -> bool:
    """The accountant reads the books and changes nothing; the treasurer and the admin may too."""
    return _has(viewer, ACCOUNTANT, TREASURER, ADMIN)


def may_see_names(viewer: Viewer | None) -> bool:
    """In the books the accountant sees everybody by number alone."""
    return _has(viewer, TREASURER, ADMIN)


def may_approve_payout(viewer: Viewer | None, *, asked_by: int, paid_artisans: frozenset[int]) -> bool:
    """A second person approves a payout run: never the one who asked for it, and never one whose own workshop it pays."""
    return (
        viewer is not None
        and may_handle_money(viewer)
        and viewer.person_id != asked_by
        and viewer.artisan_ids.isdisjoint(paid_artisans)
    )


def may_see_health(viewer: Viewer | None) -> bool:
    """Checks of the books and of the jobs are for those who can act on them."""
    return _has(viewer, TREASURER, ADMIN)
