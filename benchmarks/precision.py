"""Does the arithmetic change the accuracy? Gen-0 on glyphs in float32 and in bfloat16.

    python benchmarks/precision.py                 # writes benchmarks/results/precision.{json,md}

Both start from the same weights, see the same batches and are scored on the same episodes of novel
classes; they differ in rounding alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import method
import skd
from speed.report import markdown_table, write_report

PRECISIONS = ("float32", "bfloat16")
PLAN = replace(method.Plan(), gen0_epochs=12)


def train_and_score(precision: str, data: skd.datasets.FewShotData, seed: int) -> dict[str, Any]:
    """Train Gen-0 in a precision and score it on 1-shot and 5-shot episodes."""
    train = method.training_split(data, PLAN.n_classes)
    model = skd.create_model(
        "resnet12",
        num_classes=train.n_classes,
        image_size=train.images.shape[1],
        widths=PLAN.widths,
        drop_rate=PLAN.drop_rate,
        precision=precision,
        seed=seed,
    )
    begin = time.perf_counter()
    skd.Gen0(model, optimizer=skd.SGD(lr=PLAN.gen0_lr), seed=seed).fit(
        train,
        epochs=PLAN.gen0_epochs,
        decay_epochs=[PLAN.gen0_epochs - 1],
        batch_size=PLAN.batch_size,
        augmentation="crop_flip",
        flip=False,  # a mirrored character is another shape
        seed=seed,
    )
    seconds = time.perf_counter() - begin
    scores = method.few_shot_results(model, data.test, PLAN.n_episodes)
    return {"precision": precision, "seed": seed, "seconds": seconds, "scores": scores}


def main() -> None:
    """Run both and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    data, runs = skd.datasets.load("glyphs"), []
    for seed in options.seeds:
        for precision in options.only:
            runs.append(train_and_score(precision, data, seed))
            print(runs[-1], flush=True)
    write_report(options.output, "precision", {"plan": asdict(PLAN), "runs": runs}, report(runs))


def report(runs: list[dict[str, Any]]) -> list[str]:
    """Render the runs, and the means over the seeds."""
    rows = [
        [run["precision"], str(run["seed"])]
        + [f"{s['mean']:.2f} ± {s['ci95']:.2f}" for s in run["scores"].values()]
        for run in runs
    ]
    for precision in PRECISIONS:
        scores = [run["scores"] for run in runs if run["precision"] == precision]
        if len(scores) > 1:
            means = ([score[shot]["mean"] for score in scores] for shot in scores[0])
            cells = [f"{statistics.mean(m):.2f} (deviation {statistics.stdev(m):.2f})" for m in means]
            rows.append([precision, f"mean of {len(scores)}", *cells])
    table = markdown_table(("precision", "seed", "1-shot", "5-shot"), rows)
    return [
        "# Accuracy by precision",
        "",
        f"`python benchmarks/precision.py`, skd {skd.__version__}, {skd.instruction_set()}:",
        f"Gen-0 of {PLAN.gen0_epochs} epochs on {PLAN.n_classes} classes of glyphs;",
        f"{PLAN.n_episodes} 5-way episodes of novel classes, accuracy in percent ± half-width of",
        "the 95 % interval over episodes, or standard deviation over seeds.",
        "",
        *table,
    ]


if __name__ == "__main__":
    main()
