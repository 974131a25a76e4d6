"""SKD against PyTorch, in turns on one machine: the table of what must be how much faster.

    python benchmarks/compare_pytorch.py                  # benchmarks/results/pytorch.{json,md}
    python benchmarks/compare_pytorch.py --only gen0 embed --turns 3
    python benchmarks/compare_pytorch.py --readme         # also the table of the README
    python benchmarks/compare_pytorch.py --threads 1 --clock processor --only gen0 gen1 embed

Needs torch and torchvision, which SKD itself does not. PyTorch runs channels_last with as many
threads as SKD. Run it on an otherwise idle machine; one that is not can still tell the processor's
time of one thread. What each row measures: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

import skd
from speed.machine import Machine
from speed.readme import STEP_ROWS, STEPS
from speed.report import (
    HEADINGS,
    Result,
    Target,
    Unit,
    markdown_table,
    shown_command,
    write_report,
)
from speed.timing import CLOCKS, Runner, Sample, take_turns, timed
from speed.worker import Contestant, Task
from speed.works import MEAN, STD, Kind, Work, create_model, ours

ROOT = Path(__file__).resolve().parents[1]
FIT_STEPS = 8  # of the epoch that is compared with as many bare steps


@dataclass(frozen=True)
class Settings:
    """What the command line chose."""

    threads: int
    turns: int
    clock: str
    avx2_python: str | None
    machine: Machine

    def timed(self, run: Callable[[], object], *, units: int = 1) -> Runner:
        """Return what runs a work for a turn, timed by the clock that was chosen."""
        return timed(run, units=units, clock=self.clock)


class UnavailableError(Exception):
    """A row cannot be measured here, and why."""


Measure = Callable[[Settings], Iterator[Result]]


def against_torch(
    group: str, work: Work, threads: int, target: Target, settings: Settings, *, units: int = 1
) -> Result:
    """Measure one work of both, each in a process of its own, in turns."""
    tasks = [Task(side, work, threads, settings.clock) for side in ("skd", "torch")]
    with Contestant(tasks[0]) as first, Contestant(tasks[1]) as second:
        samples = take_turns([first.seconds, second.seconds], settings.turns)
    mine, other = (sample.scaled(lambda seconds: seconds / units) for sample in samples)
    return Result(
        group=group,
        work=work.name,
        threads=threads,
        against="PyTorch",
        unit=Unit.SECONDS if units == 1 else Unit.SECONDS_PER_IMAGE,
        judged=settings.clock == "wall",
        ours=mine,
        theirs=other,
        target=target,
        flops=work.flops,
        peak_gflops=settings.machine.peak_gflops[threads],
    )


def gen0(settings: Settings) -> Iterator[Result]:
    """Compare Gen-0 steps on all threads and on one."""
    for threads in sorted({settings.threads, 1}, reverse=True):
        for size, batch in ((32, 16), (84, 4)):
            work = Work(Kind.GEN0, size, batch)
            yield against_torch("gen0", work, threads, Target(2, 3), settings)


def gen1(settings: Settings) -> Iterator[Result]:
    """Compare Gen-1 steps; the student sees what our default or the published code passes."""
    for kind in (Kind.GEN1_TWINS, Kind.GEN1_ALL):
        work = Work(kind, 32, 16)
        yield against_torch("gen1", work, settings.threads, Target(2, 3), settings)


def embed(settings: Settings) -> Iterator[Result]:
    """Compare embeddings of many images and of one."""
    for size in (32, 84):
        for batch in (64, 1):
            work = Work(Kind.EMBED, size, batch)
            yield against_torch("embed", work, settings.threads, Target(2.5, 4), settings)


def bf16(settings: Settings) -> Iterator[Result]:
    """Compare a Gen-0 step in bfloat16 with autocast."""
    work = Work(Kind.GEN0, 84, 4, precision="bfloat16")
    yield against_torch("bf16", work, settings.threads, Target(1.2, 2), settings)


def augmentation(settings: Settings) -> Iterator[Result]:
    """Compare augmented images a second on one core with torchvision on PIL images."""
    for size, batch in ((32, 256), (84, 64)):
        work = Work(Kind.AUGMENT, size, batch)
        yield against_torch("augmentation", work, 1, Target(10, 30), settings, units=batch)


def fit(settings: Settings) -> Iterator[Result]:
    """Compare an epoch of `fit`, with augmentation, with as many bare steps."""
    if settings.clock == "processor":
        raise UnavailableError("the processor's clock does not see a step wait for its images")
    skd.set_num_threads(settings.threads)
    work = Work(Kind.GEN0, 32, 16)
    everything = Work(Kind.GEN0, 32, FIT_STEPS * work.batch)
    split = skd.datasets.from_arrays(everything.pixels(), everything.labels(), mean=MEAN, std=STD)
    trainer, step = skd.Gen0(create_model(work)), ours(work)

    def epoch() -> object:
        return trainer.fit(split, epochs=1, batch_size=work.batch, progress=False)

    def bare_steps() -> None:
        for _ in range(FIT_STEPS):
            step()

    runners = [settings.timed(run, units=FIT_STEPS) for run in (epoch, bare_steps)]
    mine, other = take_turns(runners, settings.turns)
    yield Result(
        group="fit",
        work=f"fit, a step of {work.name}",
        threads=settings.threads,
        against="bare step",
        unit=Unit.SECONDS,
        ours=mine,
        theirs=other,
        target=Target(0.97, 0.99),
        flops=work.flops,
        peak_gflops=settings.machine.peak_gflops[settings.threads],
    )


def threads(settings: Settings) -> Iterator[Result]:
    """Compare a step on two threads with the same on one."""
    if settings.threads < 2:
        raise UnavailableError("it needs two threads")
    for size, batch in ((32, 16), (84, 4)):
        work = Work(Kind.GEN0, size, batch)
        run = ours(work)

        def on(count: int, turn: Runner) -> Runner:
            def runner() -> float:
                skd.set_num_threads(count)
                return turn()

            return runner

        mine, other = take_turns(
            [on(2, settings.timed(run)), on(1, settings.timed(run))], settings.turns
        )
        yield Result(
            group="threads",
            work=work.name,
            threads=2,
            against="SKD on 1 thread",
            unit=Unit.SECONDS,
            ours=mine,
            theirs=other,
            target=Target(1.85, 1.95),
            flops=work.flops,
            peak_gflops=settings.machine.peak_gflops[2],
        )


def memory(settings: Settings) -> Iterator[Result]:
    """Compare the peak memory of a few steps, each in a process of its own."""
    for size, batch in ((32, 16), (84, 4)):
        work = Work(Kind.GEN0, size, batch)
        samples = []
        for side in ("skd", "torch"):
            values = []
            for _ in range(min(settings.turns, 3)):
                with Contestant(Task(side, work, settings.threads)) as contestant:
                    values.append(contestant.memory())
            samples.append(Sample(tuple(values)))
        yield Result(
            group="memory",
            work=f"peak memory, {work.name}",
            threads=settings.threads,
            against="PyTorch",
            unit=Unit.BYTES,
            ours=samples[0],
            theirs=samples[1],
            target=Target(0.7, 0.5),
        )


def avx2(settings: Settings) -> Iterator[Result]:
    """Compare a step of both without AVX-512, each in a process of its own, in turns."""
    if settings.avx2_python is None:
        raise UnavailableError(
            "it needs --avx2-python PATH, a Python with skd built by SKD_MARCH=x86-64-v3"
        )
    work = Work(Kind.GEN0, 32, 16)
    tasks = [Task(side, work, settings.threads, settings.clock) for side in ("skd", "torch")]
    # The other Python imports its own skd, whatever this one was told to import.
    own_packages = {"PYTHONPATH": ""}
    with (
        Contestant(tasks[0], python=settings.avx2_python, environment=own_packages) as mine,
        Contestant(tasks[1], environment={"ONEDNN_MAX_CPU_ISA": "AVX2"}) as other,
    ):
        if mine.instruction_set != "AVX2":
            raise UnavailableError(
                f"skd of --avx2-python is built for {mine.instruction_set}, not for AVX2"
            )
        samples = take_turns([mine.seconds, other.seconds], settings.turns)
    yield Result(
        group="avx2",
        work=f"{work.name}, AVX2",
        threads=settings.threads,
        against="PyTorch, ONEDNN_MAX_CPU_ISA=AVX2",
        unit=Unit.SECONDS,
        judged=settings.clock == "wall",
        ours=samples[0],
        theirs=samples[1],
        target=Target(1.5, 2.5),
        flops=work.flops,
        peak_gflops=mine.peak_gflops,
    )


GROUPS: dict[str, Measure] = {
    "gen0": gen0,
    "gen1": gen1,
    "embed": embed,
    "bf16": bf16,
    "augmentation": augmentation,
    "fit": fit,
    "threads": threads,
    "memory": memory,
    "avx2": avx2,
}


UNJUDGED = (
    "",
    "This is the processor's time of one thread, taken while the machine had other work: it is",
    "not held against the bars, which stand for elapsed time on an idle machine.",
)


@dataclass(frozen=True)
class Report:
    """All that was measured, and how."""

    command: str
    software: str
    machine: Machine
    clock: str
    turns: int
    results: Sequence[Result]
    left_out: dict[str, str]

    def lines(self) -> list[str]:
        """Render it, without a title."""
        rows = [result.cells() for result in self.results]
        return [
            f"`{self.command}`, turns: {self.turns}, clock: {self.clock}; {self.software};",
            f"{self.machine}.",
            "",
            "Each cell: median (least-most). The ratio is the median over the turns: how many",
            "times faster SKD is, for memory how many times the other's it takes. GFLOP/s count",
            "direct convolution, so Winograd may exceed the float32 multiply-add peak.",
            *(UNJUDGED if self.clock == "processor" else ()),
            "",
            *markdown_table(HEADINGS, rows),
            *(f"\nLeft out: {group}, because {reason}." for group, reason in self.left_out.items()),
        ]

    def short_lines(self) -> list[str]:
        """Render the rows of the README."""
        rows = [
            [result.work, result.cells()[2], f"{result.ratio:.1f}"]
            for result in self.results
            if (result.work, result.threads) in STEP_ROWS and result.against == "PyTorch"
        ]
        headings = ("on 2 threads", "SKD", "times as fast as PyTorch")
        return [*markdown_table(headings, rows), "", f"{self.machine.processor}; {self.software}."]

    def write(self, folder: Path) -> None:
        """Write `pytorch.json` and `pytorch.md`."""
        content = {
            "command": self.command,
            "software": self.software,
            "machine": asdict(self.machine),
            "clock": self.clock,
            "turns": self.turns,
            "results": [result.content() for result in self.results],
            "left_out": self.left_out,
        }
        write_report(folder, "pytorch", content, ["# SKD against PyTorch", "", *self.lines()])


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    processors = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--threads", type=int, default=processors, help="of both; default: all")
    parser.add_argument("--turns", type=int, default=7, help="that count, of each row")
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="processor: one thread only"
    )
    parser.add_argument(
        "--avx2-python", metavar="PATH", type=executable, help="with skd built for x86-64-v3"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--readme", action="store_true", help="rewrite the table of README.md")
    options = parser.parse_args()
    if not 1 <= options.threads <= 256 or options.turns < 1:
        parser.error("--threads must be in 1..256 and --turns at least 1")
    if options.clock == "processor" and options.threads > 1:
        parser.error("--clock processor needs --threads 1: the seconds of all threads add up")
    return options


def executable(path: str) -> str:
    """Return a path that holds in any working folder; a bare name is left to be searched for."""
    return os.path.abspath(path) if os.sep in path else path


def main() -> None:
    """Measure the rows that were asked for and write them."""
    options = parse_options()
    counts = {1, options.threads} | ({2} if options.threads > 1 else set())
    settings = Settings(
        threads=options.threads,
        turns=options.turns,
        clock=options.clock,
        avx2_python=options.avx2_python,
        machine=Machine.this(counts),
    )
    print(settings.machine)
    results, left_out = [], {}
    for group in options.only:
        try:
            for result in GROUPS[group](settings):
                results.append(result)
                print(" | ".join(result.cells()), flush=True)
        except UnavailableError as reason:
            left_out[group] = str(reason)
            print(f"{group} is left out: {reason}.", flush=True)
    report = Report(
        command=shown_command(sys.argv),
        software=f"skd {skd.__version__}, PyTorch {torch.__version__}, NumPy {np.__version__}",
        machine=settings.machine,
        clock=options.clock,
        turns=options.turns,
        results=results,
        left_out=left_out,
    )
    report.write(options.output)
    if options.readme:
        STEPS.write(report.short_lines())


if __name__ == "__main__":
    main()
