"""Rows of the comparison, and how they are written: JSON and Markdown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from speed.timing import Sample, median_ratio


class Unit(Enum):
    """What the values of a row are, and how they are shown."""

    SECONDS = "ms"
    SECONDS_PER_IMAGE = "images/s"
    BYTES = "MB"

    def shown(self, sample: Sample) -> Sample:
        """Return a sample in the unit that the table shows."""
        changes: dict[Unit, Callable[[float], float]] = {
            Unit.SECONDS: lambda seconds: 1000 * seconds,
            Unit.SECONDS_PER_IMAGE: lambda seconds: 1 / seconds,
            Unit.BYTES: lambda count: count / 1e6,
        }
        return sample.scaled(changes[self])


@dataclass(frozen=True)
class Target:
    """What a ratio must reach."""

    bar: float
    goal: float

    @property
    def smaller_is_better(self) -> bool:
        """Whether ratios below the bar meet it, as for memory."""
        return self.goal < self.bar

    def verdict(self, ratio: float) -> str:
        """Say whether a ratio meets the goal, the bar, or neither."""
        sign = -1 if self.smaller_is_better else 1
        if sign * ratio >= sign * self.goal:
            return "goal"
        return "bar" if sign * ratio >= sign * self.bar else "missed"

    def __str__(self) -> str:
        """Return bar and goal as a table says them."""
        return f"{self.bar:g} ({self.goal:g})"


@dataclass(frozen=True)
class Result:
    """One measured row.

    `ratio` is how many times better SKD is than the other, or for memory how many times the other's
    it takes: the median over the turns. Bars stand for elapsed time on an idle machine: what was
    taken by another clock is not judged.
    """

    group: str
    work: str
    threads: int
    against: str
    unit: Unit
    ours: Sample
    theirs: Sample
    target: Target
    flops: int | None = None
    peak_gflops: float | None = None
    judged: bool = True

    @property
    def ratio(self) -> float:
        """Median of the ratios, turn by turn."""
        if self.target.smaller_is_better:
            return median_ratio(self.ours, self.theirs)
        return median_ratio(self.theirs, self.ours)

    @property
    def verdict(self) -> str:
        """Whether goal or bar is met."""
        return self.target.verdict(self.ratio) if self.judged else "not judged"

    def gflops(self, sample: Sample) -> float | None:
        """Return the rate of a contestant, in operations of direct convolution."""
        return None if self.flops is None else self.flops / sample.median / 1e9

    def rates(self) -> str:
        """Render the rates of both and their shares of the peak."""
        cells = []
        for sample in (self.ours, self.theirs):
            rate = self.gflops(sample)
            if rate is None or self.peak_gflops is None:
                return "-"
            cells.append(f"{rate:.0f} ({rate / self.peak_gflops:.0%})")
        return " / ".join(cells)

    def cells(self) -> tuple[str, ...]:
        """Render the row."""
        return (
            self.work,
            str(self.threads),
            spread(self.unit.shown(self.ours)) + f" {self.unit.value}",
            spread(self.unit.shown(self.theirs)) + f" {self.unit.value}",
            self.against,
            f"{self.ratio:.2f}",
            str(self.target),
            self.verdict,
            self.rates(),
        )

    def content(self) -> dict[str, Any]:
        """Return what the JSON file says of the row."""
        rates = {"ours": self.gflops(self.ours), "theirs": self.gflops(self.theirs)}
        return {
            **asdict(self),
            "unit": "bytes" if self.unit is Unit.BYTES else "seconds",
            "ours": self.ours.values,
            "theirs": self.theirs.values,
            "ratio": self.ratio,
            "verdict": self.verdict,
            "gflops": rates,
        }


HEADINGS = (
    "work",
    "threads",
    "SKD",
    "other",
    "which other",
    "ratio",
    "bar (goal)",
    "met",
    "GFLOP/s (of peak), SKD / other",
)


def number(value: float) -> str:
    """Render a number with three digits at least, and no more than one behind the point."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(sample: Sample) -> str:
    """Render median and range."""
    return f"{number(sample.median)} ({number(sample.least)}-{number(sample.most)})"


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Render a table, one line for each row."""
    rule = ["---"] * len(headings)
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]


def write_report(folder: Path, name: str, content: dict[str, Any], lines: Sequence[str]) -> None:
    """Write `name`.json and `name`.md into a folder, which is made if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    (folder / f"{name}.md").write_text("\n".join(lines) + "\n")


def shown_command(words: Sequence[str]) -> str:
    """Return a command as a report shows it: of a path outside the repository, the name alone.

    Parameters
    ----------
    words : sequence of str
        Such as `sys.argv`: the script and its arguments.
    """
    script, *arguments = words
    names = [Path(word).name if Path(word).is_absolute() else word for word in arguments]
    return shlex.join(["python", f"benchmarks/{Path(script).name}", *names])
