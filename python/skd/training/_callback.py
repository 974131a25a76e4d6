"""What `fit` tells those who listen: its begin, each step, each epoch, its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from skd.history import EpochRecord, Losses


@dataclass(frozen=True)
class RunStart:
    """What is known when training begins, or goes on.

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
        Steps that were taken before, by the run that this one resumes.
    records : tuple of EpochRecord
        Epochs that were trained before.
    """

    objective: str
    epochs: int
    steps_per_epoch: int
    batch_size: int
    steps_done: int
    records: tuple[EpochRecord, ...]


@dataclass(frozen=True)
class StepRecord:
    """One training step.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    step : int
        Of the epoch, counted from 1.
    steps_done : int
        Of the whole run, this one included.
    learning_rate : float
        Of the step.
    losses : Losses
        Of the batch, before the step.
    seconds : float
        Duration, with what it waited for its batch.
    """

    epoch: int
    step: int
    steps_done: int
    learning_rate: float
    losses: Losses
    seconds: float


class Callback:
    """Is told what happens in `fit`; override what you want to hear.

    What a callback raises ends the training, and all callbacks are told of the end; the checkpoints
    that were written stay.

    Examples
    --------
    >>> class Printer(Callback):
    ...     def on_epoch(self, record):
    ...         print(record.epoch, f"{record.losses.accuracy:.0%}")
    """

    def on_begin(self, start: RunStart) -> None:
        """Hear that training begins, or goes on.

        Parameters
        ----------
        start : RunStart
            What is known of the run.
        """

    def on_step(self, record: StepRecord) -> None:
        """Hear of a step that was taken; called in the loop, so be quick.

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
        """Hear that training has ended: the place to close files.

        Parameters
        ----------
        error : BaseException or None
            Why it ended early; `KeyboardInterrupt` is one reason.
        """


@contextmanager
def listening(callbacks: Sequence[Callback], start: RunStart) -> Iterator[None]:
    """Tell all of the begin, and those who heard of it of the end, whatever it is."""
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
    """Tell all of the end; return what they raised."""
    failures: list[BaseException] = []
    for callback in begun:
        try:
            callback.on_end(error)
        except BaseException as failure:  # Ctrl-C too: the others close their files first
            failures.append(failure)
    return failures


def _add_notes(error: BaseException, failures: Sequence[BaseException]) -> None:
    """Let an error tell of those that followed it, so that they do not hide it."""
    for failure in failures:
        error.add_note(f"A callback failed at its end, too: {failure!r}")
