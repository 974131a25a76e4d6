"""Accuracies of models by data sets by heads, with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from skd import _validation as check
from skd.evaluation import ComparisonMatrix
from skd.plots._figures import COLOURS, MARKERS, AxesArray, Display, check_axes, legend_below

WIDTH, HEIGHT = 4.4, 4.2
SPREAD = 0.5  # of the heads of a model, in units of the distance of models


class ComparisonDisplay(Display):
    """Accuracies with 95 % intervals, a panel for each data set and a colour for each head.

    Parameters
    ----------
    matrix : ComparisonMatrix
        Result of `skd.compare`.

    Attributes
    ----------
    ax_ : ndarray of shape (n_data,) of Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.

    Examples
    --------
    >>> from skd.plots import ComparisonDisplay
    >>> heads = ["ridge", "nearest_centroid"]
    >>> features = np.repeat(np.eye(5), 4, axis=0), np.repeat(np.arange(5), 4)
    >>> found = skd.evaluate_many_features(*features, heads=heads, n_query=3, n_episodes=3)
    >>> display = ComparisonDisplay(skd.ComparisonMatrix({"data": {"model": found}}))
    >>> display.plot()[0].get_title()
    'data'
    """

    def __init__(self, matrix: ComparisonMatrix) -> None:
        self.matrix = check.instance(matrix, "matrix", "ComparisonDisplay", ComparisonMatrix)

    @classmethod
    def from_matrix(cls, matrix: ComparisonMatrix, *, ax: Any = None) -> ComparisonDisplay:
        """Draw the accuracies of a matrix.

        Parameters
        ----------
        matrix : ComparisonMatrix
            Result of `skd.compare`.
        ax : array-like of Axes, optional
            Axes to draw in, one for each data set; by default in a new figure.

        Returns
        -------
        display : ComparisonDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If an argument is not legal.
        """
        owner = "ComparisonDisplay.from_matrix"
        check_axes(None, 1, owner)
        check.instance(matrix, "matrix", owner, ComparisonMatrix)
        check_axes(ax, len(matrix.data), owner)
        display = cls(matrix)
        display.plot(ax=ax)
        return display

    def plot(self, ax: Any = None) -> AxesArray:
        """Draw the accuracies.

        Parameters
        ----------
        ax : array-like of Axes, optional
            Axes to draw in, one for each data set; by default in a new figure.

        Returns
        -------
        axes : ndarray of shape (n_data,) of Axes
            Axes, one for each data set.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If `ax` does not hold one Axes for each data set.
        """
        matrix = self.matrix
        count = len(matrix.data)
        axes, result = self._panels(ax, count, "ComparisonDisplay.plot", (WIDTH * count, HEIGHT))
        places = np.arange(len(matrix.models), dtype=np.float64)
        offsets = np.linspace(-SPREAD / 2, SPREAD / 2, len(matrix.heads) + 2)[1:-1]
        for panel, data in zip(axes, matrix.data, strict=True):
            for number, head in enumerate(matrix.heads):
                found = [matrix[data, model, head] for model in matrix.models]
                panel.errorbar(
                    places + offsets[number],
                    [one.mean for one in found],
                    [np.nan_to_num(one.ci95) for one in found],
                    color=COLOURS[number % len(COLOURS)],
                    marker=MARKERS[number % len(MARKERS)],
                    linestyle="none",
                    capsize=3,
                    label=head,
                )
            panel.set_xticks(places, [_two_lines(model) for model in matrix.models])
            panel.set(title=data, ylabel="accuracy (%)", xlabel="model")
            panel.set_xlim(-0.6, len(places) - 0.4)
            legend_below(panel)
        return result


def _two_lines(name: str) -> str:
    """Return the end of a long name, which tells paths apart."""
    return name if len(name) <= 24 else f"...{name[-21:]}"
