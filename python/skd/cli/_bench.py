"""``skd bench``: the speed of training and evaluation on this machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import skd
from skd import _validation as check
from skd._display.progress_bar import progress_bar
from skd.cli._exit_status import ending_in_one_line
from skd.cli._options import Quiet, Threads, integer, naming
from skd.profiling import forward_flops, resnet12_convolutions, training_flops

OWNER = "skd bench"
OPTIONS = {"runs": "--runs", "size": "--size", "count": "--threads"}
MOST_RUNS = 1000
CLASSES = 64
ROTATIONS = 4


@dataclass(frozen=True)
class Work:
    """Something to time: `batch` images of `image_size` pixels, rotated views not counted."""

    kind: str
    image_size: int
    batch: int

    @property
    def name(self) -> str:
        """Name in the table."""
        views = f" x {ROTATIONS}" if self.kind == "Gen-0 step" else ""
        images = "image" if self.batch == 1 else "images"
        return f"{self.kind}, {self.image_size} px, {self.batch}{views} {images}"

    @property
    def flops(self) -> int:
        """Operations of direct convolution."""
        if self.kind == "embed":
            return forward_flops(resnet12_convolutions(self.batch, self.image_size))
        return training_flops(resnet12_convolutions(ROTATIONS * self.batch, self.image_size))

    def prepare(self) -> Callable[[], object]:
        """Return a function that does one run."""
        model = skd.create_model("resnet12", num_classes=CLASSES, image_size=self.image_size)
        shape = (self.batch, self.image_size, self.image_size, 3)
        images = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        if self.kind == "embed":
            return lambda: model.embed(images)
        trainer, labels = skd.Gen0(model), np.arange(self.batch) % CLASSES
        return lambda: trainer.step(images, labels)


WORKS = (
    Work("Gen-0 step", 32, 16),
    Work("Gen-0 step", 84, 4),
    Work("embed", 32, 64),
    Work("embed", 32, 1),
    Work("embed", 84, 64),
    Work("embed", 84, 1),
)


@dataclass(frozen=True)
class Speed:
    """Speed of a work."""

    work: Work
    seconds: float
    peak_gflops: float

    @property
    def images_per_second(self) -> float:
        """Throughput in images, rotated views not counted."""
        return self.work.batch / self.seconds

    @property
    def gflops(self) -> float:
        """Rate in operations of direct convolution."""
        return self.work.flops / self.seconds / 1e9

    @property
    def share(self) -> float:
        """Rate over the multiply-add peak; Winograd may exceed 1."""
        return self.gflops / self.peak_gflops

    def cells(self) -> tuple[str, ...]:
        """Render a row of the table."""
        return (
            self.work.name,
            f"{1000 * self.seconds:.1f}",
            f"{self.images_per_second:.0f}",
            f"{self.gflops:.0f}",
            f"{self.share:.0%}",
        )


def measure(run: Callable[[], object], runs: int) -> float:
    """Return the median seconds of `runs` runs, after a warm-up run."""
    run()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def bench(
    threads: Threads = None,
    runs: Annotated[
        int,
        typer.Option(parser=integer, metavar="N", help="Runs of each row; the median is shown."),
    ] = 5,
    size: Annotated[
        int | None,
        typer.Option(
            parser=integer,
            metavar="PIXELS",
            help="Side of the images, 32 or 84 pixels; by default both.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Time training steps and embeddings of ResNet-12 here.

    Numbers are float32. GFLOP/s count the operations of direct convolution; because Winograd's
    algorithm needs fewer, a row may exceed the peak. Run it while the machine is otherwise idle.
    """
    with ending_in_one_line(OWNER, in_words=naming(OPTIONS)):
        check.integer(runs, "runs", OWNER, minimum=1, maximum=MOST_RUNS)
        if size is not None:
            check.choice(size, "size", OWNER, sorted({work.image_size for work in WORKS}))
        if threads is not None:
            skd.set_num_threads(threads)
        _measure_all(size, runs, quiet=quiet)


def _measure_all(size: int | None, runs: int, *, quiet: bool) -> None:
    """Time the works and print the table."""
    peak = skd.peak_gflops()
    console = Console()
    table = Table(title=f"skd {skd.__version__}, {skd.get_num_threads()} threads")
    table.add_column("work")
    for heading in ("ms", "images/s", "GFLOP/s", "of peak"):
        table.add_column(heading, justify="right")
    works = [work for work in WORKS if size in (None, work.image_size)]
    with progress_bar(len(works), OWNER, "row", wanted=not quiet) as bar:
        for work in works:
            table.add_row(*Speed(work, measure(work.prepare(), runs), peak).cells())
            bar.update()
    console.print(table)
    console.print(f"Peak of multiply-adds: {peak:.0f} GFLOP/s (float32, measured)")
