"""How steps scale over two MPI ranks of one thread, each with the batch of one.

    python benchmarks/weak_scaling.py        # benchmarks/results/weak_scaling.{json,md}

Starts itself with mpirun; it needs the extra `mpi` and mpich or openmpi. Three contestants take
turns: one rank alone, while the other sleeps; both at once without knowing of each other, which
shows what the machine takes; and both together on one batch of twice the size, with gradients and
batch-norm statistics over both. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import skd
from speed.machine import Machine
from speed.report import Target, markdown_table, shown_command, spread, write_report
from speed.timing import PAUSE_SECONDS, Sample, median_ratio
from speed.works import Kind, Work, create_model

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

ROOT = Path(__file__).resolve().parents[1]
RANKS = 2
TARGET = Target(0.9, 0.95)
WORKS = (Work(Kind.GEN0, 32, 16), Work(Kind.GEN0, 32, 64))


@dataclass(frozen=True)
class WeakScaling:
    """Seconds of a step on one rank alone, on both apart, and on both together."""

    work: Work
    alone: Sample
    apart: Sample
    together: Sample

    @property
    def efficiency(self) -> float:
        """Seconds alone for each second together: the median over the turns; 1 is ideal."""
        return median_ratio(self.alone, self.together)

    @property
    def ceiling(self) -> float:
        """What would be left if the ranks had nothing to say to each other."""
        return median_ratio(self.alone, self.apart)

    def cells(self) -> tuple[str, ...]:
        """Render the row."""
        samples = (self.alone, self.apart, self.together)
        return (
            self.work.name,
            *(spread(sample.scaled(lambda seconds: 1000 * seconds)) for sample in samples),
            f"{self.ceiling:.1%}",
            f"{self.efficiency:.1%}",
            str(TARGET),
            TARGET.verdict(self.efficiency),
        )

    def content(self) -> dict[str, Any]:
        """Return what the JSON file says of it."""
        return {
            "work": self.work.name,
            "alone": self.alone.values,
            "apart": self.apart.values,
            "together": self.together.values,
            "ceiling": self.ceiling,
            "efficiency": self.efficiency,
            "verdict": TARGET.verdict(self.efficiency),
        }


HEADINGS = (
    "work of each rank",
    "alone, ms",
    "apart, ms",
    "together, ms",
    "apart / alone",
    "efficiency",
    "bar (goal)",
    "met",
)


def meet(communicator: Intracomm) -> None:
    """Wait for all ranks without keeping a processor busy."""
    request = communicator.Ibarrier()
    while not request.Test():
        time.sleep(0.001)
    time.sleep(PAUSE_SECONDS)


def measure(work: Work, turns: int, communicator: Intracomm) -> WeakScaling:
    """Time a work by all contestants, in turns; of two ranks, the slower one's time counts."""
    images, labels = work.images(), work.labels()

    def steps(**options: Any) -> Callable[[], object]:
        trainer = skd.Gen0(create_model(work), **options)
        return lambda: trainer.step(images, labels)

    single, shared = steps(), steps(communicator=communicator)
    runs = {"alone": single, "apart": single, "together": shared}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns + 1):  # the first does not count
        for name, run in runs.items():
            meet(communicator)
            begin = time.perf_counter()
            if name != "alone" or communicator.rank == 0:
                run()
            own = time.perf_counter() - begin
            slowest = max(communicator.allgather(own))
            if turn > 0:
                seconds[name].append(own if name == "alone" else slowest)
    return WeakScaling(work, **{name: Sample(tuple(values)) for name, values in seconds.items()})


def launch(arguments: Sequence[str]) -> int:
    """Run this script in ranks; return its status."""
    mpirun = shutil.which("mpirun", path=Path(sys.executable).parent) or shutil.which("mpirun")
    if mpirun is None:
        sys.exit("weak_scaling.py needs mpirun: pip install mpi4py mpich")
    command = [mpirun, "-n", str(RANKS), sys.executable, __file__, *arguments]
    return subprocess.run(command, env={"HYDRA_LAUNCHER": "fork", **os.environ}).returncode


def main() -> None:
    """Measure the works and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    communicator = skd.distributed.launched_communicator()
    if communicator is None:
        sys.exit(launch(sys.argv[1:]))
    with skd.distributed.abort_on_error(communicator):
        skd.set_num_threads(1)
        rows = []
        for work in WORKS:
            rows.append(measure(work, options.turns, communicator))
            if communicator.rank == 0:
                print(" | ".join(rows[-1].cells()), flush=True)
        if communicator.rank == 0:
            report(rows, options.turns, options.output, communicator)


def report(rows: Sequence[WeakScaling], turns: int, folder: Path, communicator: Intracomm) -> None:
    """Write what was measured."""
    from mpi4py import MPI

    machine, command = Machine.this({1}), shown_command(sys.argv)
    library = MPI.Get_library_version().splitlines()[0].strip()
    content = {
        "command": command,
        "machine": asdict(machine),
        "mpi": library,
        "ranks": communicator.size,
        "turns": turns,
        "results": [row.content() for row in rows],
    }
    lines = [
        "# Weak scaling over MPI ranks",
        "",
        f"`{command}`, {communicator.size} ranks of one thread, turns: {turns}, {library},",
        f"on {machine}.",
        "",
        "Milliseconds of a step: median (least-most). Each rank has as many images as the one that",
        "is alone. Apart: both at once, but each trains by itself: what the machine takes. The",
        "efficiency is that of both together, the median over the turns.",
        "",
        *markdown_table(HEADINGS, [row.cells() for row in rows]),
    ]
    write_report(folder, "weak_scaling", content, lines)


if __name__ == "__main__":
    main()
