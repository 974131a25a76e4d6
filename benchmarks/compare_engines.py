"""Embedding by SKD and by other inference engines, in turns on one machine.

    python benchmarks/compare_engines.py                 # benchmarks/results/engines_NAME.{json,md}
    python benchmarks/compare_engines.py --turns 3 --only "ONNX Runtime" OpenVINO
    python benchmarks/compare_engines.py --readme        # also the table of the README

All engines get the same weights and images and compute in float32; their features are compared
before any time is taken. It needs torch, onnx, onnxruntime, openvino, ncnn and pnnx from PyPI, in
an environment of their own. Run it on an idle machine. NAME is the instruction set of the library.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import skd
from speed.engines import ENGINES
from speed.machine import Machine
from speed.readme import EMBEDDING
from speed.report import Target, markdown_table, number, shown_command, spread, write_report
from speed.timing import Sample, median_ratio, take_turns
from speed.worker import Contestant, Task
from speed.works import Kind, Work

ROOT = Path(__file__).resolve().parents[1]
WORKS = {
    Work(Kind.EMBED, 32, 1): Target(1.4, 2),
    Work(Kind.EMBED, 32, 64): Target(2.2, 3),
    Work(Kind.EMBED, 84, 1): Target(1.5, 2),
    Work(Kind.EMBED, 84, 64): Target(2, 2.5),
}
PACKAGES = ("onnxruntime", "openvino", "ncnn", "torch", "numpy")
TOLERANCE = 1e-4  # of the features, whose largest are about 1


@dataclass(frozen=True)
class Row:
    """The times of all engines for one work, in seconds."""

    work: Work
    samples: dict[str, Sample]
    difference: dict[str, float]

    @property
    def best(self) -> tuple[str, float]:
        """The fastest of the others, and how many times as fast as it SKD is."""
        ratios = {
            name: median_ratio(sample, self.samples["SKD"])
            for name, sample in self.samples.items()
            if name != "SKD"
        }
        return min(ratios.items(), key=lambda pair: pair[1])

    def cells(self) -> list[str]:
        """Render the row."""
        name, ratio = self.best
        target = WORKS[self.work]
        times = [spread(sample.scaled(lambda s: 1000 * s)) for sample in self.samples.values()]
        return [self.work.name, *times, name, f"{ratio:.2f}", str(target), target.verdict(ratio)]


def measured(work: Work, engines: list[str], threads: int, turns: int) -> Row:
    """Compare the features of the engines, then time them in turns."""
    with ExitStack() as stack:
        contestants = {
            name: stack.enter_context(Contestant(Task(name, work, threads))) for name in engines
        }
        features = {name: each.features() for name, each in contestants.items()}
        difference = {
            name: float(np.abs(rows - features["SKD"]).max()) for name, rows in features.items()
        }
        for name, value in difference.items():
            if not value < TOLERANCE:
                raise RuntimeError(f"The features of {name} differ by {value} for {work.name}.")
        samples = take_turns([each.seconds for each in contestants.values()], turns)
    return Row(work, dict(zip(engines, samples, strict=True)), difference)


def short_lines(content: dict[str, Any]) -> list[str]:
    """Render the rows of the README from what the JSON file says."""
    rows = []
    for row in content["rows"]:
        ours, theirs = (
            f"{number(1000 * statistics.median(row['seconds'][name]))} ms"
            for name in ("SKD", row["fastest_other"])
        )
        other = f"{row['fastest_other']}, {theirs}"
        rows.append([row["work"], ours, other, f"{row['ratio']:.1f}"])
    headings = (f"on {content['threads']} threads", "SKD", "fastest other", "times as fast")
    return [
        *markdown_table(headings, rows),
        "",
        f"{content['machine']['processor']}; {content['software']}.",
    ]


def write(rows: list[Row], engines: list[str], threads: int, folder: Path) -> dict[str, Any]:
    """Write the table and all times; return what the JSON file says."""
    machine = Machine.this({threads})
    software = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    largest = max(max(row.difference.values()) for row in rows)
    lines = [
        "# Embedding by SKD and by other engines",
        "",
        f"`{shown_command(sys.argv)}`; skd {skd.__version__}, {software};",
        f"{machine}; {threads} threads.",
        "",
        "Milliseconds, median (least-most). The ratio is that to the fastest of the others: the",
        "median over the turns. All compute in float32 with the same weights; their features",
        f"differ by at most {largest:.1e}. ncnn has no batches and embeds image by image.",
        "",
        *markdown_table(
            ["work", *engines, "fastest other", "ratio", "bar (goal)", "met"],
            [row.cells() for row in rows],
        ),
    ]
    content = {
        "machine": asdict(machine),
        "software": software,
        "threads": threads,
        "rows": [
            {
                "work": row.work.name,
                "seconds": {name: sample.values for name, sample in row.samples.items()},
                "difference": row.difference,
                "fastest_other": row.best[0],
                "ratio": row.best[1],
                "target": asdict(WORKS[row.work]),
            }
            for row in rows
        ],
    }
    name = skd.instruction_set().lower().replace("-", "")
    write_report(folder, f"engines_{name}", content, lines)
    return content


def main() -> None:
    """Measure all works and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    others = [name for name in ENGINES if name != "SKD"]
    parser.add_argument("--only", nargs="+", choices=others, default=others)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--turns", type=int, default=7, help="that count, of each row")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--readme", action="store_true", help="rewrite the table of README.md")
    options = parser.parse_args()
    engines = ["SKD", *options.only]
    rows = []
    for work in WORKS:
        rows.append(measured(work, engines, options.threads, options.turns))
        print(" | ".join(rows[-1].cells()), flush=True)
    content = write(rows, engines, options.threads, options.output)
    if options.readme:
        EMBEDDING.write(short_lines(content))


if __name__ == "__main__":
    main()
