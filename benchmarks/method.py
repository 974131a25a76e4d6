"""Does the method work? RFS-simple, Gen-0 and Gen-1 on glyphs, over several seeds.

    python benchmarks/method.py                    # writes benchmarks/results/method.{json,md}

All three see the same number of images, rotated views counted: RFS-simple trains four times the
epochs of Gen-0. Gen-1 starts from Gen-0. The test split is scored once, at the end; every model
meets the same episodes.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import skd

METHODS = ("RFS-simple", "Gen-0", "Gen-1")


# When the rate drops tenfold, as a share of the epochs: the published schedules for CIFAR-FS
# (45, 60 and 75 of 90 epochs; 60 of 65) and of the paper's Gen-1 (5 of 8).
DECAYS = {"RFS-simple": (45 / 90, 60 / 90, 75 / 90), "Gen-0": (60 / 65,), "Gen-1": (5 / 8,)}


@dataclass(frozen=True)
class Plan:
    """What is trained, and how it is scored."""

    num_classes: int = 24  # of the training split
    widths: tuple[int, ...] = (32, 64, 128, 256)
    batch_size: int = 64
    drop_rate: float = 0.0  # of dropout and DropBlock, which only slow so short a training down
    gen0_epochs: int = 24
    gen0_lr: float = 0.05
    gen1_epochs: int = 8
    gen1_lr: float = 0.001
    gen1_beta: float = 0.05 / 3  # the least of the published weights
    n_episodes: int = 600

    @property
    def supervised_epochs(self) -> int:
        """Epochs of RFS-simple, which sees each image in one view instead of four."""
        return 4 * self.gen0_epochs


@dataclass
class Score:
    """A method's accuracies in percent, and the seconds of its training."""

    seconds: float
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    def mean(self, n_shot: int) -> float:
        """Mean accuracy."""
        return float(self.results[f"{n_shot}-shot"]["mean"])

    def ci95(self, n_shot: int) -> float:
        """Half-width of its 95 % interval over the episodes."""
        return float(self.results[f"{n_shot}-shot"]["ci95"])


@dataclass
class Comparison:
    """One seed's models, histories and scores, by method."""

    models: dict[str, skd.Model]
    histories: dict[str, skd.History]
    scores: dict[str, Score]


def training_split(data: skd.datasets.FewShotData, num_classes: int) -> skd.datasets.Split:
    """Return the first `num_classes` classes of the training split."""
    split = data.train
    chosen = split.labels < num_classes
    return skd.datasets.from_arrays(
        split.images[chosen],
        split.labels[chosen],
        mean=split.mean,
        std=split.std,
        class_names=split.class_names[:num_classes],
    )


def compare(
    plan: Plan,
    data: skd.datasets.FewShotData,
    seed: int,
    report: Callable[[str, Score], None] = lambda method, score: None,
) -> Comparison:
    """Train and score the three methods with one seed."""
    train = training_split(data, plan.num_classes)
    result = Comparison({}, {}, {})

    def run(method: str, trainer: Any, epochs: int) -> None:
        begin = time.perf_counter()
        history = trainer.fit(
            train,
            epochs=epochs,
            decay_epochs=[round(share * epochs) for share in DECAYS[method]],
            batch_size=plan.batch_size,
            augmentation="crop_flip",
            flip=False,  # a mirrored character is another shape
            seed=seed,
        )
        score = Score(time.perf_counter() - begin)
        score.results = few_shot_results(trainer.model, data.test, plan.n_episodes)
        result.models[method], result.histories[method] = trainer.model, history
        result.scores[method] = score
        report(method, score)

    def fresh_model() -> skd.Model:
        return skd.create_model(
            "resnet12",
            num_classes=train.num_classes,
            image_size=train.images.shape[1],
            widths=plan.widths,
            drop_rate=plan.drop_rate,
            seed=seed,
        )

    gen0_sgd, gen1_sgd = skd.SGD(lr=plan.gen0_lr), skd.SGD(lr=plan.gen1_lr)
    run(
        "RFS-simple",
        skd.Supervised(fresh_model(), optimizer=gen0_sgd, seed=seed),
        plan.supervised_epochs,
    )
    teacher = fresh_model()
    run("Gen-0", skd.Gen0(teacher, optimizer=gen0_sgd, seed=seed), plan.gen0_epochs)
    run(
        "Gen-1",
        skd.Gen1(teacher.clone(), teacher, beta=plan.gen1_beta, optimizer=gen1_sgd, seed=seed),
        plan.gen1_epochs,
    )
    return result


def few_shot_results(
    model: skd.Model, split: skd.datasets.Split, n_episodes: int
) -> dict[str, dict[str, Any]]:
    """Score a model on 1-shot and 5-shot episodes, without support augmentation."""
    results = {}
    for n_shot in (1, 5):
        result = skd.evaluate(
            model,
            split,
            n_shot=n_shot,
            n_episodes=n_episodes,
            n_support_copies=1,
            support_augmentation="none",
        )
        results[f"{n_shot}-shot"] = {"mean": result.mean, "ci95": result.ci95}
    return results


def raw_pixels(split: skd.datasets.Split, n_episodes: int) -> Score:
    """Score the pixels themselves with the same classifier: what a network has to beat."""
    features = split.images.reshape(len(split), -1).astype("float32")
    score = Score(0.0)
    for n_shot in (1, 5):
        result = skd.evaluate_features(features, split.labels, n_shot=n_shot, n_episodes=n_episodes)
        score.results[f"{n_shot}-shot"] = {"mean": result.mean, "ci95": result.ci95}
    return score


def summary(pixels: Score, seeds: dict[int, dict[str, Score]]) -> str:
    """Render the accuracies as a Markdown table: a row per method, a column per seed."""
    columns = [f"seed {seed}" for seed in seeds]
    lines = [f"| method | shots | {' | '.join(columns)} | mean of seeds |"]
    lines.append("|---" * (len(columns) + 3) + "|")
    for n_shot in (1, 5):
        value = f"{pixels.mean(n_shot):.2f} ± {pixels.ci95(n_shot):.2f}"
        cells = [value] * len(columns)
        lines.append(f"| raw pixels | {n_shot} | {' | '.join(cells)} | {pixels.mean(n_shot):.2f} |")
        for method in METHODS:
            scores = [by_method[method] for by_method in seeds.values()]
            cells = [f"{score.mean(n_shot):.2f} ± {score.ci95(n_shot):.2f}" for score in scores]
            mean = statistics.fmean(score.mean(n_shot) for score in scores)
            lines.append(f"| {method} | {n_shot} | {' | '.join(cells)} | {mean:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Run all seeds and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    plan, data, begin = Plan(), skd.datasets.load("glyphs"), time.perf_counter()
    pixels = raw_pixels(data.test, plan.n_episodes)
    seeds: dict[int, dict[str, Score]] = {}
    for seed in options.seeds:

        def report(method: str, score: Score, seed: int = seed) -> None:
            print(
                f"seed {seed} {method:10}  1-shot {score.mean(1):.2f} ± {score.ci95(1):.2f}  "
                f"5-shot {score.mean(5):.2f} ± {score.ci95(5):.2f}  {score.seconds:.0f} s",
                flush=True,
            )

        seeds[seed] = compare(plan, data, seed, report).scores
    table = summary(pixels, seeds)
    print(table)
    write_results(options.output, plan, pixels, seeds, table, time.perf_counter() - begin)


def write_results(
    folder: Path,
    plan: Plan,
    pixels: Score,
    seeds: dict[int, dict[str, Score]],
    table: str,
    seconds: float,
) -> None:
    """Write `method.json` and `method.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = "python benchmarks/method.py"
    content = {
        "command": command,
        "skd": skd.__version__,
        "python": platform.python_version(),
        "threads": skd.get_num_threads(),
        "seconds": round(seconds),
        "plan": asdict(plan),
        "raw pixels": asdict(pixels),
        "seeds": {
            seed: {method: asdict(score) for method, score in by_method.items()}
            for seed, by_method in seeds.items()
        },
    }
    (folder / "method.json").write_text(json.dumps(content, indent=2) + "\n")
    (folder / "method.md").write_text(
        f"# The method on glyphs\n\n`{command}`, {seconds / 60:.0f} minutes on "
        f"{skd.get_num_threads()} threads. 5-way, 15 queries, {plan.n_episodes} episodes of test "
        f"classes;\naccuracy in percent ± the half-width of the 95 % interval over episodes.\n\n"
        f"{table}\n\n`{plan}`\n"
    )


if __name__ == "__main__":
    sys.exit(main())
