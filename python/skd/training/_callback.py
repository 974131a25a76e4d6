"""Callbacks of `fit`: they hear of its beginning, each step, each epoch and its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from skd.history import EpochRecord, Losses


@dataclass(frozen=True)
class RunStart:
    """The run, as known when training begins or resumes.

    Attributes
    ----------
    objective : str
        Class of the trainer, such as "Gen0".
    epochs : int
        Epochs of the whole run.
    steps_per_epoch : int
        Complete batches of an epoch.
    batch_size : int
        Images of a step, before rotation.
    steps_done : int
        Steps that were taken before this call, by the run that it resumes.
    records : tuple of EpochRecord
        Records of the epochs that were trained before this call.
    val_every : int or None
        Number of epochs between two validations; None without a validation split.
    """

    objective: str
    epochs: int
    steps_per_epoch: int
    batch_size: int
    steps_done: int
    records: tuple[EpochRecord, ...]
    val_every: int | None = None


@dataclass(frozen=True)
class StepRecord:
    """One training step.

    Attributes
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    step : int
        Number of the step within its epoch, counted from 1.
    steps_done : int
        Steps of the whole run so far, this one included.
    learning_rate : float
        Learning rate of the step.
    losses : Losses
        Losses of the batch, before the step.
    seconds : float
        Duration of the step, including the wait for its batch.
    """

    epoch: int
    step: int
    steps_done: int
    learning_rate: float
    losses: Losses
    seconds: float


class Callback:
    """Base of callbacks: override the methods for the events that you want to hear of.

    A callback with a true `should_stop` ends the training after the epoch, without an error. An
    exception of a callback ends the training at once. All callbacks then hear of the end, and the
    checkpoints that were written stay.

    Attributes
    ----------
    should_stop : bool
        Whether the training ends; read before the first epoch and after `on_epoch` of all
        callbacks.

    Examples
    --------
    >>> class Printer(Callback):
    ...     def on_epoch(self, record):
    ...         print(record.epoch, f"{record.losses.accuracy:.0%}")
    """

    should_stop: bool = False

    def on_begin(self, start: RunStart) -> None:
        """Hear that training begins or resumes.

        Parameters
        ----------
        start : RunStart
            The run.
        """

    def on_step(self, record: StepRecord) -> None:
        """Hear of a step. It is called inside the loop, so be quick.

        Parameters
        ----------
        record : StepRecord
            The step.
        """

    def on_epoch(self, record: EpochRecord) -> None:
        """Hear of an epoch, after its validation and its checkpoint.

        Parameters
        ----------
        record : EpochRecord
            The epoch.
        """

    def on_end(self, error: BaseException | None) -> None:
        """Hear that training has ended; close files here.

        Parameters
        ----------
        error : BaseException or None
            Reason for an early end, such as `KeyboardInterrupt`.
        """


@contextmanager
def listening(callbacks: Sequence[Callback], start: RunStart) -> Iterator[None]:
    """Call `on_begin` of all, and `on_end` of those whose `on_begin` was called, on any end."""
    begun: list[Callback] = []
    try:
        for callback in callbacks:
            begun.append(callback)
            callback.on_begin(start)
        yield
    except BaseException as error:
        _add_notes(error, _end(begun, error))
        raise
    failures = _end(begun, None)
    if failures:
        _add_notes(failures[0], failures[1:])
        raise failures[0]


def _end(begun: Sequence[Callback], error: BaseException | None) -> list[BaseException]:
    """Call `on_end` of all; return the exceptions they raised."""
    failures: list[BaseException] = []
    for callback in begun:
        try:
            callback.on_end(error)
        except BaseException as failure:  # Ctrl-C too: the others close their files first
            failures.append(failure)
    return failures


def _add_notes(error: BaseException, failures: Sequence[BaseException]) -> None:
    """Add later failures to an error as notes, so that they do not hide it."""
    for failure in failures:
        error.add_note(f"A callback failed at its end, too: {failure!r}")
