"""What was worked out lately is kept, as much as is told, and the one asked for longest ago goes first."""

from __future__ import annotations

import pytest

from coop.core.recent import Recent


def test_a_result_is_worked_out_once_as_long_as_it_is_among_those_asked_for_last():
    worked_out = []

    def square(number):
        worked_out.append(number)
        return number * number

    recent = Recent(2)
    # 1 and 2 fill it; 1 is asked for again, so 3 drives 2 out, and only 2 is worked out a second time
    assert [recent.of(number, lambda number=number: square(number)) for number in (1, 2, 1, 3, 1, 2)] == [
        1,
        4,
        1,
        9,
        1,
        4,
    ]
    assert worked_out == [1, 2, 3, 2]
    assert len(recent) == 2


def test_what_failed_is_not_kept():
    recent = Recent(2)
    with pytest.raises(ZeroDivisionError):
        recent.of("loaf", lambda: 1 // 0)
    assert recent.of("loaf", lambda: 7) == 7


def test_of_many_only_those_not_kept_are_worked_out_all_in_one_go():
    recent, asked = Recent(3), []

    def squares(numbers):
        def work(places):
            asked.append([numbers[place] for place in places])
            return [numbers[place] ** 2 for place in places]

        return recent.of_many(numbers, work)

    assert squares([2, 3]) == [4, 9]
    assert squares([3, 4, 2]) == [9, 16, 4]
    assert squares([2, 3, 4]) == [4, 9, 16]
    assert asked == [[2, 3], [4]]
    # more than it keeps are told all the same
    assert squares([5, 6, 7, 8]) == [25, 36, 49, 64]
    assert len(recent) == 3
