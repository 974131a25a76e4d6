"""Accuracies and times of the heads that classify the queries of an episode.

    python benchmarks/heads.py --case photos-84 mini-imagenet ROOT --case RUN cifar-fs ROOT
    python benchmarks/heads.py --times

A case is weights that come with the package or the folder of a run, a data set, and the folder of
its files. Every head classifies the same balanced five-way episodes of the test classes, without
support augmentation, with the defaults of its class; the differences from the nearest centroid are
paired. The times are those of 640 made features; measure them on an otherwise idle machine. What a
call does not measure is kept in the report.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skd
from evaluation import made_features
from skd.choices import ClassifierName
from speed.machine import Machine
from speed.report import markdown_table, shown_command, spread, write_report
from speed.timing import Sample

ROOT = Path(__file__).resolve().parents[1]
BASE: ClassifierName = "nearest_centroid"
HEADS: tuple[ClassifierName, ...] = (
    BASE,
    "logistic",
    "simple_shot",
    "bd_cspn",
    "laplacian_shot",
    "tim",
    "alpha_tim",
    "pt_map",
)
TRANSDUCTIVE = HEADS[2:]
BAR = 4.0  # points above the nearest centroid, with one support image of each class
EPISODES = {1: 10_000, 5: 2_000}
#: Head, episodes, and the seconds that are asked for and aimed at, on two processors.
TIMES: tuple[tuple[ClassifierName, int, float | None, float | None], ...] = (
    ("nearest_centroid", 10_000, 1.0, 0.5),
    ("simple_shot", 10_000, None, None),
    ("bd_cspn", 10_000, None, None),
    ("laplacian_shot", 10_000, None, None),
    ("pt_map", 1_000, 3.0, 1.0),
    ("tim", 1_000, 30.0, 10.0),
    ("alpha_tim", 1_000, None, None),
)


def features_of(
    model: str, data: str, root: str, cache: Path | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the embeddings of the test images, and their labels."""
    file = None if cache is None else cache / f"{Path(model).name}-{data}.npz"
    if file is not None and file.exists():
        with np.load(file) as saved:
            return saved["features"], saved["labels"]
    is_known = model in skd.list_pretrained()
    network = skd.load_pretrained(model) if is_known else skd.load_model(model)
    test = skd.datasets.load(data, root).test
    batches = range(0, len(test), 64)
    rows = np.concatenate([network.embed(test.images[i : i + 64]) for i in batches])
    if file is not None:
        np.savez(file, features=rows, labels=test.labels)
    return rows, test.labels


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of a head on the features of a case, in percent."""

    case: str
    n_shot: int
    head: str
    mean: float
    ci95: float
    gain: float
    gain_ci95: float

    @property
    def met(self) -> str:
        """Whether the head gains what is asked for; empty where nothing is."""
        if self.n_shot > 1 or self.head not in TRANSDUCTIVE:
            return ""
        return "yes" if self.gain >= BAR else "no"

    def cells(self) -> tuple[str, ...]:
        """Render the row."""
        gain = "" if self.head == BASE else f"{self.gain:+.2f} ± {self.gain_ci95:.2f}"
        accuracy = f"{self.mean:.2f} ± {self.ci95:.2f}"
        return self.case, str(self.n_shot), self.head, accuracy, gain, self.met


def accuracies(case: tuple[str, str, str], cache: Path | None) -> list[Accuracy]:
    """Evaluate every head on the episodes of a case."""
    features, labels = features_of(*case, cache)
    name = f"{case[1]}, {Path(case[0]).name}"
    rows = []
    for n_shot, n_episodes in EPISODES.items():
        results = {
            head: skd.evaluate_features(
                features,
                labels,
                n_shot=n_shot,
                n_episodes=n_episodes,
                classifier=head,
                progress=False,
            )
            for head in HEADS
        }
        for head, result in results.items():
            gain = result.difference(results[BASE])
            rows.append(Accuracy(name, n_shot, head, result.mean, result.ci95, *gain))
            print(" | ".join(rows[-1].cells()), flush=True)
    return rows


@dataclass(frozen=True)
class Time:
    """Seconds of the episodes of a head."""

    head: str
    n_episodes: int
    seconds: Sample
    bar: float | None
    goal: float | None

    def cells(self) -> tuple[str, ...]:
        """Render the row."""
        targets = tuple("" if value is None else f"{value:g}" for value in (self.bar, self.goal))
        met = "" if self.bar is None else "yes" if self.seconds.median <= self.bar else "no"
        return self.head, f"{self.n_episodes:,}", spread(self.seconds), *targets, met


def times(turns: int) -> list[Time]:
    """Measure whole calls of `evaluate_features`, heads in turns."""
    features, labels = made_features()
    seconds: list[list[float]] = [[] for _ in TIMES]
    for turn in range(turns + 1):
        for row, (head, n_episodes, _, _) in zip(seconds, TIMES, strict=True):
            if turn == 0 and n_episodes < 10_000:
                n_episodes = 10  # a short first turn, which does not count
            begin = time.perf_counter()
            skd.evaluate_features(
                features, labels, n_episodes=n_episodes, classifier=head, progress=False
            )
            if turn > 0:
                row.append(time.perf_counter() - begin)
    rows = [
        Time(head, n_episodes, Sample(tuple(row)), bar, goal)
        for row, (head, n_episodes, bar, goal) in zip(seconds, TIMES, strict=True)
    ]
    for measured in rows:
        print(" | ".join(measured.cells()), flush=True)
    return rows


def report(content: dict[str, Any]) -> list[str]:
    """Return the report in Markdown."""
    measured = [Accuracy(**row) for row in content["accuracies"]]
    timed = [
        Time(**{**row, "seconds": Sample(tuple(row["seconds"]))})
        for row in content["times"].get("rows", [])
    ]
    episodes = ", ".join(f"{count:,} with {shot} shot" for shot, count in EPISODES.items())
    return [
        "# Heads",
        "",
        "## Accuracy",
        "",
        "Balanced five-way episodes of the test classes with 15 queries of each class, one view of "
        f"each support image, and the default hyper-parameters: {episodes}. Percent with 95 % "
        f"intervals; the gain over `{BASE}` is paired, and its bar is {BAR:g} points with 1 shot.",
        "",
        *markdown_table(
            ("case", "shots", "head", "accuracy", "gain", "met"),
            [row.cells() for row in measured],
        ),
        "",
        "`simple_shot` misses the bar because it uses the queries only for the mean that it "
        "subtracts: its method is inductive.",
        "",
        "## Time",
        "",
        "Whole calls of `evaluate_features` on 12,000 made features of 640 dimensions, five-way "
        "one-shot with 15 queries of each class, drawing and hashes included. Seconds: median "
        f"(least-most) of the turns. {content['times'].get('machine', '')}.",
        "",
        *markdown_table(
            ("head", "episodes", "seconds", "bar", "goal", "bar met"),
            [row.cells() for row in timed],
        ),
    ]


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--case", nargs=3, action="append", default=[], metavar=("MODEL", "DATA", "ROOT")
    )
    parser.add_argument("--cache", type=Path, help="folder where embeddings are kept")
    parser.add_argument("--times", action="store_true", help="measure the times")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    if options.turns < 1:
        parser.error("--turns must be at least 1")
    file = options.output / "heads.json"
    content: dict[str, Any] = {"accuracies": [], "times": {}}
    if file.exists():
        content = json.loads(file.read_text())
    for case in options.case:
        rows = [asdict(row) for row in accuracies(tuple(case), options.cache)]
        kept = [row for row in content["accuracies"] if row["case"] != rows[0]["case"]]
        content["accuracies"] = kept + rows
    if options.times:
        threads = skd.get_num_threads()
        content["times"] = {
            "command": shown_command(sys.argv),
            "machine": f"{threads} threads; {Machine.this({threads})}",
            "rows": [
                {**asdict(row), "seconds": row.seconds.values} for row in times(options.turns)
            ],
        }
    content["skd"], content["instruction_set"] = skd.__version__, skd.instruction_set()
    write_report(options.output, "heads", content, report(content))


if __name__ == "__main__":
    main()
