"""Training steps and embeddings against PyTorch, side by side in one run.

    python benchmarks/compare_pytorch.py           # writes benchmarks/results/pytorch.{json,md}

Needs torch, which SKD itself does not. The two take turns, with the same number of threads, on the
same machine and in the same minute; PyTorch runs channels_last. A ratio above 1 means that SKD is
faster. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

import skd

sys.path.insert(0, str(Path(__file__).parents[1] / "Tests" / "Fixtures" / "reference"))
import skd_torch

CLASSES = 64


@dataclass(frozen=True)
class Work:
    """One row of the table: `batch` images of `size` pixels."""

    kind: str
    size: int
    batch: int

    @property
    def name(self) -> str:
        """What the row says."""
        views = " x 4 rotations" if self.kind == "Gen-0 step" else ""
        return f"{self.kind}, {self.size} px, {self.batch} images{views}"


TABLE = (
    Work("Gen-0 step", 32, 16),
    Work("Gen-0 step", 84, 4),
    Work("embed", 32, 64),
    Work("embed", 84, 64),
)


@dataclass
class Timing:
    """Seconds of every counted run of both, in turns."""

    work: str
    threads: int
    skd: list[float]
    torch: list[float]

    @property
    def ratio(self) -> float:
        """Median of the ratios, pair by pair."""
        return statistics.median(b / a for a, b in zip(self.skd, self.torch, strict=True))

    def row(self) -> str:
        """Render a row of the Markdown table."""
        cells = [self.work, str(self.threads), seconds(self.skd), seconds(self.torch)]
        return f"| {' | '.join(cells)} | {self.ratio:.2f} |"


def seconds(values: list[float]) -> str:
    """Render median and range in milliseconds."""
    low, middle, high = (1000 * f(values) for f in (min, statistics.median, max))
    return f"{middle:.0f} ({low:.0f}-{high:.0f})"


def ours(work: Work) -> Callable[[], object]:
    """Return one run of SKD."""
    model = skd.create_model("resnet12", num_classes=CLASSES, image_size=work.size)
    images = random_images(work)
    if work.kind == "embed":
        return lambda: model.embed(images)
    trainer, labels = skd.Gen0(model), np.arange(work.batch) % CLASSES
    return lambda: trainer.step(images, labels)


def theirs(work: Work) -> Callable[[], object]:
    """Return one run of the PyTorch reference."""
    dropblock = 2 if work.size < 64 else 5
    model = skd_torch.make_backbone("resnet12_ssl", CLASSES, dropblock)
    model = model.to(memory_format=torch.channels_last)
    images = torch.from_numpy(random_images(work)).permute(0, 3, 1, 2)
    if work.kind == "embed":
        model.eval()

        def embed() -> object:
            with torch.inference_mode():
                return model(images).feature

        return embed
    model.train()
    optimizer = skd_torch.make_optimizer(model)
    labels = torch.arange(work.batch) % CLASSES

    def step() -> object:
        views = skd_torch.rotation_batch(images)
        output = model(views.contiguous(memory_format=torch.channels_last))
        loss = skd_torch.gen0_loss(output, labels).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def random_images(work: Work) -> np.ndarray:
    """Return normalised images."""
    shape = (work.batch, work.size, work.size, 3)
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def measure(work: Work, threads: int, runs: int) -> Timing:
    """Time both in turns, after one run each that does not count."""
    skd.set_num_threads(threads)
    torch.set_num_threads(threads)
    timing = Timing(work.name, threads, [], [])
    pairs = [(ours(work), timing.skd), (theirs(work), timing.torch)]
    for turn in range(runs + 1):
        for run, times in pairs:
            begin = time.perf_counter()
            run()
            if turn > 0:
                times.append(time.perf_counter() - begin)
    return timing


def processor() -> str:
    """Return the processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> None:
    """Measure the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[2])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    timings = []
    for threads in options.threads:
        for work in TABLE:
            timings.append(measure(work, threads, options.runs))
            print(timings[-1].row(), flush=True)
    write_results(options.output, timings, options.runs)


def write_results(folder: Path, timings: list[Timing], runs: int) -> None:
    """Write `pytorch.json` and `pytorch.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = "python benchmarks/compare_pytorch.py"
    machine = f"{processor()}, PyTorch {torch.__version__}, NumPy {np.__version__}"
    rows = [{**asdict(timing), "ratio": timing.ratio} for timing in timings]
    content = {"command": command, "machine": machine, "runs": runs, "table": rows}
    (folder / "pytorch.json").write_text(json.dumps(content, indent=2) + "\n")
    lines = [
        "# SKD against PyTorch",
        "",
        f"`{command}` on {machine}; float32, PyTorch channels_last, the two in turns, {runs} runs",
        "each. Milliseconds: median (least-most). The ratio is the median over the pairs; above 1",
        "SKD is faster.",
        "",
        "| work | threads | SKD | PyTorch | PyTorch / SKD |",
        "|---|---|---|---|---|",
        *(timing.row() for timing in timings),
    ]
    (folder / "pytorch.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
