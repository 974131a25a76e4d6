"""How fast episodes are scored, and what a whole evaluation spends its time on.

    python benchmarks/evaluation.py                # benchmarks/results/evaluation.{json,md}

The classifiers of 600 five-way episodes are fitted and scored by `skd.evaluate_features` and, in
turns, by a loop over scikit-learn's LogisticRegression, on the same features and episodes. Then
whole evaluations of ResNet-12 on the glyphs tell the share of their forward passes. Run it on an
otherwise idle machine; it needs the extra ``test``.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import skd
from speed.machine import Machine
from speed.report import markdown_table, shown_command, spread, write_report
from speed.timing import Sample, median_ratio, take_turns, timed, timed_once

ROOT = Path(__file__).resolve().parents[1]
EPISODES = 600
WHOLE_EPISODES = 60  # of an evaluation with its forward passes, whose share is that of more
BAR = 20  # times as fast as scikit-learn's loop
CLASSES, IMAGES, DIMENSIONS = 20, 600, 640  # of miniImageNet's test split, and of ResNet-12
NOISE = 4.0  # such that examples teach about as much as on that split
MAX_ITERATIONS = 1000  # as in the published code


def made_features() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return features as a network makes them: not negative, around a centre of each class."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES), IMAGES)
    centres = generator.standard_normal((CLASSES, DIMENSIONS))
    noise = NOISE * generator.standard_normal((len(labels), DIMENSIONS))
    features = np.maximum(centres[labels] + noise, 0).astype(np.float32)
    return skd.l2_normalize(features), labels


def scikit_learn_accuracies(
    features: NDArray[np.float32], episodes: skd.Episodes
) -> NDArray[np.float64]:
    """Return the accuracies in percent of a loop over scikit-learn's classifier."""
    _, n_way, n_shot = episodes.support.shape
    support_labels = np.repeat(np.arange(n_way), n_shot)
    query_labels = np.repeat(np.arange(n_way), episodes.query.shape[2])
    accuracies = np.empty(len(episodes.support))
    for number, (support, query) in enumerate(zip(episodes.support, episodes.query, strict=True)):
        classifier = LogisticRegression(C=1.0, max_iter=MAX_ITERATIONS)
        classifier.fit(features[support.ravel()], support_labels)
        predicted = classifier.predict(features[query.ravel()])
        accuracies[number] = 100 * (predicted == query_labels).mean()
    return accuracies


@dataclass(frozen=True)
class Comparison:
    """Seconds of all episodes, and the mean accuracies that both came to."""

    n_shot: int
    threads: int
    ours: Sample
    theirs: Sample
    our_mean: float
    their_mean: float

    @property
    def ratio(self) -> float:
        """How many times faster than scikit-learn's loop: the median over the turns."""
        return median_ratio(self.theirs, self.ours)

    def cells(self) -> tuple[str, ...]:
        """Render the row."""
        return (
            f"{self.n_shot}-shot",
            str(self.threads),
            spread(self.ours.scaled(lambda seconds: 1000 * seconds)),
            spread(self.theirs.scaled(lambda seconds: 1000 * seconds)),
            f"{self.ratio:.1f}",
            f"{BAR}",
            "yes" if self.ratio >= BAR else "no",
            f"{self.our_mean:.2f} / {self.their_mean:.2f}",
        )

    def content(self) -> dict[str, Any]:
        """Return what the JSON file says of it."""
        return {
            **asdict(self),
            "ours": self.ours.values,
            "theirs": self.theirs.values,
            "ratio": self.ratio,
            "bar": BAR,
        }


COMPARISON_HEADINGS = (
    "episodes",
    "threads",
    "SKD, ms",
    "scikit-learn, ms",
    "ratio",
    "bar",
    "met",
    "mean accuracy, %",
)


def compare(n_shot: int, threads: int, turns: int) -> Comparison:
    """Score the episodes by both, in turns and with as many threads."""
    features, labels = made_features()
    episodes = skd.EpisodeSampler(labels, n_shot=n_shot).sample(0, EPISODES)

    def ours() -> skd.EvaluationResult:
        return skd.evaluate_features(features, labels, n_shot=n_shot, n_episodes=EPISODES)

    def theirs() -> NDArray[np.float64]:
        return scikit_learn_accuracies(features, episodes)

    skd.set_num_threads(threads)
    with threadpool_limits(limits=threads):
        samples = take_turns([timed(ours), timed_once(theirs)], turns)
        return Comparison(n_shot, threads, *samples, ours().mean, float(theirs().mean()))


@dataclass(frozen=True)
class Share:
    """Seconds of whole evaluations, and how much of each its forward passes took."""

    augmentation: str
    n_episodes: int
    images: int
    seconds: Sample
    share: Sample

    def cells(self) -> tuple[str, ...]:
        """Render the row."""
        return (
            self.augmentation,
            str(self.n_episodes),
            str(self.images),
            spread(self.seconds),
            f"{self.share.median:.1%} ({self.share.least:.1%}-{self.share.most:.1%})",
        )

    def content(self) -> dict[str, Any]:
        """Return what the JSON file says of it."""
        return {
            **asdict(self),
            "seconds": self.seconds.values,
            "share": self.share.values,
        }


SHARE_HEADINGS = (
    "support augmentation",
    "episodes",
    "images through the network",
    "evaluation, s",
    "share of the forward passes",
)


def measure_share(augmentation: str, n_episodes: int, turns: int) -> Share:
    """Evaluate ResNet-12 on the glyphs, its calls of `embed` timed."""
    split = skd.datasets.load("glyphs").val
    model = skd.create_model("resnet12", num_classes=64, image_size=32)
    calls: list[float] = []
    images = 0
    embed = model.embed

    def timed_embed(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        nonlocal images
        begin = time.perf_counter()
        embedding = embed(batch)
        calls.append(time.perf_counter() - begin)
        images += len(batch)
        return embedding

    model.embed = timed_embed  # type: ignore[method-assign, assignment]
    seconds, shares = [], []
    for turn in range(turns + 1):
        calls.clear()
        images = 0
        begin = time.perf_counter()
        skd.evaluate(model, split, n_episodes=n_episodes, support_augmentation=augmentation)
        elapsed = time.perf_counter() - begin
        if turn > 0:  # the first does not count
            seconds.append(elapsed)
            shares.append(sum(calls) / elapsed)
    return Share(augmentation, n_episodes, images, Sample(tuple(seconds)), Sample(tuple(shares)))


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, skd.get_num_threads()])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--episodes", type=int, default=WHOLE_EPISODES, help="of a whole evaluation"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    threads = sorted(set(options.threads))
    if threads[0] < 1 or threads[-1] > 256 or min(options.turns, options.episodes) < 1:
        parser.error("--threads must be in 1..256, --turns and --episodes at least 1")
    machine = Machine.this(set(threads))
    comparisons = []
    for n_shot in (1, 5):
        for count in threads:
            comparisons.append(compare(n_shot, count, options.turns))
            print(" | ".join(comparisons[-1].cells()), flush=True)
    skd.set_num_threads(threads[-1])
    shares = []
    for augmentation in ("crop_flip", "full", "none"):
        shares.append(measure_share(augmentation, options.episodes, min(options.turns, 2)))
        print(" | ".join(shares[-1].cells()), flush=True)
    command = shown_command(sys.argv)
    versions = {
        "skd": skd.__version__,
        "instruction_set": skd.instruction_set(),
        "scikit-learn": sklearn.__version__,
        "NumPy": np.__version__,
    }
    content = {
        "command": command,
        "versions": versions,
        "machine": asdict(machine),
        "turns": options.turns,
        "classifiers": [comparison.content() for comparison in comparisons],
        "evaluations": [share.content() for share in shares],
    }
    lines = [
        "# Evaluation",
        "",
        f"`{command}`, turns: {options.turns}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f"; {machine}.",
        "",
        "## Classifiers",
        "",
        f"{EPISODES} five-way episodes with 15 queries, {CLASSES * IMAGES} made features of "
        f"{DIMENSIONS} dimensions, logistic regression. SKD: the whole of `evaluate_features`, "
        "drawing of the episodes and hashes included. scikit-learn: fit and predict in a loop "
        "over the same episodes. Both may use so many threads. Milliseconds: median "
        "(least-most); the ratio is the median over the turns.",
        "",
        *markdown_table(COMPARISON_HEADINGS, [row.cells() for row in comparisons]),
        "",
        "## Whole evaluations",
        "",
        "ResNet-12 on the validation split of the glyphs, five-way one-shot, on "
        f"{threads[-1]} threads. Rows with augmentation have 5 copies of each support image.",
        "",
        *markdown_table(SHARE_HEADINGS, [share.cells() for share in shares]),
    ]
    write_report(options.output, "evaluation", content, lines)


if __name__ == "__main__":
    main()
