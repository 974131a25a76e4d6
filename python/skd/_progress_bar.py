"""Progress of long computations: a bar on a terminal and in a notebook, lines elsewhere."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO

#: Seconds between lines, and the share of the elapsed time, whichever is more: a log of a day has
#: some hundred lines, and a short computation leaves none.
SECONDS, SHARE = 10.0, 0.02


def progress_bar(total: int, description: str, unit: str, *, wanted: bool, done: int = 0) -> Any:
    """Return a display of the progress over `total` units, with the interface of a tqdm bar.

    It is a bar on a terminal and in a notebook, lines of text if the standard error goes to a
    file, and shows nothing unless it is wanted. `done` units were done before.
    """
    from tqdm import tqdm

    options: dict[str, Any] = {"total": total, "desc": description, "unit": unit, "initial": done}
    if not wanted or sys.stderr is None:
        return tqdm(**options, disable=True)
    if is_notebook():
        return _notebook_bar()(**options)
    if not sys.stderr.isatty():
        return ProgressLines(total, description, unit, sys.stderr, done=done)
    return tqdm(**options)


def is_notebook() -> bool:
    """Whether a Jupyter kernel runs this, which can show a bar although it is not a terminal."""
    interactive = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


def _notebook_bar() -> Callable[..., Any]:
    """Return the class of bars: widgets if they are installed, otherwise text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the warning that widgets are missing
        from tqdm.auto import tqdm

    bar: Callable[..., Any] = tqdm
    return bar


class Pace:
    """Decides when another line is due.

    Parameters
    ----------
    clock : callable, default=time.monotonic
        Function that returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.start = self.last = clock()

    def is_due(self) -> bool:
        """Return whether a line is due, and count it as written."""
        now = self._clock()
        if now - self.last < max(SECONDS, SHARE * (now - self.start)):
            return False
        self.last = now
        return True

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self.start


class ProgressLines:
    """Occasional lines of text, for files that a bar would fill with its frames.

    Parameters
    ----------
    total : int
        Total number of units.
    description, unit : str
        Name of the work, and of its units.
    stream : text file
        Stream to write to; failures to write are ignored.
    clock : callable, default=time.monotonic
        Function that returns seconds.
    done : int, default=0
        Units that were done before.
    """

    def __init__(
        self,
        total: int,
        description: str,
        unit: str,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        *,
        done: int = 0,
    ) -> None:
        self._total, self._description, self._unit = total, description, unit
        self._stream, self._pace = stream, Pace(clock)
        self._done = self._done_before = done
        self._further = ""
        self._has_written = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write a last line, if there were lines before."""
        if self._has_written:
            self._write()

    def reset(self, total: int | None = None) -> None:
        """Start again, with another total if one is given."""
        self._done = self._done_before = 0
        self._total = self._total if total is None else total

    def update(self, count: int = 1) -> None:
        """Add finished units, and write a line if one is due."""
        self._done += count
        before = self._pace.last
        if not self._pace.is_due():
            return
        rate = (self._done - self._done_before) / (self._pace.last - before)
        left = (self._total - self._done) / rate if rate > 0 else 0.0
        self._done_before = self._done
        self._write(f", about {_duration(left)} left" if left > 0 else "")

    def set_postfix(self, *, refresh: bool = True, **numbers: object) -> None:
        """Store further numbers for the next line."""
        self._further = "".join(f", {name} {value}" for name, value in numbers.items())

    def _write(self, left: str = "") -> None:
        share = f", {100 * self._done / self._total:.0f} %" if self._total else ""
        elapsed = _duration(self._pace.elapsed)
        line = f"{self._description}: {self._done}/{self._total} {self._unit}s{share}"
        self._has_written = True
        with suppress(OSError, ValueError):  # a broken pipe, a closed file
            print(f"{line}, {elapsed}{left}{self._further}", file=self._stream, flush=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
