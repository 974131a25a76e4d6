"""The main job in a few minutes: RFS-simple, Gen-0 and Gen-1 on the embedded glyphs.

    make demo

Trains the three, scores them on novel classes, prints a table and leaves checkpoints, plots and
numbers in a folder. It is the short form of `method.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from rich.console import Console
from rich.table import Table

import method
import skd

PLAN = method.Plan(gen0_epochs=18, gen1_epochs=2, n_episodes=300)
PLOTTED_CLASSES = 8


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/demo"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    console = Console()
    data = skd.datasets.load("glyphs")
    console.print(
        f"glyphs: {PLAN.num_classes} training classes, {data.test.num_classes} novel test classes; "
        f"{skd.get_num_threads()} threads"
    )
    comparison = method.compare(
        PLAN, data, seed=0, report=lambda name, score: console.print(describe(name, score))
    )
    pixels = method.raw_pixels(data.test, PLAN.n_episodes)
    console.print(table(pixels, comparison))
    save(options.output, pixels, comparison, data)
    console.print(f"Checkpoints, plots and numbers are in {options.output}/")


def describe(name: str, score: method.Score) -> str:
    """Say a score in one line."""
    return f"{name}: 1-shot {score.mean(1):.1f} %, trained in {score.seconds:.0f} s"


def table(pixels: method.Score, comparison: method.Comparison) -> Table:
    """Render all scores."""
    result = Table(title=f"5-way accuracy in percent, {PLAN.n_episodes} episodes, ± ci95")
    for column in ("method", "1-shot", "5-shot", "seconds"):
        result.add_column(column, justify="left" if column == "method" else "right")
    for name, score in {"raw pixels": pixels, **comparison.scores}.items():
        cells = [f"{score.mean(shots):.2f} ± {score.ci95(shots):.2f}" for shots in (1, 5)]
        result.add_row(name, *cells, f"{score.seconds:.0f}")
    return result


def save(
    folder: Path,
    pixels: method.Score,
    comparison: method.Comparison,
    data: skd.datasets.FewShotData,
) -> None:
    """Write checkpoints, plots and numbers."""
    for name, model in comparison.models.items():
        model.save(folder / f"{name.lower()}.safetensors")
    plot_training(comparison, folder / "training.png")
    plot_embedding(comparison, data.test, folder / "embedding.png")
    scores = {"raw pixels": pixels, **comparison.scores}
    content = {
        "plan": asdict(PLAN),
        "scores": {name: asdict(score) for name, score in scores.items()},
    }
    (folder / "results.json").write_text(json.dumps(content, indent=2) + "\n")


def plot_training(comparison: method.Comparison, path: Path) -> None:
    """Draw loss and training accuracy over the epochs of each method."""
    figure, axes = plt.subplots(2, 3, figsize=(11, 5.5), layout="constrained")
    for (name, history), (above, below) in zip(comparison.histories.items(), axes.T, strict=True):
        epochs = [record.epoch for record in history]
        above.plot(epochs, [record.losses.total for record in history], color="#0072b2")
        above.set(title=name, xlabel="epoch", ylabel="loss", ylim=(0, None))
        accuracy = [100 * record.losses.accuracy for record in history]
        below.plot(epochs, accuracy, color="#d55e00")
        below.set(xlabel="epoch", ylabel="training accuracy (%)", ylim=(0, 102))
        for axis in (above, below):
            axis.locator_params(axis="x", integer=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def plot_embedding(comparison: method.Comparison, split: skd.datasets.Split, path: Path) -> None:
    """Draw the two principal components of a few novel classes for each method."""
    chosen = split.labels < PLOTTED_CLASSES
    images, labels = split.images[chosen], split.labels[chosen]
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.3), layout="constrained")
    colors = plt.get_cmap("tab10")
    for (name, model), axis in zip(comparison.models.items(), axes, strict=True):
        points = principal_components(skd.l2_normalize(model.embed(images)))
        for label in range(PLOTTED_CLASSES):
            axis.scatter(*points[labels == label].T, s=12, color=colors(label))
        axis.set(title=name, xlabel="first principal component", xticks=[], yticks=[])
    axes[0].set_ylabel("second principal component")
    title = f"Embeddings of {PLOTTED_CLASSES} novel classes (one colour each)"
    figure.suptitle(title)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def principal_components(rows: np.ndarray) -> np.ndarray:
    """Project rows to their two directions of largest variance."""
    centred = rows - rows.mean(axis=0)
    directions = np.linalg.svd(centred, full_matrices=False)[2]
    return centred @ directions[:2].T


if __name__ == "__main__":
    sys.exit(main())
