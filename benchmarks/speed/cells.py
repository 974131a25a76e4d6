"""Cells of a grid: SKD against PyTorch for one work each, and the worst of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from speed.report import Target, number
from speed.timing import Sample, median_ratio


@dataclass(frozen=True)
class Cell:
    """The seconds of both sides for one work.

    `layout` is that of PyTorch's images, and `difference` that of the two results, relative to
    the root mean square of theirs.
    """

    name: str
    ours: Sample
    theirs: Sample
    layout: str
    difference: float

    @property
    def ratio(self) -> float:
        """How many times as fast as PyTorch SKD is: the median over the turns."""
        return median_ratio(self.theirs, self.ours)

    def times(self, scale: float) -> str:
        """Render both medians in a unit of which a second has `scale`."""
        return f"{number(scale * self.ours.median)} / {number(scale * self.theirs.median)}"

    def shown_ratio(self, target: Target) -> str:
        """Render the ratio, in bold if it misses the bar."""
        text = f"{self.ratio:.2f}"
        return f"**{text}**" if target.verdict(self.ratio) == "missed" else text

    def content(self) -> dict[str, Any]:
        """Return what the JSON file says of the cell."""
        return {
            "name": self.name,
            "ours": self.ours.values,
            "theirs": self.theirs.values,
            "layout": self.layout,
            "difference": self.difference,
            "ratio": self.ratio,
        }


def worst(cells: Sequence[Cell]) -> Cell:
    """Return the cell with the least ratio."""
    return min(cells, key=lambda cell: cell.ratio)


def verdicts(cells: Sequence[Cell], target: Target) -> str:
    """Say in two sentences which cell is the worst, and how many reach bar and goal."""
    least = worst(cells)
    goal, bar = (sum(cell.ratio >= limit for cell in cells) for limit in (target.goal, target.bar))
    return (
        f"The worst of {len(cells)} cells is {least.name}: {least.ratio:.2f}. "
        f"{bar} reach the bar of {target.bar:g}, and {goal} the goal of {target.goal:g}."
    )
