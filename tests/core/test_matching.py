"""Whose a receipt may be: the household that most speaks for, and nobody where two are equal."""

from coop.core.matching import Guess, best_guess, name_forms


def test_the_household_with_the_strongest_reasons_is_guessed():
    assert best_guess({1: {"name"}, 2: {"account"}}) == Guess(2, "likely", ("account",))
    assert best_guess({1: {"name", "amount"}, 2: {"name"}}) == Guess(1, "likely", ("name", "amount"))
    assert best_guess({1: {"account", "amount"}, 2: {"name", "amount"}}) == Guess(
        1, "very_likely", ("account", "amount")
    )
    assert best_guess({3: {"amount"}}) == Guess(3, "possible", ("amount",))


def test_where_two_are_equal_nobody_is_guessed():
    assert best_guess({1: {"name"}, 2: {"name"}, 3: {"amount"}}) is None
    assert best_guess({}) is None


def test_names_are_compared_without_case_and_with_the_family_name_behind():
    assert name_forms("RUIZ,  Ana M.") == ("ruiz, ana m", "ana m ruiz")
    assert name_forms("Ana Ruiz") == ("ana ruiz", "ana ruiz")
