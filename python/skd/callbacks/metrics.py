"""Steps and epochs as named numbers for trackers."""

from __future__ import annotations

from skd import _validation as check
from skd._files.bounded_json import finite_or_none
from skd.history import EpochRecord, Losses
from skd.training import Callback, RunStart, StepRecord

EVERY_STEPS = 10


def loss_columns(losses: Losses) -> dict[str, float]:
    """Return the losses by name; further terms are named ``term.NAME``."""
    return {**losses._asdict(), **{f"term.{name}": v for name, v in losses.terms.items()}}


def epoch_columns(record: EpochRecord) -> dict[str, float | None]:
    """Return all numbers of an epoch; numbers of the validation are None without one."""
    validation = record.validation
    return {
        "epoch": record.epoch,
        "learning_rate": record.learning_rate,
        **loss_columns(record.losses),
        "val_accuracy": None if validation is None else validation.mean,
        "val_ci95": None if validation is None else finite_or_none(validation.ci95),
        "images_per_second": record.images_per_second,
        "seconds": record.seconds,
    }


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
