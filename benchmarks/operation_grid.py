"""Every function of `skd.ops` and `skd.losses` against PyTorch, at ten shapes or more each.

    python benchmarks/operation_grid.py            # benchmarks/results/operations_NAME.{json,md}
    python benchmarks/operation_grid.py --only ops.conv2d losses.cross_entropy --turns 3

Both sides first compute the same results from the same arguments; times are taken if they agree.
SKD is called as users do, from NumPy arrays and with its checks. PyTorch runs eagerly, without
autograd where an operator computes the gradient, in the layout that is the faster one for the
shape. It needs torch; run it on an idle machine. NAME is the instruction set of the library.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

import skd
from speed.cells import Cell, verdicts, worst
from speed.digests import difference
from speed.machine import Machine
from speed.operation_worker import OperationContestant
from speed.operations import FUNCTIONS, RANDOM, cases
from speed.report import Target, markdown_table, shown_command, write_report
from speed.timing import Sample, in_turns

ROOT = Path(__file__).resolve().parents[1]
TARGET = Target(1, 2)
TOLERANCE = 1e-3
RANDOM_TOLERANCE = 0.4  # of the share of ones among some ten thousand draws
HEADINGS = ("shape", "SKD / PyTorch, us", "ratio", "layout of PyTorch")


def measured(
    function: str, first: OperationContestant, second: OperationContestant, turns: int
) -> list[Cell]:
    """Compare the results of both sides for all shapes, then time them in turns."""
    ours, _ = first.take(function)
    theirs, layouts = second.take(function)
    differences = []
    for case, mine, other in zip(cases(function), ours, theirs, strict=True):
        # PyTorch returns no statistics where SKD returns those that it was given.
        value = difference(mine[: len(other)], other)
        if not value < (RANDOM_TOLERANCE if function in RANDOM else TOLERANCE):
            raise RuntimeError(f"The results of {case.name} differ by {value}.")
        differences.append(value)
    by_turn = in_turns([first.seconds, second.seconds], turns)
    samples = [map(Sample, zip(*side, strict=True)) for side in by_turn]
    names = [case.name for case in cases(function)]
    return list(map(Cell, names, *samples, layouts, differences))


@dataclass(frozen=True)
class Report:
    """All that was measured, and how."""

    command: str
    threads: int
    turns: int
    machine: Machine
    cells: dict[str, Sequence[Cell]]

    @property
    def all_cells(self) -> list[Cell]:
        """Cells of all functions."""
        return [cell for cells in self.cells.values() for cell in cells]

    @property
    def software(self) -> str:
        """The libraries and their versions."""
        return f"skd {skd.__version__}, PyTorch {torch.__version__}"

    def lines(self) -> list[str]:
        """Render it."""
        exact = [
            c.difference for name in self.cells if name not in RANDOM for c in self.cells[name]
        ]
        largest = max(exact, default=0.0)
        lines = [
            "# Operations by SKD and by PyTorch",
            "",
            f"`{self.command}`, turns: {self.turns}, threads: {self.threads}; {self.software};",
            f"{self.machine}.",
            "",
            verdicts(self.all_cells, TARGET),
            "",
            "Times are medians over the turns, of a call; the ratio, how many times as fast as",
            "PyTorch SKD is, is the median of the ratios of the turns, and in bold below the bar.",
            "Losses include their gradients. Before, both sides computed the same from the same",
            f"arguments, with a root mean square difference of at most {largest:.0e}. Masks are",
            "drawn by different generators, and their shares of ones agreed. The function",
            "`drop_block_gamma`, which computes one number, is left out.",
        ]
        for function, cells in self.cells.items():
            start = len(function) + 2
            rows = [
                (cell.name[start:], cell.times(1e6), cell.shown_ratio(TARGET), cell.layout)
                for cell in cells
            ]
            lines += ["", f"## {function}", "", *markdown_table(HEADINGS, rows)]
        return lines

    def write(self, folder: Path) -> None:
        """Write `operations_NAME.json` and `operations_NAME.md`."""
        content = {
            "command": self.command,
            "software": self.software,
            "machine": asdict(self.machine),
            "threads": self.threads,
            "turns": self.turns,
            "bar": TARGET.bar,
            "goal": TARGET.goal,
            "worst": worst(self.all_cells).name,
            "cells": [cell.content() for cell in self.all_cells],
        }
        name = skd.instruction_set().lower().replace("-", "")
        write_report(folder, f"operations_{name}", content, self.lines())


def main() -> None:
    """Measure the functions that were asked for and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", choices=FUNCTIONS, default=list(FUNCTIONS), metavar="FUNCTION"
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--turns", type=int, default=5, help="that count, of each function")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    if not 1 <= options.threads <= 256 or options.turns < 1:
        parser.error("--threads must be in 1..256 and --turns at least 1")
    by_function: dict[str, Sequence[Cell]] = {}
    with (
        OperationContestant("skd", options.threads) as first,
        OperationContestant("torch", options.threads) as second,
    ):
        for function in options.only:
            cells = measured(function, first, second, options.turns)
            by_function[function] = cells
            for cell in cells:
                print(f"{cell.name} | {cell.times(1e6)} | {cell.ratio:.2f}", flush=True)
    command, machine = shown_command(sys.argv), Machine.this({options.threads})
    Report(command, options.threads, options.turns, machine, by_function).write(options.output)


if __name__ == "__main__":
    main()
