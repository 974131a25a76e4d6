"""Internals of ``skd compare``: which differences count."""

import numpy as np
import pytest

import skd
from skd.cli._compare import Difference, differences, lines


def result(accuracies):
    mean, ci95 = skd.mean_ci95(accuracies)
    options = {"n_way": 5, "n_shot": 1, "n_query": 15, "n_episodes": len(accuracies)}
    provenance = {"data": {"name": "d", "split": "val"}, "episodes": {"sha256": "0"}}
    return skd.EvaluationResult(mean, ci95, np.array(accuracies), options, provenance)


def test_a_model_that_is_a_little_better_in_every_episode_is_better():
    first, second = result([10.0, 50.0, 90.0]), result([11.0, 51.5, 91.0])
    assert second.mean - first.mean < first.ci95  # the intervals overlap
    (pair,) = differences([first, second])
    assert pair.mean == pytest.approx(7 / 6)
    assert lines("ab", [first, second], [pair])[-1].endswith("%  2 is better")
    (reverse,) = differences([second, first])
    assert lines("ba", [second, first], [reverse])[-1].endswith("%  1 is better")


@pytest.mark.parametrize("difference", [(0.3, 0.3), (-0.2, 0.5), (0.0, 0.0), (1.0, np.nan)])
def test_an_interval_that_holds_zero_separates_nothing(difference):
    pair = Difference(1, 0, *difference)
    last = lines("ab", [result([10.0, 20.0])] * 2, [pair])[-1]
    assert last.endswith("these episodes do not separate them")
