"""The accuracies of heads, balanced next to Dirichlet."""

import numpy as np
import pytest

import skd
from skd.plots import HeadComparisonDisplay

HEADS = ["nearest_centroid", "bd_cspn"]


@pytest.fixture
def comparisons(rng):
    labels = np.repeat(np.arange(5), 40)
    features = np.eye(5)[labels] + rng.normal(0, 0.5, (200, 5))
    return {
        name: skd.evaluate_many_features(
            features, labels, heads=HEADS, query_distribution=name, n_query=6, n_episodes=20
        )
        for name in ("uniform", "dirichlet")
    }


def test_each_head_has_a_mark_for_each_distribution(comparisons):
    display = HeadComparisonDisplay.from_comparisons(comparisons)
    axes = display.ax_
    assert [label.get_text() for label in axes.get_yticklabels()] == HEADS
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(comparisons)
    for container, comparison in zip(axes.containers, comparisons.values(), strict=True):
        means = np.array(container.lines[0].get_xdata(), dtype=float)
        np.testing.assert_allclose(means, [comparison[head].mean for head in HEADS])


def test_a_single_comparison_is_named_after_its_distribution(comparisons):
    display = HeadComparisonDisplay(comparisons["dirichlet"])
    assert list(display.comparisons) == ["dirichlet"]


@pytest.mark.parametrize("wrong", [{}, 3, {"a": 3}])
def test_other_things_are_refused_by_name(wrong):
    with pytest.raises((TypeError, ValueError), match="'comparisons'"):
        HeadComparisonDisplay.from_comparisons(wrong)


def test_comparisons_of_other_heads_are_refused(comparisons):
    first = comparisons["uniform"]
    fewer = skd.HeadComparison({"bd_cspn": first["bd_cspn"]}, "bd_cspn")
    with pytest.raises(ValueError, match=r"'comparisons'.*same heads"):
        HeadComparisonDisplay({"a": first, "b": fewer})
