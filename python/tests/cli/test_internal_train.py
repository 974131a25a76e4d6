"""Internals of ``skd train``: durations, and cells of tables."""

from skd._display.durations import duration
from skd.cli import _recipes


def test_durations_are_in_the_unit_that_suits_them():
    durations = [duration(seconds) for seconds in (3.2, 89, 100, 5000, 9000, 4e5)]
    assert durations == ["3 s", "89 s", "2 min", "83 min", "2.5 h", "111 h"]


def test_a_recipe_without_expectation_has_dashes():
    assert _recipes._expected(None) == ("-", "-")
