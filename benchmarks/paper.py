"""Does it reach the paper's numbers? Runs a recipe on its real images and adds a row.

    python benchmarks/paper.py gen0-cifar-fs-fast --set data.root=DATA/CIFAR-FS --folder RUNS/gen0
    python benchmarks/paper.py gen0-cifar-fs-fast ... --paired-with RUNS/rfs-simple

A run that was stopped (Ctrl-C, SIGTERM, a crash) goes on where it was when the command is given
again. When training is done, the test classes are scored once, by the classifier of the recipe and
by the nearest centroid, and `benchmarks/results/paper.{json,md}` get the row. docs/how-to/data.md
tells where the images come from; none of them is kept here.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import skd
import skd.recipes
from skd.callbacks import Callback
from skd.history import EpochRecord, History
from skd.recipes import Recipe, Run
from speed.machine import processor
from speed.report import markdown_table, shown_command, write_report

RESULTS = Path(__file__).parent / "results"
SHOTS = {1: "one_shot", 5: "five_shot"}
OTHER_HEAD = "nearest_centroid"


class Sessions(Callback):
    """Counts the processes that trained a run, and the processor time of each of its epochs.

    A line of ``sessions.jsonl`` is written when training begins or goes on, and after each epoch.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._processor = time.process_time()

    def _write(self, **content: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(content) + "\n")

    def on_begin(self, start: skd.callbacks.RunStart) -> None:
        """Note a process that trains."""
        self._processor = time.process_time()
        if start.steps_done < start.epochs * start.steps_per_epoch:
            self._write(begins_after_steps=start.steps_done, threads=skd.get_num_threads())

    def on_epoch(self, record: EpochRecord) -> None:
        """Note the processor time since the last note."""
        now = time.process_time()
        self._write(epoch=record.epoch, processor_seconds=now - self._processor)
        self._processor = now

    def totals(self) -> tuple[int, float]:
        """Return how often the run was interrupted, and hours of all processors together."""
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        starts = sum("begins_after_steps" in line for line in lines)
        seconds = sum(line.get("processor_seconds", 0.0) for line in lines)
        return starts - 1, seconds / 3600


def train(recipe: Recipe, folder: Path) -> tuple[Run, History, Sessions]:
    """Train a recipe in its folder, or what is left of it; its teacher must be there."""
    *teachers, run = skd.recipes.plan(recipe, folder, resume=True)
    if teachers:
        raise SystemExit(f"train the teacher first: {teachers[-1].recipe.name}")
    run.prepare()
    folder.mkdir(parents=True, exist_ok=True)
    sessions = Sessions(folder / "sessions.jsonl")
    return run, run.train([sessions]), sessions


def scores(run: Run, history: History) -> dict[str, Any]:
    """Score the test classes once; reports of both classifiers stay in the run's folder."""
    own = run.evaluate(history)
    options = dataclasses.asdict(run.recipe.evaluation)
    for name in ("model", "n_shots"):
        del options[name]
    split = options.pop("split")
    content: dict[str, Any] = {SHOTS[n]: [r.mean, r.ci95] for n, r in own.items()}
    content[OTHER_HEAD] = {}
    model = skd.load_model(run.folder.model)
    for n_shot in own:
        result = skd.evaluate(
            model,
            getattr(run.data, split),
            n_shot=n_shot,
            **{**options, "classifier": OTHER_HEAD},
            data_name=run.recipe.data.name,
            split_name=split,
        )
        result.save(run.folder.evaluations / f"{n_shot}-shot-{OTHER_HEAD}.json")
        content[OTHER_HEAD][SHOTS[n_shot]] = [result.mean, result.ci95]
    return content


def paired(folder: Path, other: Path) -> dict[str, Any]:
    """Compare two runs on the same episodes."""
    row = json.loads((other / "report.json").read_text())
    content: dict[str, Any] = {"recipe": row["recipe"], "seed": row["seed"]}
    for n_shot, name in SHOTS.items():
        file = Path("evaluations", f"{n_shot}-shot.json")
        own, others = (skd.EvaluationResult.load(place / file) for place in (folder, other))
        content[name] = list(own.difference(others))
    return content


def curve(history: History) -> list[list[float]]:
    """Return hours of training and validation accuracy after each epoch that was validated."""
    points, seconds = [], 0.0
    for record in history:
        seconds += record.seconds
        if record.validation is not None:
            points.append([seconds / 3600, record.validation.mean])
    return points


def entry(
    run: Run, history: History, sessions: Sessions, changes: list[str], command: str
) -> dict[str, Any]:
    """Return the row of a run that is finished."""
    recipe, (interruptions, processor_hours) = run.recipe, sessions.totals()
    expected = recipe.expected
    report = json.loads(run.folder.report.read_text())
    return {
        "recipe": recipe.name,
        "changes": [change for change in changes if not change.startswith("data.root")],
        "data": recipe.data.name,
        "data_sha256": report["training"]["sha256"],
        "seed": recipe.seed,
        "published": expected and {name: list(expected.of(n) or ()) for n, name in SHOTS.items()},
        "epochs": recipe.schedule.epochs,
        "hours": sum(record.seconds for record in history) / 3600,
        "processor_hours": processor_hours,
        "interruptions": interruptions,
        "chosen": report["model"]["chosen"],
        "curve": curve(history),
        "machine": processor(),
        "threads": skd.get_num_threads(),
        "instruction_set": skd.instruction_set(),
        "weights_sha256": report["model"]["sha256"],
        "command": command,
    }


def updated(rows: list[dict[str, Any]], row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows with one more, or with the one of the same run replaced."""
    key = ("recipe", "data_sha256", "seed", "changes")
    others = [old for old in rows if any(old[name] != row[name] for name in key)]
    return sorted([*others, row], key=lambda each: (each["data"], each["recipe"], each["seed"]))


def interval(value: list[float] | None) -> str:
    """Render a mean and the half-width of its interval."""
    return "-" if not value else f"{value[0]:.1f} ± {value[1]:.1f}"


def difference(row: dict[str, Any], shots: str) -> str:
    """Render the paired difference of a row."""
    pair = row.get("paired_with")
    return "-" if pair is None else f"{pair[shots][0]:+.1f} ± {pair[shots][1]:.1f}"


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Render the rows as Markdown."""
    headings = ["recipe", "seed", "1-shot", "5-shot", "nearest centroid 1 / 5", "published 1 / 5"]
    headings += ["against", "1-shot", "5-shot", "epochs", "hours", "interrupted"]
    lines = []
    for row in rows:
        published = row["published"] or {}
        pair = row.get("paired_with")
        lines.append(
            [
                " ".join([row["recipe"], *row["changes"]]),
                str(row["seed"]),
                *(interval(row[name]) for name in SHOTS.values()),
                " / ".join(f"{row[OTHER_HEAD][name][0]:.1f}" for name in SHOTS.values()),
                " / ".join(interval(published.get(name)) for name in SHOTS.values()),
                "-" if pair is None else pair["recipe"],
                *(difference(row, name) for name in SHOTS.values()),
                str(row["epochs"]),
                f"{row['hours']:.1f}",
                str(row["interruptions"]),
            ]
        )
    return markdown_table(headings, lines)


def write(rows: list[dict[str, Any]], folder: Path = RESULTS) -> None:
    """Write `paper.json` and `paper.md`."""
    machines = sorted({f"{row['machine']}, {row['threads']} threads" for row in rows})
    lines = [
        "# The paper's numbers on the paper's images",
        "",
        "5-way accuracy on the test classes in percent ± the half-width of the 95 % interval over",
        "600 episodes, of logistic regression and of the nearest centroid. The test classes are",
        "scored once, when a run is finished; all choices were made on validation classes. Paired",
        "differences are on the same episodes. Hours are hours of training by the clock, during",
        "which other programs ran too; `paper.json` has the processor's hours and the commands.",
        "",
        f"Machines: {'; '.join(machines)}.",
        "",
        *table(rows),
    ]
    write_report(folder, "paper", {"runs": rows}, lines)


def main() -> None:
    """Train, score and write the row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", help="name or file of a recipe")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the run")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE")
    parser.add_argument("--paired-with", type=Path, metavar="FOLDER", help="another finished run")
    parser.add_argument("--threads", type=int, help="threads of this process; changes no result")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.threads:
        skd.set_num_threads(options.threads)
    if skd.recipes.RunFolder(options.folder).is_finished:
        parser.error(f"the run in {options.folder} is finished: its test classes are scored once")
    recipe = skd.recipes.load(options.recipe, changes=options.set)
    run, history, sessions = train(recipe, options.folder)
    measured = scores(run, history)
    row = {
        **entry(run, history, sessions, options.set, shown_command(sys.argv)),
        **measured,
        "paired_with": options.paired_with and paired(options.folder, options.paired_with),
    }
    file = options.output / "paper.json"
    rows = json.loads(file.read_text())["runs"] if file.exists() else []
    write(updated(rows, row), options.output)
    print("\n".join(table([row])))


if __name__ == "__main__":
    main()
