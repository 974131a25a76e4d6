"""Running a recipe with printed reports, for ``skd train`` and ``skd quickstart``."""

from __future__ import annotations

import importlib.util
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import skd
from skd._display.durations import duration
from skd.callbacks import Callback, TensorBoard
from skd.cli._formatting import aligned, flat
from skd.cli._processes import say
from skd.evaluation import EvaluationResult
from skd.evaluation.episode_options import range_text
from skd.history import History
from skd.recipes import Recipe, Run, plan
from skd.recipes.estimate import Estimate, estimate

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change an entry of the recipe, such as schedule.epochs=10; may be repeated.",
    ),
]
MakeCallbacks = Callable[[Run], Sequence[Callback]]


@dataclass(frozen=True)
class Outcome:
    """A run that is finished, with its history and its accuracies by the number of shots."""

    run: Run
    history: History
    results: dict[int, EvaluationResult]


def run_recipe(
    recipe: Recipe,
    folder: Path,
    *,
    resume: bool,
    callbacks: MakeCallbacks = lambda run: (),
    communicator: Intracomm | None = None,
    brief: bool = False,
    quiet: bool = False,
) -> Outcome:
    """Run a recipe after its missing teachers; print plan and results, or briefly the titles.

    A quiet run prints no plan and no progress.
    """
    runs = plan(recipe, folder, resume=resume, communicator=communicator)
    for run in runs:
        run.check()
    for run in runs:
        run.prepare()
        with run.ranks.abort_on_local_error(), run.ranks.raise_on_all_ranks():
            if not quiet:
                _introduce(run, brief=brief)
            listeners: list[Callback] = []
            if run.ranks.is_first:
                listeners = [*tensorboard(run, quiet=quiet), *callbacks(run)]
        history = run.train(listeners, progress=not quiet)
        results = run.evaluate(history, progress=not quiet)
        if not brief:
            say("\n".join(result_lines(run.recipe, results)))
        if not brief and not quiet:
            say(f"Model, report and history: {run.folder.path}")
    return Outcome(run, history, results)


def tensorboard(run: Run, *, quiet: bool) -> list[Callback]:
    """Return the writer of event files, if its library is installed."""
    if importlib.util.find_spec("tensorboardX") is None:
        if not quiet:
            say("No event files for TensorBoard: they need pip install tensorboardX.", err=True)
        return []
    return [TensorBoard(run.folder.tensorboard)]


def _introduce(run: Run, *, brief: bool) -> None:
    """Print the resolved recipe and the estimate; or, briefly, the title."""
    recipe = run.recipe
    purpose = " (the teacher)" if run.is_teacher else ""
    say(f"{recipe.title}{purpose}: {run.folder.path}")
    if brief:
        return
    say("\n".join(f"  {line}" for line in aligned(list(flat(recipe.to_table())))))
    if run.data.unreadable:
        say(unreadable_line(run))
    say("\n".join(estimate_lines(estimate(run), processes=run.ranks.size)))


def unreadable_line(run: Run) -> str:
    """Describe how many pictures were left out, and where they are listed."""
    left_out = run.data.unreadable
    files = "file" if len(left_out) == 1 else "files"
    return (
        f"left out  {len(left_out)} {files} of the data that cannot be read or have no class; "
        f"{run.folder.unreadable} lists them: {left_out[0]}"
    )


def estimate_lines(expected: Estimate, *, processes: int = 1) -> list[str]:
    """Describe the time and memory of a run."""
    training = expected.training
    steps = f"{training.steps} steps"
    if training.steps_done:
        steps += f", {training.steps_done} of them done"
    workers = f"{skd.get_num_threads()} threads"
    if processes > 1:
        workers += f" in each of {processes} processes"
    memory = (
        f"{training.step_bytes / 1e6:.0f} MB for training, besides the images; "
        f"{training.available_bytes / 1e6:.0f} MB are available"
    )
    return aligned(
        [
            (
                "estimate",
                f"{duration(expected.seconds)} on {workers}: training "
                f"{duration(training.training_seconds)} ({steps} of "
                f"{training.seconds_per_step:.3g} s), validations "
                f"{duration(training.validation_seconds)}, evaluation "
                f"{duration(expected.evaluation_seconds)}",
            ),
            ("memory", memory),
        ]
    )


def result_lines(recipe: Recipe, results: dict[int, EvaluationResult]) -> list[str]:
    """Describe the accuracies of a run next to the expected ones."""
    lines = []
    for n_shot, result in results.items():
        way = range_text(recipe.evaluation.n_way)
        line = f"{recipe.name}, {way}-way {n_shot}-shot, {recipe.evaluation.split}: {result}"
        known = recipe.expected and recipe.expected.of(n_shot)
        if known and recipe.expected:
            line += f"  (expected {known[0]:.2f} ± {known[1]:.2f}, {recipe.expected.source})"
        lines.append(line)
    return lines


def resuming(command: Sequence[str]) -> str:
    """Describe how to resume an interrupted run."""
    return f"To resume: {shlex.join(command)}"
