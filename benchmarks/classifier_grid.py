"""`fit` of the linear classifiers against scikit-learn's, from 5 to 1000 classes.

    python benchmarks/classifier_grid.py      # benchmarks/results/classifiers_NAME.{json,md}
    python benchmarks/classifier_grid.py --turns 3

Both fit the same features of unit length, in turns and with the same number of threads, with C = 1
(alpha = 1) and the other parameters at their defaults. Their predictions of the same queries are
compared before any time is taken. Where scikit-learn's logistic regression stops too far from the
minimum to predict the same, another row has a scikit-learn that comes near to it. Run it on an
otherwise idle machine; it needs the extra ``test``. NAME is the instruction set of the library.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import sklearn.linear_model
import sklearn.svm
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import skd
from speed.machine import Machine
from speed.report import Target, markdown_table, number, shown_command, spread, write_report
from speed.timing import Sample, median_ratio, take_turns, timed, timed_once

ROOT = Path(__file__).resolve().parents[1]
TARGET = Target(2, 5)
SIZES = ((5, 50), (20, 50), (100, 5), (100, 20), (1000, 1), (1000, 5))  # classes, shots
DIMENSIONS = 640  # of ResNet-12
QUERIES = 2000
NOISE = 3.0  # such that a few queries are near the border of two classes
MAX_ITERATIONS = 1000  # of logistic regression, as in skd.LogisticRegression
SAME = 0.99  # of the predictions: both are at the same minimum
NEAR_TOLERANCE = 1e-6  # of scikit-learn near its minimum, on float64
CLASSIFIERS = {
    "LogisticRegression": (
        skd.LogisticRegression,
        lambda **options: sklearn.linear_model.LogisticRegression(
            max_iter=MAX_ITERATIONS, **options
        ),
    ),
    "LinearSVC": (skd.LinearSVC, lambda: sklearn.svm.LinearSVC(random_state=0)),
    "RidgeClassifier": (skd.RidgeClassifier, sklearn.linear_model.RidgeClassifier),
}
#: Cells in which scikit-learn is left out, and why.
LEFT_OUT = {("LinearSVC", 1000, 5): "1000 problems of 5000 samples would take it minutes"}
SLOW_SECONDS = 2.0  # of a fit: from there on, two turns are enough
SLOW_TURNS = 2


@dataclass(frozen=True)
class Samples:
    """A labelled set to fit to, and queries of the same classes."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    queries: NDArray[np.float32]

    @classmethod
    def made(cls, classes: int, shots: int) -> Samples:
        """Make features as a network does: not negative, around a centre of each class."""
        generator = np.random.default_rng(classes + shots)
        centres = generator.standard_normal((classes, DIMENSIONS))

        def around(labels: NDArray[np.int64]) -> NDArray[np.float32]:
            noise = NOISE * generator.standard_normal((len(labels), DIMENSIONS))
            return skd.l2_normalize(np.maximum(centres[labels] + noise, 0).astype(np.float32))

        labels = np.repeat(np.arange(classes), shots)
        return cls(around(labels), labels, around(generator.integers(classes, size=QUERIES)))


@dataclass(frozen=True)
class Cell:
    """Seconds of `fit` of one classifier, and the share of queries with the same predictions."""

    classifier: str
    classes: int
    shots: int
    settings: str  # scikit-learn's
    ours: Sample
    theirs: Sample | None
    agreement: float | None

    @property
    def name(self) -> str:
        """Classifier and size."""
        return f"{self.classifier}, {self.classes} x {self.shots} ({self.settings})"

    @property
    def ratio(self) -> float | None:
        """How many times as fast as scikit-learn: the median over the turns."""
        return None if self.theirs is None else median_ratio(self.theirs, self.ours)

    def cells(self) -> list[str]:
        """Render the row."""
        size = f"{self.classes} x {self.shots}"
        head = [self.classifier, size, self.settings, _milliseconds(self.ours)]
        if self.theirs is None or self.ratio is None or self.agreement is None:
            return [*head, "left out", "-", str(TARGET), "-", "-"]
        return [
            *head,
            _milliseconds(self.theirs),
            number(self.ratio),
            str(TARGET),
            TARGET.verdict(self.ratio),
            f"{self.agreement:.2%}",
        ]

    def content(self) -> dict[str, Any]:
        """Return what the JSON file says of the cell."""
        return {
            **asdict(self),
            "ours": self.ours.values,
            "theirs": None if self.theirs is None else self.theirs.values,
            "ratio": self.ratio,
        }


HEADINGS = (
    "classifier",
    "classes x shots",
    "scikit-learn's settings",
    "SKD, ms",
    "scikit-learn, ms",
    "ratio",
    "bar (goal)",
    "met",
    "same predictions",
)


def _milliseconds(sample: Sample) -> str:
    return spread(sample.scaled(lambda seconds: 1000 * seconds))


def measured(name: str, classes: int, shots: int, turns: int) -> list[Cell]:
    """Measure one size: with scikit-learn's defaults, and near its minimum if need be."""
    if (name, classes, shots) in LEFT_OUT:
        return [ours_alone(name, classes, shots)]
    cells = [compared(name, classes, shots, turns)]
    agreement = cells[0].agreement
    if name == "LogisticRegression" and agreement is not None and agreement < SAME:
        cells.append(compared(name, classes, shots, turns, is_near=True))
    return cells


def ours_alone(name: str, classes: int, shots: int) -> Cell:
    """Time SKD where scikit-learn is left out."""
    samples = Samples.made(classes, shots)
    classifier = CLASSIFIERS[name][0]()
    run = timed_once(lambda: classifier.fit(samples.features, samples.labels))
    return Cell(name, classes, shots, "-", take_turns([run], SLOW_TURNS)[0], None, None)


def compared(name: str, classes: int, shots: int, turns: int, *, is_near: bool = False) -> Cell:
    """Compare the predictions of both, then time their fits in turns."""
    samples = Samples.made(classes, shots)
    ours = CLASSIFIERS[name][0]()
    theirs = CLASSIFIERS[name][1](**({"tol": NEAR_TOLERANCE} if is_near else {}))
    their_features = samples.features.astype(np.float64) if is_near else samples.features

    def fit_ours() -> None:
        ours.fit(samples.features, samples.labels)

    def fit_theirs() -> None:
        theirs.fit(their_features, samples.labels)

    fit_ours()
    begin = time.perf_counter()
    fit_theirs()
    is_slow = time.perf_counter() - begin > SLOW_SECONDS
    agreement = (ours.predict(samples.queries) == theirs.predict(samples.queries)).mean()
    runners = [timed(fit_ours), timed_once(fit_theirs) if is_slow else timed(fit_theirs)]
    times = take_turns(runners, min(turns, SLOW_TURNS) if is_slow else turns)
    settings = f"float64, tol={NEAR_TOLERANCE:g}" if is_near else "defaults"
    return Cell(name, classes, shots, settings, *times, float(agreement))


def write(cells: list[Cell], threads: int, turns: int, folder: Path) -> None:
    """Write the table and all times."""
    machine = Machine.this({threads})
    versions = {
        "skd": skd.__version__,
        "scikit-learn": sklearn.__version__,
        "NumPy": np.__version__,
    }
    software = ", ".join(f"{name} {version}" for name, version in versions.items())
    compared = [(cell.ratio, cell) for cell in cells if cell.ratio is not None]
    worst_ratio, worst = min(compared, key=lambda pair: pair[0])
    missed = [cell.name for ratio, cell in compared if TARGET.verdict(ratio) == "missed"]
    left_out = [
        f"{name} at {classes} x {shots} is left out: {reason}."
        for (name, classes, shots), reason in LEFT_OUT.items()
    ]
    lines = [
        "# Linear classifiers: SKD and scikit-learn",
        "",
        f"`{shown_command(sys.argv)}`; {software}; {machine}; {threads} threads each.",
        "",
        f"`fit` to made features of {DIMENSIONS} dimensions and unit length, in milliseconds: "
        f"median (least-most) of {turns} turns, of {SLOW_TURNS} where scikit-learn takes more than "
        f"{SLOW_SECONDS:g} s. The ratio is the median over the turns. The last column is the share "
        f"of {QUERIES} queries that both give the same class; the solvers stop at their default "
        "tolerances. SKD computes in float64, scikit-learn in the dtype that it chooses for "
        f"float32 features. Where its logistic regression predicts less than {SAME:.0%} the same, "
        "it has stopped before the minimum; the next row has it come nearer. " + " ".join(left_out),
        "",
        f"The worst cell is {worst.name}: {number(worst_ratio)}. "
        + (f"Below the bar: {'; '.join(missed)}." if missed else "Every cell meets the bar."),
        "",
        *markdown_table(HEADINGS, [cell.cells() for cell in cells]),
    ]
    content = {
        "machine": asdict(machine),
        "versions": versions,
        "threads": threads,
        "turns": turns,
        "worst": {"cell": worst.name, "ratio": worst_ratio},
        "cells": [cell.content() for cell in cells],
    }
    name = skd.instruction_set().lower().replace("-", "")
    write_report(folder, f"classifiers_{name}", content, lines)


def main() -> None:
    """Measure all cells and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=skd.get_num_threads())
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    if not 1 <= options.threads <= 256 or options.turns < 1:
        parser.error("--threads must be in 1..256, --turns at least 1")
    skd.set_num_threads(options.threads)
    cells = []
    with threadpool_limits(limits=options.threads), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        for name in CLASSIFIERS:
            for classes, shots in SIZES:
                for cell in measured(name, classes, shots, options.turns):
                    cells.append(cell)
                    print(" | ".join(cell.cells()), flush=True)
    write(cells, options.threads, options.turns, options.output)


if __name__ == "__main__":
    main()
