"""Accuracies of heads under one or several distributions of queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from skd import _validation as check
from skd.evaluation import HeadComparison
from skd.plots._figures import COLOURS, MARKERS, Display, check_axes, legend_below

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT_PER_HEAD, HEIGHT = 6.4, 0.42, 1.8  # in inches
SPREAD = 0.36  # of the marks of one head, where 1 is the distance of two heads


class HeadComparisonDisplay(Display):
    """Accuracy of each head with its 95 % interval, for one or several evaluations.

    Two evaluations of the same heads, one with balanced and one with Dirichlet queries, show how
    much of a head's accuracy depends on balanced queries.

    Parameters
    ----------
    comparisons : HeadComparison, or mapping of str to HeadComparison
        Comparison, or comparisons of the same heads by name, such as
        ``{"balanced": ..., "Dirichlet": ...}``; at most 7.

    Attributes
    ----------
    ax_ : Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.

    Examples
    --------
    >>> from skd.plots import HeadComparisonDisplay
    >>> features, labels = np.repeat(np.eye(5), 40, axis=0), np.repeat(np.arange(5), 40)
    >>> options = {"heads": ["nearest_centroid", "bd_cspn"], "n_query": 5, "n_episodes": 20}
    >>> comparisons = {
    ...     name: skd.evaluate_many_features(features, labels, query_distribution=name, **options)
    ...     for name in ("uniform", "dirichlet")
    ... }
    >>> HeadComparisonDisplay(comparisons).plot().get_xlabel()
    'accuracy (%)'
    """

    def __init__(self, comparisons: HeadComparison | Mapping[str, HeadComparison]) -> None:
        self.comparisons = _named(comparisons, "HeadComparisonDisplay")

    @classmethod
    def from_comparisons(
        cls,
        comparisons: HeadComparison | Mapping[str, HeadComparison],
        *,
        ax: Axes | None = None,
    ) -> HeadComparisonDisplay:
        """Draw the results of `skd.evaluate_many` or `skd.evaluate_many_features`.

        Parameters
        ----------
        comparisons : HeadComparison, or mapping of str to HeadComparison
            Comparison, or comparisons of the same heads by name.
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        display : HeadComparisonDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If an argument is not legal, or the comparisons differ in their heads.
        """
        owner = "HeadComparisonDisplay.from_comparisons"
        check_axes(ax, 1, owner)
        display = cls(_named(comparisons, owner))
        display.plot(ax=ax)
        return display

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a row for each head, with a mark and an interval for each comparison.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        axes : Axes
            The axes.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If `ax` is not an Axes.
        """
        heads = list(next(iter(self.comparisons.values())).results)
        size = (WIDTH, HEIGHT + HEIGHT_PER_HEAD * len(heads))
        (axes,) = self._axes(ax, 1, "HeadComparisonDisplay.plot", size)
        count = len(self.comparisons)
        for style, (name, comparison) in enumerate(self.comparisons.items()):
            results = [comparison[head] for head in heads]
            offset = SPREAD * (style - (count - 1) / 2) / max(count - 1, 1)
            axes.errorbar(
                [result.mean for result in results],
                np.arange(len(heads)) + offset,
                xerr=np.nan_to_num([result.ci95 for result in results]),
                fmt=MARKERS[style % len(MARKERS)],
                color=COLOURS[style % len(COLOURS)],
                capsize=3,
                label=name,
            )
        axes.set_yticks(np.arange(len(heads)), heads)
        axes.set(title="Accuracy of heads on the same episodes", xlabel="accuracy (%)")
        axes.set_ylim(len(heads) - 0.5, -0.5)
        axes.grid(axis="x", alpha=0.3)
        legend_below(axes, columns=min(count, 3))
        return axes


def _named(comparisons: Any, owner: str) -> dict[str, HeadComparison]:
    """Return checked comparisons of the same heads, by name."""
    if isinstance(comparisons, HeadComparison):
        first = next(iter(comparisons.results.values()))
        return {str(first.options.get("query_distribution", "accuracy")): comparisons}
    legal = f"a HeadComparison, or a mapping of 1 to {len(COLOURS)} names to them"
    if not isinstance(comparisons, Mapping):
        check.refuse("comparisons", owner, legal, type(comparisons).__name__, TypeError)
    if not 1 <= len(comparisons) <= len(COLOURS):
        check.refuse("comparisons", owner, legal, f"{len(comparisons)} comparisons")
    for name, comparison in comparisons.items():
        if not isinstance(name, str) or not isinstance(comparison, HeadComparison):
            got = f"{name!r}: {type(comparison).__name__}"
            check.refuse("comparisons", owner, legal, got, TypeError)
    heads = {tuple(comparison.results) for comparison in comparisons.values()}
    if len(heads) > 1:
        check.refuse("comparisons", owner, "of the same heads in one order", sorted(heads))
    return dict(comparisons)
