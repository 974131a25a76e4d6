"""Every convolution of ResNet-12, pass by pass and algorithm by algorithm.

    python benchmarks/layers.py                    # benchmarks/results/layers.{json,md}
    python benchmarks/layers.py --only 32 --threads 1 --turns 3

From these measurements one place of the library chooses an algorithm for each shape; for training
it also weighs rounding (see Conv2DAlgorithm.swift). Evaluations are of one image. PyTorch is
measured beside it if it is installed. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import skd
from skd.profiling import ALGORITHMS, PASSES, ConvolutionLayer, ConvolutionShape
from speed.machine import Machine
from speed.report import markdown_table, number, shown_command, write_report
from speed.timing import Sample, median_ratio, take_turns, timed

ROOT = Path(__file__).resolve().parents[1]
BATCHES = {32: 64, 84: 16}  # views in a step, by the side of the images
RUNS_PER_TURN = 3


@dataclass(frozen=True)
class Case:
    """A shape of one or more layers, and one of its passes."""

    image_size: int
    layers: tuple[str, ...]
    shape: ConvolutionShape
    computation: str


@dataclass(frozen=True)
class Measurement:
    """Seconds of a case: of each algorithm that supports it, and of PyTorch if it is there.

    `total` holds what is paid each time: the kernel and, in training, the packing of the weights.
    PyTorch's time holds its packing too.
    """

    case: Case
    chosen: str
    kernel: dict[str, Sample]
    total: dict[str, Sample]
    torch: Sample | None
    peak_gflops: float

    @property
    def fastest(self) -> str:
        """The float32 algorithm with the least median, packing included."""
        names = [name for name in self.total if "bfloat16" not in name]
        return min(names, key=lambda name: self.total[name].median)

    @property
    def gflops(self) -> float:
        """Rate of the chosen kernel, in operations of direct convolution."""
        return self.case.shape.flops / self.kernel[self.chosen].median / 1e9

    @property
    def torch_gflops(self) -> float | None:
        """Rate of PyTorch, by the same count."""
        return None if self.torch is None else self.case.shape.flops / self.torch.median / 1e9

    @property
    def ratio(self) -> float | None:
        """How many times faster than PyTorch the chosen algorithm is, packing included."""
        return None if self.torch is None else median_ratio(self.torch, self.total[self.chosen])

    def cells(self) -> tuple[str, ...]:
        """Render the row."""
        shape = self.case.shape
        names = [name.replace(".0", "") for name in self.case.layers]
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f}"
        torch = "-" if self.torch_gflops is None else f"{self.torch_gflops:.0f}"
        return (
            ", ".join(names),
            f"{shape.input_channels} to {shape.output_channels}, {shape.height} px",
            self.case.computation.replace("_", " "),
            self.chosen,
            *(milliseconds(self.total.get(name)) for name in ALGORITHMS),
            self.fastest if self.fastest != self.chosen else "",
            f"{self.gflops:.0f} ({self.gflops / self.peak_gflops:.0%})",
            milliseconds(self.torch),
            torch,
            ratio,
        )

    def content(self) -> dict[str, Any]:
        """Return what the JSON file says of it."""
        return {
            **asdict(self),
            "fastest": self.fastest,
            "gflops": self.gflops,
            "torch_gflops": self.torch_gflops,
            "ratio": self.ratio,
        }


HEADINGS = (
    "layers",
    "channels",
    "pass",
    "chosen",
    *(f"{name}, ms" for name in ALGORITHMS),
    "faster is",
    "GFLOP/s of the kernel (of peak)",
    "PyTorch, ms",
    "its GFLOP/s",
    "PyTorch / SKD",
)


def milliseconds(sample: Sample | None) -> str:
    """Render median, minimum and maximum, or a dash where there is none."""
    if sample is None:
        return "-"
    median, least, most = (number(1000 * v) for v in (sample.median, sample.least, sample.most))
    return f"{median} ({least}-{most})"


def cases(image_size: int) -> Iterator[Case]:
    """List the different shapes of ResNet-12 with the passes of training, and of an evaluation."""
    for batch in (BATCHES[image_size], 1):
        by_shape: dict[ConvolutionShape, list[ConvolutionLayer]] = {}
        for layer in skd.profiling.resnet12_convolutions(batch, image_size):
            by_shape.setdefault(layer.shape, []).append(layer)
        for shape, layers in by_shape.items():
            names = tuple(layer.name for layer in layers)
            for computation in PASSES:
                if (computation == "evaluation") == (batch == 1) and (
                    computation != "input_gradient" or layers[0].needs_input_gradient
                ):
                    yield Case(image_size, names, shape, computation)


def measure(case: Case, turns: int, peak: float, torch_run: TorchRun | None) -> Measurement:
    """Time all algorithms that support the shape, and PyTorch, in turns."""
    names = [name for name in ALGORITHMS if case.shape.supports(name)]
    kernel: dict[str, list[float]] = {name: [] for name in names}

    def runner(name: str) -> Callable[[], float]:
        def turn() -> float:
            times = case.shape.time(case.computation, algorithm=name, runs=RUNS_PER_TURN)
            kernel[name].append(float(times.kernel.mean()))
            if case.computation == "evaluation":
                return kernel[name][-1]
            return float((times.kernel + times.pack).mean())

        return turn

    runners = [runner(name) for name in names]
    if torch_run is not None:
        runners.append(timed(torch_run(case)))
    samples = take_turns(runners, turns)
    return Measurement(
        case=case,
        chosen=case.shape.algorithm_for(case.computation),
        kernel={name: Sample(tuple(values[1:])) for name, values in kernel.items()},
        total=dict(zip(names, samples, strict=False)),
        torch=samples[-1] if torch_run is not None else None,
        peak_gflops=peak,
    )


TorchRun = Callable[[Case], Callable[[], object]]


def torch_runs(threads: int) -> TorchRun | None:
    """Return what makes PyTorch's run of a case; None, with a message, if there is no PyTorch."""
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: its columns stay empty.")
        return None
    import torch

    torch.set_num_threads(threads)

    def run(case: Case) -> Callable[[], object]:
        shape, layout = case.shape, torch.channels_last
        inputs = (shape.batch, shape.input_channels, shape.height, shape.width)
        outputs = (shape.batch, shape.output_channels, shape.output_height, shape.output_width)
        kernels = (shape.output_channels, shape.input_channels, *(shape.kernel_size,) * 2)
        x = torch.randn(inputs).to(memory_format=layout)
        weight = torch.randn(kernels).to(memory_format=layout)
        d_output = torch.randn(outputs).to(memory_format=layout)
        stride, padding = [shape.stride] * 2, [shape.padding] * 2
        if case.computation in ("forward", "evaluation"):

            def forward() -> object:
                with torch.inference_mode():
                    return torch.conv2d(x, weight, None, stride, padding)

            return forward
        wanted = [case.computation == name for name in ("input_gradient", "weight_gradient")]

        def backward() -> object:
            with torch.inference_mode():
                return torch.ops.aten.convolution_backward(
                    d_output,
                    x,
                    weight,
                    None,
                    stride,
                    padding,
                    [1, 1],
                    False,
                    [0, 0],
                    1,
                    [*wanted, False],
                )

        return backward

    return run


@dataclass(frozen=True)
class Report:
    """All that was measured, and how."""

    command: str
    machine: Machine
    threads: int
    turns: int
    measurements: Sequence[Measurement]

    def lines(self) -> list[str]:
        """Render it."""
        lines = [
            "# Convolutions of ResNet-12",
            "",
            f"`{self.command}`, threads: {self.threads}, turns: {self.turns}, of {RUNS_PER_TURN}",
            f"runs each, on {self.machine}.",
            "",
            "Medians (min-max); each time holds the packing of the weights, as a step pays it,",
            "the rate does not. An evaluation keeps packed weights; it is of one image. GFLOP/s",
            "count direct convolution, so Winograd may exceed the peak.",
        ]
        for size in sorted({measurement.case.image_size for measurement in self.measurements}):
            rows = [m.cells() for m in self.measurements if m.case.image_size == size]
            heading = f"## {size} px, batch {BATCHES[size]}; evaluation of one image"
            lines += ["", heading, "", *markdown_table(HEADINGS, rows)]
        return lines

    def write(self, folder: Path) -> None:
        """Write `layers.json` and `layers.md`."""
        content = {
            "command": self.command,
            "machine": asdict(self.machine),
            "threads": self.threads,
            "turns": self.turns,
            "measurements": [measurement.content() for measurement in self.measurements],
        }
        write_report(folder, "layers", content, self.lines())


def main() -> None:
    """Measure the layers and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", type=int, nargs="+", choices=BATCHES, default=list(BATCHES))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    if not 1 <= options.threads <= 256 or options.turns < 1:
        parser.error("--threads must be in 1..256 and --turns at least 1")
    machine = Machine.this({options.threads})
    skd.set_num_threads(options.threads)
    peak, torch_run = machine.peak_gflops[options.threads], torch_runs(options.threads)
    measurements = []
    for size in options.only:
        for case in cases(size):
            measurements.append(measure(case, options.turns, peak, torch_run))
            print(" | ".join(measurements[-1].cells()), flush=True)
    command = shown_command(sys.argv)
    Report(command, machine, options.threads, options.turns, measurements).write(options.output)


if __name__ == "__main__":
    main()
