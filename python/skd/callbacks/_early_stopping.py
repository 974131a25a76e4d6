"""An end to trainings that no longer improve."""

from __future__ import annotations

import logging

from skd import _validation as check
from skd.choices import Monitor, values
from skd.history import EpochRecord
from skd.training import Callback, RunStart

MONITORS: tuple[Monitor, ...] = values(Monitor)


class EarlyStopping(Callback):
    """Ends a training after some epochs without improvement.

    `fit` then returns the history of the epochs so far. The model keeps its last weights; with
    ``checkpoint_dir``, ``best.safetensors`` has those with the best validation accuracy. A resumed
    run counts the epochs before the interruption, too.

    Parameters
    ----------
    patience : int, default=10
        Number of validations in a row without improvement after which the training ends; of epochs
        if the loss is monitored.
    monitor : {"val_accuracy", "loss"}, default="val_accuracy"
        Number that must improve: the accuracy on `val`, or the loss of the training.
    min_delta : float, default=0.0
        Difference that an improvement must exceed, in percent for the accuracy.

    Attributes
    ----------
    best_epoch : int or None
        Epoch of the best number so far.
    should_stop : bool
        Whether the training ends after the epoch.

    Examples
    --------
    >>> stopping = EarlyStopping(patience=5)  # gen0.fit(..., val=data.val, callbacks=[stopping])
    """

    def __init__(
        self, *, patience: int = 10, monitor: Monitor = "val_accuracy", min_delta: float = 0.0
    ) -> None:
        owner = "EarlyStopping"
        self.patience = check.integer(patience, "patience", owner, minimum=1)
        self.monitor = check.choice(monitor, "monitor", owner, MONITORS)
        self.min_delta = check.number(min_delta, "min_delta", owner)
        self._forget()

    def _forget(self) -> None:
        self.should_stop = False
        self.best_epoch: int | None = None
        self._best = 0.0
        self._without_improvement = 0

    def on_begin(self, start: RunStart) -> None:
        """Count the epochs of the run so far; refuse a run without the number to monitor."""
        if self.monitor == "val_accuracy" and start.val_every is None:
            check.refuse("val", f"{start.objective}.fit", f"a Split for {self}", "None")
        self._forget()
        for record in start.records:
            self.on_epoch(record)

    def on_epoch(self, record: EpochRecord) -> None:
        """Compare the epoch with the best one."""
        value = self._value(record)
        if value is None or self.should_stop:
            return
        if self.best_epoch is None or value > self._best + self.min_delta:
            self.best_epoch, self._best, self._without_improvement = record.epoch, value, 0
            return
        self._without_improvement += 1
        if self._without_improvement >= self.patience:
            self.should_stop = True
            logging.getLogger("skd").info(
                "%r ends the training after epoch %d; epoch %d was the best.",
                self,
                record.epoch,
                self.best_epoch,
            )

    def _value(self, record: EpochRecord) -> float | None:
        """Return the number of an epoch, where more is better."""
        if self.monitor == "loss":
            return -record.losses.total
        return None if record.validation is None else record.validation.mean

    def __repr__(self) -> str:
        """Return the options."""
        return (
            f"EarlyStopping(patience={self.patience}, monitor={self.monitor!r}, "
            f"min_delta={self.min_delta:g})"
        )
