"""Logging to TensorBoard."""

from __future__ import annotations

import importlib
from os import PathLike
from typing import TYPE_CHECKING

from skd import _validation as check
from skd.callbacks.metrics import EVERY_STEPS, MetricsCallback
from skd.history import EpochRecord
from skd.training import RunStart

if TYPE_CHECKING:
    from skd.callbacks._event_file import EventFile


class TensorBoard(MetricsCallback):
    """Writes event files; look at them with ``tensorboard --logdir FOLDER``.

    It needs tensorboardX (``pip install tensorboardX``).

    Parameters
    ----------
    folder : str or path
        Folder to write to, which is created. A resumed run discards records after its checkpoint.
    every_steps : int, default=10
        Number of steps between two logged steps; every epoch is logged.

    Raises
    ------
    ImportError
        If tensorboardX is missing.

    Notes
    -----
    If the file cannot be written, `fit` raises `WriteError`, and earlier records are kept.
    """

    def __init__(self, folder: str | PathLike[str], *, every_steps: int = EVERY_STEPS) -> None:
        super().__init__(every_steps=every_steps)
        importlib.import_module("tensorboardX")
        self.folder = check.path(folder, "folder", "TensorBoard")
        self._file: EventFile | None = None

    def on_begin(self, start: RunStart) -> None:
        """Open a new event file."""
        from skd.callbacks._event_file import EventFile  # needs tensorboardX

        super().on_begin(start)
        purge_step = start.steps_done + 1 if start.steps_done else None
        self._file = EventFile(self.folder, purge_step=purge_step)

    def on_epoch(self, record: EpochRecord) -> None:
        """Log the epoch, and flush the file to the disk."""
        super().on_epoch(record)
        if self._file is not None:
            self._file.sync()

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Log some numbers; see `MetricsCallback.log`."""
        if self._file is not None:
            self._file.add_scalars(metrics, step)

    def on_end(self, error: BaseException | None) -> None:
        """Close the file."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
