"""Steps and epochs as named numbers for trackers."""

from __future__ import annotations

from skd import _validation as check
from skd.history import EpochRecord, epoch_columns, loss_columns
from skd.training import Callback, RunStart, StepRecord

EVERY_STEPS = 10


class MetricsCallback(Callback):
    """Converts steps and epochs to named numbers; subclasses only implement `log`.

    Parameters
    ----------
    every_steps : int, default=10
        Number of steps between two logged steps; every epoch is logged.
    """

    def __init__(self, *, every_steps: int = EVERY_STEPS) -> None:
        self.every_steps = check.integer(every_steps, "every_steps", type(self).__name__, minimum=1)
        self._steps_per_epoch = 0

    def on_begin(self, start: RunStart) -> None:
        """Store the length of an epoch, because all curves are drawn over steps."""
        self._steps_per_epoch = start.steps_per_epoch

    def on_step(self, record: StepRecord) -> None:
        """Log the step if it is due."""
        if record.steps_done % self.every_steps == 0:
            numbers = {**loss_columns(record.losses), "learning_rate": record.learning_rate}
            self._log("step", numbers, record.steps_done)

    def on_epoch(self, record: EpochRecord) -> None:
        """Log the epoch."""
        self._log("epoch", epoch_columns(record), record.epoch * self._steps_per_epoch)

    def _log(
        self, group: str, numbers: dict[str, float] | dict[str, float | None], step: int
    ) -> None:
        metrics = {
            f"{group}/{name}": float(value)
            for name, value in numbers.items()
            # Losses that the objective does not have are exactly 0, and would give empty plots.
            if value is not None and (value != 0 or name in ("total", "accuracy"))
        }
        self.log(metrics, step)

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Log some numbers.

        Parameters
        ----------
        metrics : dict of str to float
            Values by name, such as ``"step/total"`` and ``"epoch/val_accuracy"``; validation
            accuracies are in percent, training accuracies in 0..1.
        step : int
            Steps of the run so far.
        """
        raise NotImplementedError
