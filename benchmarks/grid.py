"""Whole networks by SKD and by PyTorch: a grid of networks, images, batches and threads.

    python benchmarks/grid.py                      # benchmarks/results/grid_NAME.{json,md}
    python benchmarks/grid.py --only widths channels --turns 3

Each row is a supervised training step and an embedding. Both sides first compute the features, or
the loss and its gradients, from the same weights and images; times are taken if they agree.
PyTorch runs eagerly in the layout that is the faster one for the row. It needs torch; run it on an
idle machine. NAME is the instruction set of the library.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

import skd
from speed.cells import Cell, verdicts, worst
from speed.digests import difference
from speed.machine import Machine
from speed.report import Target, markdown_table, shown_command, write_report
from speed.timing import take_turns
from speed.worker import Contestant, Task
from speed.works import Kind, Network, Work

ROOT = Path(__file__).resolve().parents[1]
KINDS = (Kind.SUPERVISED, Kind.EMBED)
TARGET = Target(1.2, 2)
TOLERANCES = {Kind.SUPERVISED: 3e-2, Kind.EMBED: 1e-4}
# Biases before a batch norm have gradients that are 0 but for rounding.
GRADIENT_FLOOR = 1e-3


@dataclass(frozen=True)
class Row:
    """A network and a batch of its images."""

    network: Network
    size: int
    batch: int
    threads: int = 2

    @property
    def works(self) -> list[Work]:
        """Works of the row."""
        return [Work(kind, self.size, self.batch, network=self.network) for kind in KINDS]


def of_widths(*widths: int) -> Network:
    """Return a ResNet-12 of other widths."""
    return Network(widths=widths)


RESNET12 = Network()
GROUPS: dict[str, tuple[Row, ...]] = {
    "batches": tuple(Row(RESNET12, 32, batch) for batch in (64, 8, 2, 1)),
    "sizes": (
        Row(RESNET12, 48, 16),
        Row(RESNET12, 64, 16),
        Row(RESNET12, 84, 8),
        Row(RESNET12, 128, 4),
        Row(RESNET12, 224, 1),
    ),
    "widths": (
        Row(of_widths(32, 64, 128, 256), 32, 64),
        Row(of_widths(40, 80, 160, 320), 32, 64),
        Row(of_widths(24, 48, 96, 192), 32, 64),
        Row(of_widths(16, 16, 24, 32), 32, 64),
        Row(of_widths(32, 80, 160, 320), 84, 16),
        Row(of_widths(16, 32, 64, 128), 84, 16),
    ),
    "networks": (
        Row(Network("seresnet12"), 32, 32),
        Row(Network("convnet4"), 32, 64),
        Row(Network("convnet4"), 84, 16),
        Row(Network("wrn_28_10"), 32, 4),
    ),
    "channels": (
        Row(Network(channels=1), 32, 32),
        Row(Network(channels=4), 32, 32),
    ),
    "one thread": (
        Row(RESNET12, 32, 8, threads=1),
        Row(RESNET12, 84, 2, threads=1),
        Row(of_widths(40, 80, 160, 320), 32, 16, threads=1),
        Row(of_widths(16, 16, 24, 32), 32, 16, threads=1),
        Row(Network("convnet4"), 32, 16, threads=1),
    ),
}
HEADINGS = (
    "network",
    "images",
    "threads",
    "step, ms, SKD / PyTorch",
    "ratio",
    "embed, ms, SKD / PyTorch",
    "ratio",
)


def measured(rows: Sequence[Row], threads: int, turns: int) -> Iterator[Cell]:
    """Measure rows of one number of threads, each side in a process of its own, in turns."""
    works = [work for row in rows for work in row.works]
    tasks = [Task(side, works[0], threads) for side in ("skd", "faster torch")]
    with Contestant(tasks[0]) as first, Contestant(tasks[1]) as second:
        for work in works:
            yield compared(work, threads, first, second, turns)


def compared(work: Work, threads: int, first: Contestant, second: Contestant, turns: int) -> Cell:
    """Compare the results of both sides for a work, then time them in turns."""
    for contestant in (first, second):
        contestant.take(work)
    floor = GRADIENT_FLOOR if work.kind is Kind.SUPERVISED else 0.0
    value = difference(first.agreed(), second.agreed(), floor=floor)
    if not value < TOLERANCES[work.kind]:
        raise RuntimeError(f"The results of {work.name} differ by {value}.")
    layout = second.prepare()
    ours, theirs = take_turns([first.seconds, second.seconds], turns)
    name = work.name if threads > 1 else f"{work.name}, 1 thread"
    cell = Cell(name, ours, theirs, layout, value)
    print(f"{name} | {cell.times(1000)} | {cell.ratio:.2f} | {layout} | {value:.1e}", flush=True)
    return cell


@dataclass(frozen=True)
class Report:
    """All that was measured, and how."""

    command: str
    turns: int
    machine: Machine
    rows: Sequence[Row]
    cells: Sequence[Cell]

    @property
    def software(self) -> str:
        """The libraries and their versions."""
        return f"skd {skd.__version__}, PyTorch {torch.__version__}"

    def lines(self) -> list[str]:
        """Render it."""
        largest = {
            kind: max(cell.difference for cell in self.cells[place :: len(KINDS)])
            for place, kind in enumerate(KINDS)
        }
        contiguous = [cell.name for cell in self.cells if cell.layout != "channels_last"]
        return [
            "# Whole networks by SKD and by PyTorch",
            "",
            f"`{self.command}`, turns: {self.turns}; {self.software};",
            f"{self.machine}.",
            "",
            verdicts(self.cells, TARGET),
            "",
            "A step is a supervised one: forward, cross-entropy, backward, SGD. Times are medians",
            "over the turns; the ratio, how many times as fast as PyTorch SKD is, is the median of",
            "the ratios of the turns, and in bold below the bar. Before, both sides computed the",
            "same from the same weights: the root mean square of the features differed by at most",
            f"{largest[Kind.EMBED]:.0e}, that of any gradient by {largest[Kind.SUPERVISED]:.0e}:",
            "where rounding changes the sign of an activation, a gradient changes too.",
            f"PyTorch's images are channels_last, and contiguous where that is faster: "
            f"{'; '.join(contiguous) or 'nowhere'}.",
            "",
            *markdown_table(HEADINGS, [self.shown(place) for place in range(len(self.rows))]),
        ]

    def shown(self, place: int) -> list[str]:
        """Render a row."""
        row = self.rows[place]
        cells = self.cells[place * len(KINDS) : (place + 1) * len(KINDS)]
        shown = [f"{row.network.name}", f"{row.size} px x {row.batch}", f"{row.threads}"]
        for cell in cells:
            shown += [cell.times(1000), cell.shown_ratio(TARGET)]
        return shown

    def write(self, folder: Path) -> None:
        """Write `grid_NAME.json` and `grid_NAME.md`."""
        content = {
            "command": self.command,
            "software": self.software,
            "machine": asdict(self.machine),
            "turns": self.turns,
            "bar": TARGET.bar,
            "goal": TARGET.goal,
            "worst": worst(self.cells).name,
            "cells": [cell.content() for cell in self.cells],
        }
        name = skd.instruction_set().lower().replace("-", "")
        write_report(folder, f"grid_{name}", content, self.lines())


def main() -> None:
    """Measure the rows that were asked for and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--turns", type=int, default=5, help="that count, of each cell")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    if options.turns < 1:
        parser.error("--turns must be at least 1")
    rows = [row for group in options.only for row in GROUPS[group]]
    rows.sort(key=lambda row: -row.threads)
    cells = []
    for threads in sorted({row.threads for row in rows}, reverse=True):
        cells += measured([row for row in rows if row.threads == threads], threads, options.turns)
    machine = Machine.this({row.threads for row in rows})
    Report(shown_command(sys.argv), options.turns, machine, rows, cells).write(options.output)


if __name__ == "__main__":
    main()
