"""Progress of a training: on a terminal a bar with loss, accuracy and images per second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skd._progress_bar import Pace, progress_bar
from skd.callbacks import Callback, RunStart, StepRecord
from skd.history import EpochRecord

MEMORY = 0.95  # weight of the earlier steps in the averages shown: they follow some twenty steps


class Display(Callback):
    """Draws a bar on the standard error, and prints a line for each epoch.

    If the standard error is not a terminal, there is no bar, and lines of epochs come now and
    then. When the terminal is closed, drawing stops and training continues.

    Parameters
    ----------
    name : str
        Name of the training.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar: Any = None
        self._shown: dict[str, float] = {}
        self._pace = Pace()

    def on_begin(self, start: RunStart) -> None:
        """Draw the bar, if this is a terminal."""
        self._pace, self._start, self._shown = Pace(), start, {}
        if not _is_terminal():
            return
        total = start.epochs * start.steps_per_epoch
        with self._drawing():
            self._bar = progress_bar(total, self._name, "step", wanted=True, done=start.steps_done)

    def on_step(self, record: StepRecord) -> None:
        """Advance the bar."""
        if self._bar is None:
            return
        now = {
            "loss": record.losses.total,
            "accuracy": 100 * record.losses.accuracy,
            "seconds": record.seconds,
        }
        for name, value in now.items():
            before = self._shown.get(name, value)
            self._shown[name] = MEMORY * before + (1 - MEMORY) * value
        shown, start = self._shown, self._start
        numbers = (
            f"loss {shown['loss']:.3f}, accuracy {shown['accuracy']:.1f} %, "
            f"{start.batch_size / max(shown['seconds'], 1e-9):.0f} images/s"
        )
        with self._drawing():
            self._bar.set_description(f"{self._name} {record.epoch}/{start.epochs}", refresh=False)
            self._bar.set_postfix_str(numbers, refresh=False)
            self._bar.update()

    def on_epoch(self, record: EpochRecord) -> None:
        """Print a line about the epoch; without a terminal, only if one is due."""
        with self._drawing():
            if self._bar is not None:
                self._bar.write(epoch_line(record), file=sys.stderr)
            elif not _is_terminal() and self._pace.is_due():
                print(epoch_line(record), file=sys.stderr, flush=True)

    def on_end(self, error: BaseException | None) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            with self._drawing():
                self._bar.close()
            self._bar = None

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Give up the bar if it cannot be drawn: that does not end a training."""
        try:
            yield
        except OSError:
            self._bar = None


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def epoch_line(record: EpochRecord) -> str:
    """Describe an epoch in one line."""
    line = (
        f"epoch {record.epoch}: loss {record.losses.total:.3f}, "
        f"accuracy {100 * record.losses.accuracy:.1f} %, {record.images_per_second:.0f} images/s"
    )
    return line if record.validation is None else f"{line}, val 1-shot {record.validation}"
