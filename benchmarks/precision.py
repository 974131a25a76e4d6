"""Does the arithmetic change the accuracy? Gen-0 on glyphs by float32, bfloat16, without Winograd.

    python benchmarks/precision.py                 # writes benchmarks/results/precision.{json,md}
    python benchmarks/precision.py --seeds 3 4 --add
    python benchmarks/precision.py --direct-python PATH

The second keeps the runs that are there and adds to them. The third also trains without Winograd,
by a Python with skd built from this folder: SKD_WINOGRAD=off PATH -m pip install .

All start from the same weights, see the same batches and are scored on the same episodes of novel
classes; they differ in rounding alone. Training amplifies that, so that two runs end some points
apart: it takes many seeds to tell one point.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import method
import skd
from speed.report import markdown_table, write_report

PRECISIONS = ("float32", "bfloat16")
DIRECT = "float32, without Winograd"
LARGE_CONVOLUTION = """
from skd.profiling import ConvolutionShape
print(ConvolutionShape(64, 32, 32, 64, 64, kernel_size=3, padding=1).algorithm)
"""
PLAN = replace(method.Plan(), gen0_epochs=12)


def train_and_score(precision: str, data: skd.datasets.FewShotData, seed: int) -> dict[str, Any]:
    """Train Gen-0 in a precision and score it on 1-shot and 5-shot episodes."""
    train = method.training_split(data, PLAN.num_classes)
    model = skd.create_model(
        "resnet12",
        num_classes=train.num_classes,
        image_size=train.images.shape[1],
        widths=PLAN.widths,
        drop_rate=PLAN.drop_rate,
        precision=precision,
        seed=seed,
    )
    skd.Gen0(model, optimizer=skd.SGD(lr=PLAN.gen0_lr), seed=seed).fit(
        train,
        epochs=PLAN.gen0_epochs,
        decay_epochs=[PLAN.gen0_epochs - 1],
        batch_size=PLAN.batch_size,
        augmentation="crop_flip",
        flip=False,  # a mirrored character is another shape
        seed=seed,
    )
    scores = method.few_shot_results(model, data.test, PLAN.n_episodes)
    return {
        "precision": precision,
        "seed": seed,
        "instruction_set": skd.instruction_set(),
        "scores": scores,
    }


def train_and_score_directly(python: Path, seed: int) -> dict[str, Any]:
    """Do it in float32 by a Python whose skd has no Winograd."""
    if "gemm" not in subprocess.check_output([python, "-c", LARGE_CONVOLUTION], text=True):
        raise SystemExit(f"--direct-python: skd in {python} is not built by SKD_WINOGRAD=off")
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--only", "float32", "--seeds", str(seed), "--output", folder]
        subprocess.run([python, __file__, *arguments], check=True)
        runs = json.loads((Path(folder) / "precision.json").read_text())["runs"]
    return {**runs[0], "precision": DIRECT}


def main() -> None:
    """Run all and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--direct-python", type=Path, metavar="PATH")
    parser.add_argument("--add", action="store_true", help="keep the runs that are there")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    runs: dict[tuple[int, str], dict[str, Any]] = {}
    if options.add:
        content = json.loads((options.output / "precision.json").read_text())
        if content["plan"] != json.loads(json.dumps(asdict(PLAN))):
            parser.error("--add: the runs that are there are of another plan")
        for run in content["runs"]:
            runs[run["seed"], run["precision"]] = run
    data = skd.datasets.load("glyphs")
    for seed in options.seeds:
        for precision in options.only:
            runs[seed, precision] = train_and_score(precision, data, seed)
            print(runs[seed, precision], flush=True)
        if options.direct_python:
            runs[seed, DIRECT] = train_and_score_directly(options.direct_python, seed)
            print(runs[seed, DIRECT], flush=True)
    order = [*PRECISIONS, DIRECT]
    keys = sorted(runs, key=lambda key: (key[0], order.index(key[1])))
    listed = [runs[key] for key in keys]
    content = {"plan": asdict(PLAN), "runs": listed}
    write_report(options.output, "precision", content, report(listed))


def report(runs: list[dict[str, Any]]) -> list[str]:
    """Render the runs, the means over the seeds, and how far they are from those of float32."""
    rows = [
        [run["precision"], str(run["seed"])]
        + [f"{s['mean']:.2f} ± {s['ci95']:.2f}" for s in run["scores"].values()]
        for run in runs
    ]
    means: dict[str, dict[int, list[float]]] = {}
    for run in runs:
        shots = [score["mean"] for score in run["scores"].values()]
        means.setdefault(run["precision"], {})[run["seed"]] = shots
    for name, by_seed in means.items():
        if len(by_seed) > 1:
            cells = [mean_and(statistics.stdev, "deviation", m) for m in columns(by_seed.values())]
            rows.append([name, f"mean of {len(by_seed)}", *cells])
    for name, by_seed in means.items():
        base = means.get(PRECISIONS[0], {})
        pairs = [
            [own - other for own, other in zip(shots, base[seed], strict=True)]
            for seed, shots in by_seed.items()
            if seed in base
        ]
        if name != PRECISIONS[0] and len(pairs) > 1:
            cells = [mean_and(standard_error, "standard error", m) for m in columns(pairs)]
            rows.append([f"{name}, less float32", f"mean of {len(pairs)}", *cells])
            cells = [f"{statistics.median(m):.2f} ({lower(m)} lower)" for m in columns(pairs)]
            rows.append([f"{name}, less float32", f"median of {len(pairs)}", *cells])
    table = markdown_table(("precision", "seed", "1-shot", "5-shot"), rows)
    sets = " and ".join(sorted({run["instruction_set"] for run in runs}))
    return [
        "# Accuracy by precision",
        "",
        f"`python benchmarks/precision.py`, skd {skd.__version__}, {sets}:",
        f"Gen-0 of {PLAN.gen0_epochs} epochs on {PLAN.num_classes} classes of glyphs;",
        f"{PLAN.n_episodes} 5-way episodes of novel classes, accuracy in percent ± half-width of",
        "the 95 % interval over episodes. Differences are taken seed by seed.",
        "",
        *table,
    ]


def columns(rows: Iterable[list[float]]) -> Iterator[list[float]]:
    """Return the values of each kind of episodes."""
    return (list(column) for column in zip(*rows, strict=True))


def mean_and(spread: Callable[[list[float]], float], name: str, values: list[float]) -> str:
    """Render the mean with a spread."""
    return f"{statistics.mean(values):.2f} ({name} {spread(values):.2f})"


def lower(values: list[float]) -> int:
    """Return how many differences are negative."""
    return sum(value < 0 for value in values)


def standard_error(values: list[float]) -> float:
    """Return how far the mean of other seeds would deviate."""
    return statistics.stdev(values) / len(values) ** 0.5


if __name__ == "__main__":
    main()
