"""How training steps and embeddings gain from threads.

    python benchmarks/scaling.py                   # benchmarks/results/scaling.{json,md}
    python benchmarks/scaling.py --threads 1 2 4 8

Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import skd
from speed.machine import Machine
from speed.report import markdown_table, shown_command, spread, write_report
from speed.timing import Sample, median_ratio, take_turns, timed
from speed.works import Kind, Work, ours

ROOT = Path(__file__).resolve().parents[1]
WORKS = (
    Work(Kind.GEN0, 32, 16),
    Work(Kind.GEN0, 84, 4),
    Work(Kind.EMBED, 32, 64),
    Work(Kind.EMBED, 84, 64),
    Work(Kind.EMBED, 32, 1),
    Work(Kind.EMBED, 84, 1),
)


@dataclass(frozen=True)
class Scaling:
    """A work on one number of threads, beside the same on one."""

    work: Work
    threads: int
    seconds: Sample
    alone: Sample

    @property
    def speed_up(self) -> float:
        """How many times faster than on one thread: the median over the turns."""
        return median_ratio(self.alone, self.seconds)

    @property
    def efficiency(self) -> float:
        """Speed-up for each thread; 1 is ideal."""
        return self.speed_up / self.threads

    def cells(self) -> tuple[str, ...]:
        """Render the row."""
        milliseconds = self.seconds.scaled(lambda seconds: 1000 * seconds)
        return (
            self.work.name,
            str(self.threads),
            spread(milliseconds),
            f"{self.speed_up:.2f}",
            f"{self.efficiency:.0%}",
        )

    def content(self) -> dict[str, Any]:
        """Return what the JSON file says of it."""
        return {
            "work": self.work.name,
            "threads": self.threads,
            "seconds": self.seconds.values,
            "speed_up": self.speed_up,
            "efficiency": self.efficiency,
        }


HEADINGS = ("work", "threads", "ms", "speed-up", "efficiency")


def measure(work: Work, threads: Sequence[int], turns: int) -> list[Scaling]:
    """Time a work on every number of threads, in turns."""
    run = ours(work)

    def runner(count: int) -> Callable[[], float]:
        turn = timed(run)

        def with_threads() -> float:
            skd.set_num_threads(count)
            return turn()

        return with_threads

    samples = take_turns([runner(count) for count in threads], turns)
    alone = samples[threads.index(1)]
    pairs = zip(threads, samples, strict=True)
    return [Scaling(work, count, sample, alone) for count, sample in pairs]


def main() -> None:
    """Measure the works and write them."""
    processors = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=range(1, processors + 1))
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    threads = sorted({1, *options.threads})
    if threads[0] < 1 or threads[-1] > 256 or options.turns < 1:
        parser.error("--threads must be in 1..256 and --turns at least 1")
    machine = Machine.this(set(threads))
    scalings = []
    for work in WORKS:
        for scaling in measure(work, threads, options.turns):
            scalings.append(scaling)
            print(" | ".join(scaling.cells()), flush=True)
    command = shown_command(sys.argv)
    content = {
        "command": command,
        "machine": asdict(machine),
        "turns": options.turns,
        "results": [scaling.content() for scaling in scalings],
    }
    lines = [
        "# Scaling with threads",
        "",
        f"`{command}`, turns: {options.turns}, on {machine}.",
        "",
        "Milliseconds: median (least-most). The speed-up is the median over the turns.",
        "",
        *markdown_table(HEADINGS, [scaling.cells() for scaling in scalings]),
    ]
    write_report(options.output, "scaling", content, lines)


if __name__ == "__main__":
    main()
