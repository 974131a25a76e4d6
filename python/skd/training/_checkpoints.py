"""Checkpoints of `fit`: writing, rotating and resuming them."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._files.atomic import write_atomically
from skd._files.changes import make_folder, naming_errors, remove_file, rename_file
from skd._files.checksummed import checksummed_bytes, verified_content
from skd._files.temporaries import remove_leftovers
from skd.distributed.differences import differences
from skd.errors import DamagedCheckpointError, SKDError, WriteError
from skd.history import EpochRecord, History
from skd.models.checkpoint import TRAINING_PREFIX, model_metadata
from skd.training._progress import Progress
from skd.training._run_identity import environment, recipe

if TYPE_CHECKING:
    from skd.training._options import FitOptions
    from skd.training._trainer import Trainer

TRAINING_KEY = "skd.training"
BEST_KEY = "skd.best"
BEST_NAME = "best.safetensors"
NAME = re.compile(r"step-(\d{12})\.safetensors")
FORMAT = 1  # version of the JSON under TRAINING_KEY
KEPT = 2
Saved = tuple[dict[str, str], dict[str, NDArray[Any]]]


def newest_step(folder: Path) -> int:
    """Return the number of steps of the newest checkpoint in a folder, 0 if there is none."""
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return max((int(match[1]) for name in names if (match := NAME.fullmatch(name))), default=0)


class NotFiniteError(DamagedCheckpointError):
    """A checkpoint is intact, but holds NaN or infinite values."""


def _require_finite(saved: Saved) -> None:
    """Refuse a state with values that no step can continue from."""
    for name, array in saved[1].items():
        if not np.isfinite(array).all():
            raise NotFiniteError(f"{name} holds NaN or infinite values")


class Checkpoints:
    """The checkpoints of one run, in a folder."""

    def __init__(self, trainer: Trainer, options: FitOptions, folder: Path) -> None:
        self._trainer, self._options, self._folder = trainer, options, folder
        self._owner = f"{type(trainer).__name__}.fit"
        self._ranks = trainer.ranks
        self._recipe = recipe(trainer, options)
        #: Newest checkpoint that this run wrote or resumed from.
        self.newest: Path | None = None

    @contextmanager
    def naming_the_newest(self) -> Iterator[None]:
        """Add the checkpoint to resume from to write errors."""
        try:
            yield
        except WriteError as error:
            with suppress(OSError):
                if self.newest is not None and self.newest.exists():
                    error.checkpoint = self.newest
            raise

    def begin(self) -> Progress:
        """Create the folder, or restore trainer and model from its newest usable checkpoint.

        Only the first process touches the folder; it broadcasts the content to all.
        """
        present: list[Path] = []
        with self._ranks.raise_on_all_ranks():
            if self._ranks.is_first:
                make_folder(self._folder)
                present = self._present()
        present = self._ranks.broadcast(present)
        with self._ranks.errors_on_all_ranks(SKDError, ValueError):
            return self._begun(present)

    def _begun(self, present: list[Path]) -> Progress:
        if present and not self._options.resume:
            legal = "a folder without checkpoints, unless resume=True"
            got = f"{str(self._folder)!r} with {present[-1].name}"
            check.refuse("checkpoint_dir", self._owner, legal, got)
        progress = self._resumed(present) if present else Progress()
        with self._ranks.raise_on_all_ranks():
            if self._ranks.is_first:
                remove_leftovers(self._folder)
                self._remove_old()
        return progress

    def save(self, progress: Progress) -> None:
        """Write a checkpoint and remove all but the last two, in the first process."""
        trainer, model = self._trainer, self._trainer.model
        path = self._folder / f"step-{trainer.steps_taken:012}.safetensors"
        training = {
            "format": FORMAT,
            "recipe": self._recipe,
            "environment": environment(self._ranks),
            "progress": progress.encoded(),
        }
        metadata = {
            **model_metadata(model.config, model.normalization),
            TRAINING_KEY: json.dumps(training),
        }
        state, own = trainer.snapshot()
        state |= {TRAINING_PREFIX + name: array for name, array in own.items()}
        with self._ranks.raise_on_all_ranks():
            if self._ranks.is_first:
                write_atomically(path, checksummed_bytes(state, metadata))
                self.newest = path
                self._remove_old()
        self.newest = path

    def save_best(self, records: list[EpochRecord]) -> None:
        """Write the model if the last epoch is the best so far."""
        best = History(tuple(records)).best
        if best is None or best is not records[-1] or best.validation is None:
            return
        model = self._trainer.model
        note = json.dumps({"epoch": best.epoch, "accuracy": best.validation.mean})
        metadata = {**model_metadata(model.config, model.normalization), BEST_KEY: note}
        with self._ranks.raise_on_all_ranks():
            if self._ranks.is_first:
                write_atomically(
                    self._folder / BEST_NAME, checksummed_bytes(model.snapshot(), metadata)
                )

    def _remove_old(self) -> None:
        """Remove all checkpoints but the last two."""
        with naming_errors(self._folder):
            for old in self._present()[:-KEPT]:
                remove_file(old)

    def _present(self) -> list[Path]:
        """Return the checkpoints of the folder, the oldest first."""
        return sorted(path for path in self._folder.iterdir() if NAME.fullmatch(path.name))

    def _resumed(self, present: list[Path]) -> Progress:
        skipped: dict[Path, DamagedCheckpointError] = {}
        for path in reversed(present):
            try:
                saved = verified_content(self._read(path), requires_checksum=True)
                training = _training_of(saved)
                _require_finite(saved)
            except DamagedCheckpointError as error:
                skipped[path] = error
                continue
            progress = self._restored(saved, training, path)
            for bad, reason in skipped.items() if self._ranks.is_first else ():
                kind = "not finite" if isinstance(reason, NotFiniteError) else "damaged"
                renamed = bad.with_name(f"{bad.name}.{kind.replace(' ', '-')}")
                warnings.warn(
                    f"The checkpoint {str(bad)!r} is {kind} ({reason}); training resumes from "
                    f"{path.name!r}, and the other is renamed to {renamed.name!r}.",
                    stacklevel=6,
                )
                rename_file(bad, renamed.name)
            self.newest = path
            return progress
        reasons = ", ".join(f"{path.name}: {reason}" for path, reason in skipped.items())
        raise SKDError(f"No checkpoint of {str(self._folder)!r} is whole and finite ({reasons}).")

    def _read(self, path: Path) -> bytes:
        """Read a file in the first process and broadcast its content."""
        with self._ranks.raise_on_all_ranks():
            data = path.read_bytes() if self._ranks.is_first else b""
        return self._ranks.broadcast(data)

    def _restored(self, saved: Saved, training: dict[str, Any], path: Path) -> Progress:
        """Restore trainer and model from a saved state, if it belongs to this run."""
        self._require_same_run(training, path)
        trainer, own = {}, {}
        for name, array in saved[1].items():
            if name.startswith(TRAINING_PREFIX):
                trainer[name.removeprefix(TRAINING_PREFIX)] = array
            else:
                own[name] = array
        progress = Progress.decode(training["progress"])
        try:
            self._trainer.load_state_dict(trainer)
            self._trainer.model.load_state_dict(own)
        except (TypeError, ValueError) as error:
            raise SKDError(f"The checkpoint {str(path)!r} is not of this run: {error}") from error
        return progress

    def _require_same_run(self, training: dict[str, Any], path: Path) -> None:
        if training["format"] != FORMAT:
            legal = f"False, or for checkpoints of format {FORMAT}"
            check.refuse("resume", self._owner, legal, f"{str(path)!r}: {training['format']}")
        different = differences(training["recipe"], self._recipe)
        trained = len(training["progress"]["records"])
        if self._options.epochs < trained:
            different.append(f"epochs {self._options.epochs} after {trained} that are trained")
        if different:
            legal = f"False, or this must be the run of {str(path)!r}"
            check.refuse("resume", self._owner, legal, "; ".join(different))
        here, there = environment(self._ranks), training["environment"]
        if here != there and self._ranks.is_first:
            warnings.warn(
                f"The checkpoint {str(path)!r} was written by {there}; going on by {here} may "
                "differ in the last bits from a run without interruption.",
                stacklevel=8,
            )


def _training_of(saved: Saved) -> dict[str, Any]:
    """Return the training record of a checkpoint.

    Raises
    ------
    DamagedCheckpointError
        If the record is missing, as in a model that was saved alone, or impossible.
    """
    try:
        training: dict[str, Any] = json.loads(saved[0][TRAINING_KEY])
        if training["format"] == FORMAT:  # other formats are refused later, with their number
            Progress.decode(training["progress"])
            dict(training["recipe"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = f"its training record is missing or impossible ({type(error).__name__})"
        raise DamagedCheckpointError(reason) from error
    return training
