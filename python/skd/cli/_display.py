"""What a training shows: on a terminal a bar with loss, accuracy, images per second, time left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from skd._progress_bar import Pace
from skd.callbacks import Callback, RunStart, StepRecord
from skd.history import EpochRecord

REFRESH_SECONDS = 0.1
MEMORY = 0.95  # share of the steps before in what is shown: it follows some twenty steps


class Display(Callback):
    """Draws the bar on the standard error, and a line for each epoch.

    Where the standard error is no terminal, lines of epochs are left now and then. Once it takes
    nothing any more, as when a window was closed, nothing is drawn.

    Parameters
    ----------
    name : str
        What is trained.
    console : Console, optional
        Of the terminal; by default that of the standard error.
    """

    def __init__(self, name: str, console: Console | None = None) -> None:
        self._name = name
        self._console = console or Console(stderr=True)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._start: RunStart | None = None
        self._shown: dict[str, float] = {}
        self._drawn = 0.0
        self._pace = Pace()

    def on_begin(self, start: RunStart) -> None:
        """Draw the bar, if this is a terminal."""
        self._pace = Pace()
        if not self._console.is_terminal:
            return
        self._start, self._shown = start, {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            auto_refresh=False,  # a thread of its own could only fail unseen
        )
        self._task = self._progress.add_task(
            self._name,
            total=start.epochs * start.steps_per_epoch,
            completed=start.steps_done,
            numbers="",
        )
        with self._drawing():
            self._progress.start()

    def on_step(self, record: StepRecord) -> None:
        """Move the bar on."""
        if self._progress is None or self._task is None or self._start is None:
            return
        now = {
            "loss": record.losses.total,
            "accuracy": 100 * record.losses.accuracy,
            "seconds": record.seconds,
        }
        for name, value in now.items():
            before = self._shown.get(name, value)
            self._shown[name] = MEMORY * before + (1 - MEMORY) * value
        shown = self._shown
        numbers = (
            f"loss {shown['loss']:.3f}  accuracy {shown['accuracy']:.1f} %  "
            f"{self._start.batch_size / max(shown['seconds'], 1e-9):.0f} images/s"
        )
        with self._drawing():
            self._progress.update(
                self._task,
                completed=record.steps_done,
                description=f"{self._name} {record.epoch}/{self._start.epochs}",
                numbers=numbers,
                refresh=self._is_due(),
            )

    def on_epoch(self, record: EpochRecord) -> None:
        """Leave a line of the epoch; where there is no bar, if it is time for one."""
        is_log = not self._console.is_terminal and self._pace.is_due()
        if self._progress is not None or is_log:
            with self._drawing():
                self._console.print(epoch_line(record), highlight=False, soft_wrap=is_log)

    def on_end(self, error: BaseException | None) -> None:
        """Leave the bar as it is."""
        if self._progress is not None:
            with self._drawing():
                self._progress.stop()
            self._progress = None

    def _is_due(self) -> bool:
        """Whether the bar is old enough to be drawn again."""
        now = time.monotonic()
        is_due = now - self._drawn >= REFRESH_SECONDS
        self._drawn = now if is_due else self._drawn
        return is_due

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Give up the bar if it cannot be drawn: a training does not end for that."""
        try:
            yield
        except OSError:
            self._progress = None


def epoch_line(record: EpochRecord) -> str:
    """Say an epoch in one line."""
    line = (
        f"epoch {record.epoch}: loss {record.losses.total:.3f}, "
        f"accuracy {100 * record.losses.accuracy:.1f} %, {record.images_per_second:.0f} images/s"
    )
    return line if record.validation is None else f"{line}, val 1-shot {record.validation}"
