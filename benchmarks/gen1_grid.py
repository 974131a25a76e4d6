"""Which settings of Gen-1 make a student better than its teacher? Scored on validation classes.

    python benchmarks/gen1_grid.py gen1-cifar-fs-fast --runs RUNS --set data.root=DATA/CIFAR-FS \
        --set schedule.epochs=2 --trial optimizer.lr=0.001 --trial optimizer.lr=0.01 loss.beta=0.3

The teacher's finished run must be in RUNS. Each trial trains the recipe with its changes in a
folder of its own there; a trial that was stopped goes on where it was when the command is given
again. Differences to the teacher are paired: student and teacher meet the same episodes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import skd
import skd.recipes
from skd.recipes import Recipe, Run
from speed.machine import processor
from speed.report import markdown_table, shown_command, write_report

RESULTS = Path(__file__).parent / "results"
#: One view of each image: the differences are the same with more, at a fraction of the time.
SCORING = (
    "evaluation.split=val",
    "evaluation.n_episodes=2000",
    "evaluation.n_support_copies=1",
    "evaluation.support_augmentation=none",
)


def teachers_scores(run: Run) -> dict[int, skd.EvaluationResult]:
    """Score the teacher as the recipe scores the student."""
    assert run.teacher is not None
    options = dataclasses.asdict(run.recipe.evaluation)
    del options["model"]
    split = getattr(run.data, options.pop("split"))
    return {
        n_shot: skd.evaluate(run.teacher, split, n_shot=n_shot, **options)
        for n_shot in options.pop("n_shots")
    }


def trial(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Train one student, and compare it with its teacher."""
    *teachers, run = skd.recipes.plan(recipe, folder, resume=True)
    if teachers:
        raise SystemExit(f"train the teacher first: {teachers[-1].recipe.name}")
    run.prepare()
    history = run.train()
    students = run.evaluate(history)
    content: dict[str, Any] = {
        "epochs": recipe.schedule.epochs,
        "hours": sum(record.seconds for record in history) / 3600,
        "distillation": history[-1].losses.distillation,
        "twin": history[-1].losses.twin,
    }
    for n_shot, result in teachers_scores(run).items():
        content[f"{n_shot}_shot"] = {
            "teacher": result.mean,
            "student": students[n_shot].mean,
            "difference": list(students[n_shot].difference(result)),
        }
    return content


def write(rows: list[dict[str, Any]], command: str, output: Path) -> None:
    """Write the table."""
    lines = [
        "# Students of Gen-1, on validation classes",
        "",
        "5-way accuracy in percent over 2,000 episodes of one view of each image, by logistic",
        "regression. Differences to the teacher are paired, with the half-width of their 95 %",
        "interval.",
        "",
        *markdown_table(
            ["changes of the recipe", "epochs", "hours", "KL", "twin term", "1-shot", "5-shot"],
            [
                [
                    ", ".join(row["changes"]) or "-",
                    str(row["epochs"]),
                    f"{row['hours']:.2f}",
                    *(f"{row[name]:.4f}" for name in ("distillation", "twin")),
                    *(
                        "{:+.2f} ± {:.2f}".format(*row[name]["difference"])
                        for name in ("1_shot", "5_shot")
                    ),
                ]
                for row in rows
            ],
        ),
    ]
    content = {"machine": processor(), "command": command, "trials": rows}
    write_report(output, "gen1_grid", content, lines)


def main() -> None:
    """Run the trials that are not in the table yet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", help="name or file of a recipe of Gen-1")
    parser.add_argument("--runs", type=Path, required=True, help="folder with the teacher's run")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE")
    parser.add_argument("--trial", action="append", nargs="+", default=[], metavar="CHANGE")
    parser.add_argument("--threads", type=int, help="threads of this process; changes no result")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.threads:
        skd.set_num_threads(options.threads)
    file = options.output / "gen1_grid.json"
    rows = json.loads(file.read_text())["trials"] if file.exists() else []
    for changes in options.trial:
        if any(row["changes"] == changes for row in rows):
            continue
        recipe = skd.recipes.load(options.recipe, changes=[*options.set, *SCORING, *changes])
        folder = options.runs / "-".join([recipe.name, *changes])
        rows.append({"changes": changes, **trial(recipe, folder)})
        write(rows, shown_command(sys.argv), options.output)


if __name__ == "__main__":
    main()
