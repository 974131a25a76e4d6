"""Progress of a training: a bar with loss, accuracy and images per second, and a line per epoch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from skd._display.progress_bar import ProgressLines, is_notebook, progress_bar
from skd.history import EpochRecord, Losses
from skd.training._callback import RunStart


class Display:
    """Draws a bar on a terminal, with a line for each epoch, or in a notebook.

    Elsewhere the lines are logged, and long epochs have lines of their own. If the terminal is
    closed, drawing stops and training continues.

    Parameters
    ----------
    start : RunStart
        Description of the run.
    wanted : bool
        Whether anything is shown.
    """

    def __init__(self, start: RunStart, *, wanted: bool) -> None:
        self._start, self._wanted = start, wanted and sys.stderr is not None
        self._bar: Any = progress_bar(
            start.epochs * start.steps_per_epoch,
            start.objective,
            "step",
            wanted=wanted,
            done=start.steps_done,
            delay=0,
        )

    def __enter__(self) -> Self:
        """Say what begins, if there is no bar."""
        start = self._start
        if isinstance(self._bar, ProgressLines):
            text = f"{start.objective}: {start.epochs} epochs of {start.steps_per_epoch} steps"
            done = f", {start.steps_done} steps are done" if start.steps_done else ""
            self._bar.write(f"{text}{done}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        with self._drawing():
            if self._bar is not None and not isinstance(self._bar, ProgressLines):
                self._bar.close()

    def step(self, epoch: int, mean: Losses, images_per_second: float) -> None:
        """Show one more step, with the means over the epoch so far."""
        if not self._wanted or self._bar is None:
            return
        numbers = f"epoch {epoch}/{self._start.epochs}, {_numbers(mean, images_per_second)}"
        with self._drawing():
            self._bar.set_postfix_str(numbers, refresh=False)
            self._bar.update()

    def epoch(self, record: EpochRecord) -> None:
        """Write a line about an epoch."""
        if not self._wanted or self._bar is None:
            return
        line = f"epoch {record.epoch}/{self._start.epochs}: " + _numbers(
            record.losses, record.images_per_second
        )
        if record.validation is not None:
            line += f", val 1-shot {record.validation}"
        with self._drawing():
            if isinstance(self._bar, ProgressLines):
                self._bar.write(f"{self._start.objective} {line}{self._bar.time_left}")
            elif not is_notebook():
                self._bar.write(line, file=sys.stderr)

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Give up the bar if it cannot be drawn: that does not end a training."""
        try:
            yield
        except OSError:
            self._bar = None


def _numbers(losses: Losses, images_per_second: float) -> str:
    return (
        f"loss {losses.total:.3f}, accuracy {100 * losses.accuracy:.1f} %, "
        f"{images_per_second:.0f} images/s"
    )
