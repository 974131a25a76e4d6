"""Figures, axes, colours and legends of all displays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

#: Colours of Okabe and Ito, without the yellow, which is too light on white.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK = COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#000000",
)
#: Another number of markers than of colours, so that many pairs differ.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")
HATCHES = ("///", "\\\\\\", "...", "xxx")
LEGEND_POINTS = 36  # space below the axes for tick labels and the axis name

AxesArray = NDArray[np.object_]


def require_matplotlib() -> None:
    """Raise an ImportError that says how to install matplotlib, if it is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install matplotlib") from error


def check_axes(ax: Any, count: int, owner: str) -> list[Axes] | None:
    """Check the given axes, if any, and their number; a single one need not be in a list."""
    require_matplotlib()
    from matplotlib.axes import Axes

    if ax is None:
        return None
    given = list(np.ravel(np.array(ax, dtype=object)))
    if len(given) != count or not all(isinstance(axes, Axes) for axes in given):
        legal = "a matplotlib Axes" if count == 1 else f"{count} matplotlib Axes"
        is_other = len(given) == 1 and not isinstance(given[0], Axes)
        got = type(given[0]).__name__ if is_other else f"{len(given)} objects"
        check.refuse("ax", owner, legal, got, TypeError if is_other else ValueError)
    return given


class Display:
    """Base of displays, which hold data that `plot` draws.

    Attributes
    ----------
    ax_ : Axes, or ndarray of Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.
    """

    ax_: Any
    figure_: Figure | SubFigure

    def _axes(self, ax: Any, count: int, owner: str, size: tuple[float, float]) -> list[Axes]:
        """Return the axes to draw in: the given ones, or those of a new figure."""
        axes = check_axes(ax, count, owner)
        if axes is None:
            import matplotlib.pyplot as plt

            _, created = plt.subplots(1, count, figsize=size, layout="constrained", squeeze=False)
            axes = list(created.ravel())
        self.ax_ = axes[0] if count == 1 else np.array(axes, dtype=object)
        self.figure_ = axes[0].figure
        return axes

    def _panels(
        self, ax: Any, count: int, owner: str, size: tuple[float, float]
    ) -> tuple[list[Axes], AxesArray]:
        """Return axes as a list, and as the array that `plot` returns."""
        axes = self._axes(ax, count, owner, size)
        self.ax_ = np.array(axes, dtype=object)
        return axes, self.ax_


def legend_below(axes: Axes, columns: int = 1) -> None:
    """Put the legend below the axes, where it does not cover data."""
    from matplotlib.transforms import ScaledTranslation

    offset = ScaledTranslation(0, -LEGEND_POINTS / 72, axes.figure.dpi_scale_trans)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=axes.transAxes + offset,
        borderaxespad=0,
        frameon=False,
        ncols=columns,
    )


def draw_histogram(
    axes: Axes, values: NDArray[np.float64], edges: NDArray[np.float64], style: int, label: str
) -> float:
    """Draw the shares of values in bins, in percent, and return the largest.

    Styles differ by more than the colour.
    """
    from matplotlib.colors import to_rgba

    counts, _ = np.histogram(values, edges)
    shares = 100 * counts / len(values)
    colour, line = COLOURS[style % len(COLOURS)], LINES[style % len(LINES)]
    axes.stairs(
        shares,
        edges,
        fill=True,
        facecolor=to_rgba(colour, 0.25),
        edgecolor=to_rgba(colour, 0.45),
        hatch=HATCHES[style % len(HATCHES)],
        linewidth=0,
    )
    axes.stairs(shares, edges, color=colour, linestyle=line, linewidth=1.8, label=label)
    return float(shares.max())
