"""The progress of long computations: a bar on a terminal and in a notebook, lines elsewhere."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO

#: Seconds between lines, and the share of the time so far where that is more: a log of a day has
#: some hundred lines, and what takes a moment leaves none.
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
    """Whether a kernel of Jupyter runs this, whose output is no terminal and can show a bar."""
    interactive = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


def _notebook_bar() -> Callable[..., Any]:
    """Return the class of bars: widgets if there are any, or else text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are no widgets
        from tqdm.auto import tqdm

    bar: Callable[..., Any] = tqdm
    return bar


class Pace:
    """Tells when another line is due.

    Parameters
    ----------
    clock : callable, default=time.monotonic
        Returns seconds.
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
        """Seconds since the beginning."""
        return self._clock() - self.start


class ProgressLines:
    """Lines of text from time to time, where a bar would fill a file with its frames.

    Parameters
    ----------
    total : int
        Units to do.
    description, unit : str
        What is done, and in what it is counted.
    stream : text file
        Where to write; what cannot be written is left out.
    clock : callable, default=time.monotonic
        Returns seconds.
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
        """Say how far it came, if anything was said before."""
        if self._has_written:
            self._write()

    def reset(self, total: int | None = None) -> None:
        """Begin anew, with another total if one is given."""
        self._done = self._done_before = 0
        self._total = self._total if total is None else total

    def update(self, count: int = 1) -> None:
        """Count more as done, and write a line if one is due."""
        self._done += count
        before = self._pace.last
        if not self._pace.is_due():
            return
        rate = (self._done - self._done_before) / (self._pace.last - before)
        left = (self._total - self._done) / rate if rate > 0 else 0.0
        self._done_before = self._done
        self._write(f", about {_duration(left)} left" if left > 0 else "")

    def set_postfix(self, *, refresh: bool = True, **numbers: object) -> None:
        """Keep further numbers for the next line."""
        self._further = "".join(f", {name} {value}" for name, value in numbers.items())

    def _write(self, left: str = "") -> None:
        share = f", {100 * self._done / self._total:.0f} %" if self._total else ""
        elapsed = _duration(self._pace.elapsed)
        line = f"{self._description}: {self._done}/{self._total} {self._unit}s{share}"
        self._has_written = True
        with suppress(OSError, ValueError):  # a pipe that nobody reads, a file that is closed
            print(f"{line}, {elapsed}{left}{self._further}", file=self._stream, flush=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
