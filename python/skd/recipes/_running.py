"""Running a recipe: its teachers, its training, its evaluation and its folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skd import _validation as check
from skd._files.bounded_json import finite_or_none
from skd._files.hashes import state_sha256
from skd._refusals import delegated
from skd._version import __version__
from skd.callbacks import Callback, HistoryFile
from skd.datasets import FewShotData, Split
from skd.distributed.mpi_ranks import ranks_of
from skd.errors import SKDError
from skd.evaluation import EvaluationResult, evaluate
from skd.history import History
from skd.models import Model, load_model
from skd.recipes import curves
from skd.recipes._building import (
    OpenData,
    Trainer,
    build_trainer,
    fit_options,
    open_data,
    training_split,
)
from skd.recipes._entries import naming_entries
from skd.recipes._folder import RunFolder
from skd.recipes._reading import from_table, load
from skd.recipes._requirements import require_scorable, require_trainable
from skd.recipes._schema import Recipe
from skd.recipes._teachers import teacher_recipe

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

FORMAT, VERSION = "skd-run", 1


class Run:
    """One training with its evaluation, in a folder; created by `plan`.

    With a communicator, only the first process reads and writes the folder.

    Attributes
    ----------
    recipe : Recipe
        Recipe of the run.
    folder : RunFolder
        Folder that everything is written to.
    is_teacher : bool
        Whether the run trains a teacher for another run.
    """

    def __init__(
        self, recipe: Recipe, folder: RunFolder, opens: OpenData, communicator: Intracomm | None
    ) -> None:
        self.recipe, self.folder = recipe, folder
        self.is_teacher = False
        self.ranks = ranks_of(communicator, "plan")
        self._teacher_file: Path | None = None
        self._opens = opens
        self._is_checked = False
        self.data: FewShotData
        self.split: Split
        self.teacher: Model | None = None
        self.trainer: Trainer

    def check(self) -> None:
        """Load the data, and check what training, evaluation and the folder will need.

        Nothing is written yet. A teacher that is not trained yet is not needed, so check all runs
        before the first one begins.

        Raises
        ------
        FileNotFoundError
            If the files of the data are missing.
        PermissionError
            If the folder is not writable.
        ValueError
            If data and recipe do not fit together; the message names the entry of the recipe.
        """
        with (
            self.ranks.abort_on_local_error(),
            self.ranks.raise_on_all_ranks(),
            naming_entries(self.recipe),
        ):
            self.data = self._opens(self.recipe.data)
            self.split = training_split(self.data, self.recipe.data)
            if self.ranks.is_first:
                check.output_folder(self.folder.path, "folder", "plan")
            require_trainable(self.recipe, self.data, self.split, self._known_teacher(), self.ranks)
            require_scorable(self.recipe, self.data, self.split)
        self._is_checked = True

    def prepare(self) -> None:
        """Load the teacher and create the trainer; nothing is written yet.

        Raises
        ------
        FileNotFoundError
            If the files of the data or the teacher are missing.
        ValueError
            If data, teacher and recipe do not fit together.
        """
        if not self._is_checked:
            self.check()
        ranks = self.ranks
        with ranks.abort_on_local_error():
            with ranks.raise_on_all_ranks():
                if self._teacher_file is not None:
                    self.teacher = load_model(self._teacher_file)
            with ranks.errors_on_all_ranks(ValueError, SKDError):
                self.trainer = build_trainer(
                    self.recipe, self.split, self.teacher, ranks.communicator
                )

    def _known_teacher(self) -> Model | None:
        """Return the teacher, if it is already trained."""
        file = self._teacher_file
        return load_model(file) if file is not None and file.exists() else None

    @property
    def steps_per_epoch(self) -> int:
        """Complete batches of an epoch."""
        return len(self.split) // self.recipe.schedule.batch_size

    def train(self, callbacks: Sequence[Callback] = (), *, progress: bool = True) -> History:
        """Train, or resume from the newest checkpoint of the folder.

        Parameters
        ----------
        callbacks : sequence of Callback, default=()
            Callbacks in addition to the history file; only those of the first process are called.
        progress : bool, default=True
            Show the progress; see `Gen0.fit`.

        Returns
        -------
        history : History
            One record per epoch.

        Raises
        ------
        NonFiniteLossError, SKDError, ValueError, WriteError
            As for `Gen0.fit`.
        """
        self._write(lambda: self.folder.begin(self.recipe))
        self._write(lambda: self.folder.list_unreadable(self.data.unreadable))
        listeners: list[Callback] = []
        if self.ranks.is_first:
            listeners = [HistoryFile(self.folder.history), *callbacks]
        history = self.trainer.fit(
            self.split,
            **fit_options(self.recipe, self.data),
            progress=progress,
            callbacks=listeners,
            checkpoint_dir=self.folder.checkpoints,
            resume=True,
        )
        self._write(lambda: curves.draw(history, self.folder.plots))
        return history

    def evaluate(self, history: History, *, progress: bool = True) -> dict[int, EvaluationResult]:
        """Choose the model, score it, and write model, evaluations and report.

        Parameters
        ----------
        history : History
            History of the training.
        progress : bool, default=True
            Show the progress; see `skd.evaluate`.

        Returns
        -------
        results : dict of int to EvaluationResult
            Results by the number of shots.
        """
        model, chosen = self._choose(history)
        self._write(lambda: model.save(self.folder.model))
        options = dataclasses.asdict(self.recipe.evaluation)
        del options["model"]
        name = options.pop("split")
        results = {}
        for n_shot in options.pop("n_shots"):
            results[n_shot] = result = evaluate(
                model,
                getattr(self.data, name),
                n_shot=n_shot,
                **options,
                data_name=self.recipe.data.name,
                split_name=name,
                progress=progress,
                communicator=self.ranks.communicator,
            )
            file = self.folder.evaluations / f"{n_shot}-shot.json"
            self._write(partial(result.save, file))
        report = self._report(model, chosen, results)
        self._write(lambda: self.folder.write_report(report))
        return results

    def _write(self, work: Callable[[], object]) -> None:
        """Do the work in the first process; if it fails, all ranks raise."""
        with self.ranks.abort_on_local_error(), self.ranks.raise_on_all_ranks():
            if self.ranks.is_first:
                work()

    def _choose(self, history: History) -> tuple[Model, str]:
        """Return the model to score, and a description of the choice."""
        best = history.best if self.recipe.evaluation.model == "best" else None
        if best is None or best is history[-1]:
            how = "the last epoch" if best is None else "the best epoch on val, the last one"
            return self.trainer.model, how
        model = load_model(self.folder.checkpoints / "best.safetensors")
        return model, f"the best epoch on val, {best.epoch} of {len(history)}"

    def _report(
        self, model: Model, chosen: str, results: dict[int, EvaluationResult]
    ) -> dict[str, Any]:
        """Return the content of report.json, which has no times or paths."""
        recipe = self.recipe
        evaluations = {
            f"{n_shot}-shot": {
                "mean": result.mean,
                "ci95": finite_or_none(result.ci95),
                "unit": "percent",
                "expected": _expected(recipe, n_shot),
                "options": dict(result.options),
                "provenance": dict(result.provenance),
            }
            for n_shot, result in results.items()
        }
        return {
            "format": FORMAT,
            "version": VERSION,
            "skd_version": __version__,
            "recipe": recipe.name,
            "stage": recipe.stage,
            "seed": recipe.seed,
            "model": {
                "file": self.folder.model.name,
                "chosen": chosen,
                "sha256": state_sha256(model.snapshot()),
            },
            "teacher": self.teacher and {"sha256": state_sha256(self.teacher.snapshot())},
            "training": {
                "epochs": recipe.schedule.epochs,
                "steps": self.trainer.steps_taken,
                "n_images": len(self.split),
                "n_unreadable": len(self.data.unreadable),
                "num_classes": self.split.num_classes,
                "sha256": self.split.sha256,
            },
            "evaluations": evaluations,
        }


def _expected(recipe: Recipe, n_shot: int) -> dict[str, Any] | None:
    """Return the expected accuracy for a report."""
    known = None if recipe.expected is None else recipe.expected.of(n_shot)
    if recipe.expected is None or known is None:
        return None
    return {"mean": known[0], "ci95": known[1], "source": recipe.expected.source}


def plan(
    recipe: Recipe,
    folder: str | PathLike[str] | None = None,
    *,
    resume: bool = False,
    communicator: Intracomm | None = None,
) -> list[Run]:
    """Plan the runs of a recipe: the missing teachers, then the recipe itself.

    Parameters
    ----------
    recipe : Recipe
        Recipe to run.
    folder : str or path, optional
        Folder of the run, by default ``runs/NAME``; teachers are searched for, and trained, next to
        it.
    resume : bool, default=False
        Resume the run in the folder, if there is one. Runs of teachers are always resumed.
    communicator : mpi4py.MPI.Intracomm, optional
        Communicator of the processes that run it together; see docs/how-to/distributed.md.

    Returns
    -------
    runs : list of Run
        Runs in their order; nothing is written yet.

    Raises
    ------
    ValueError
        If the folder holds a run and `resume` is False, or a run of another recipe, or the folder
        of a teacher holds a run of another recipe.
    FileNotFoundError
        If the file of a teacher does not exist.
    """
    check.instance(recipe, "recipe", "plan", Recipe)
    resume = check.boolean(resume, "resume", "plan")
    target = Path("runs", recipe.name) if folder is None else check.path(folder, "folder", "plan")
    ranks = ranks_of(communicator, "plan")
    with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
        return _planned(recipe, target, resume, communicator)


def _planned(
    recipe: Recipe, target: Path, resume: bool, communicator: Intracomm | None
) -> list[Run]:
    # Checked again, because it may have been created or changed by hand, also with NumPy numbers.
    recipe = from_table(recipe.to_table(), name=recipe.name)
    own = RunFolder(target)
    if own.is_started:
        if not resume:
            legal = "a new folder, unless resume=True"
            check.refuse("folder", "plan", legal, f"{str(target)!r}, which holds a run")
        own.require_same_run(recipe, may_be_longer=True)
    opens = cache(open_data)
    runs = [Run(recipe, own, opens, communicator)]
    while (teacher := runs[0].recipe.teacher) is not None:
        if teacher.checkpoint is not None and teacher.generations == 1:
            runs[0]._teacher_file = Path(teacher.checkpoint)
            if not runs[0]._teacher_file.exists():
                raise FileNotFoundError(f"There is no teacher {teacher.checkpoint!r}.")
            break
        wanted = teacher_recipe(runs[0].recipe)
        place = RunFolder(target.parent / wanted.name)
        runs[0]._teacher_file = place.model
        if place.is_started:
            place.require_same_run(wanted, may_be_longer=False)
            if place.is_finished:
                break
        run = Run(wanted, place, opens, communicator)
        run.is_teacher = True
        runs.insert(0, run)
    return runs


def run(
    recipe: Recipe | str | PathLike[str],
    folder: str | PathLike[str] | None = None,
    *,
    changes: Iterable[str] = (),
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    communicator: Intracomm | None = None,
) -> dict[int, EvaluationResult]:
    """Train and evaluate a recipe, and its missing teachers first, as `skd train` does.

    Parameters
    ----------
    recipe : Recipe, str or path
        Recipe, or an argument of `load`.
    folder : str or path, optional
        Folder of the run, by default ``runs/NAME``.
    changes : iterable of str, default=()
        Changes as for `load`; only for a recipe that is loaded here.
    resume : bool, default=False
        Resume the run in the folder, if there is one.
    callbacks : sequence of Callback, default=()
        Callbacks of the training of each run, called in the first process.
    communicator : mpi4py.MPI.Intracomm, optional
        Communicator of the processes that run it together; see docs/how-to/distributed.md.

    Returns
    -------
    results : dict of int to EvaluationResult
        Results by the number of shots.

    Raises
    ------
    ValueError, FileNotFoundError, SKDError
        As for `load`, `plan` and `Gen0.fit`.
    """
    if not isinstance(recipe, Recipe):
        with delegated("run", "load"):
            recipe = load(recipe, changes=changes)
    elif not isinstance(changes, Sequence) or changes:
        legal = "left out with a Recipe; changes are for recipes that are loaded"
        check.refuse("changes", "run", legal, check.shown(changes))
    listeners = check.instances(callbacks, "callbacks", "run", Callback)
    results: dict[int, EvaluationResult] = {}
    with delegated("run", "plan"):
        runs = plan(recipe, folder, resume=resume, communicator=communicator)
    for each in runs:
        each.check()
    for each in runs:
        each.prepare()
        results = each.evaluate(each.train(listeners))
    return results
