"""Progress of long computations: a bar on a terminal and in a notebook, logged lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

#: Logger of the lines.
LOGGER = logging.getLogger("skd")
#: Seconds before a bar or the first line appears: shorter work needs neither.
DELAY = 1.5
#: Seconds between lines, and the share of the elapsed time, whichever is more: a log of a day has
#: some hundred lines.
SECONDS, SHARE = 10.0, 0.02
_IS_SILENT = ContextVar("_IS_SILENT", default=False)


@contextmanager
def silence() -> Iterator[None]:
    """Show no progress of calls within, for callers whose functions do not let it be chosen."""
    token = _IS_SILENT.set(True)
    try:
        yield
    finally:
        _IS_SILENT.reset(token)


def progress_bar(
    total: int, description: str, unit: str, *, wanted: bool, done: int = 0, delay: float = DELAY
) -> Any:
    """Return a display of the progress over `total` units, with the interface of a tqdm bar.

    It is a bar on a terminal and in a notebook, logged lines if the standard error goes to a file
    or a pipe, and shows nothing unless it is wanted. It appears after `delay` seconds. `done` units
    were done before.
    """
    from tqdm import tqdm

    options: dict[str, Any] = {"total": total, "desc": description, "unit": unit, "initial": done}
    if not wanted or _IS_SILENT.get() or sys.stderr is None:
        return tqdm(**options, disable=True)
    if is_notebook():
        return _notebook_bar()(**options, delay=delay)
    if not sys.stderr.isatty():
        return ProgressLines(total, description, unit, done=done, delay=delay)
    return tqdm(**options, delay=delay)


def inform(line: str) -> None:
    """Log a line for the user, by the logger "skd" at the level INFO.

    Unless the application has set up logging, the line goes to the standard error.
    """
    if LOGGER.hasHandlers():
        LOGGER.info(line)
    elif LOGGER.level <= logging.INFO:
        with suppress(OSError, ValueError):  # a broken pipe, a closed file
            print(line, file=sys.stderr, flush=True)


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
    clock : callable
        Function that returns seconds.
    delay : float
        Seconds before the first line.
    """

    def __init__(self, clock: Callable[[], float], delay: float) -> None:
        self._clock = clock
        self.start = self.last = clock()
        self._wait = delay

    def is_due(self) -> bool:
        """Return whether a line is due, and count it as written."""
        now = self._clock()
        if now - self.last < self._wait:
            return False
        self.restart(now)
        return True

    def restart(self, now: float | None = None) -> None:
        """Count a line as written now."""
        self.last = self._clock() if now is None else now
        self._wait = max(SECONDS, SHARE * self.elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self.start


class ProgressLines:
    """Occasional logged lines, for files that a bar would fill with its frames.

    Parameters
    ----------
    total : int
        Total number of units.
    description, unit : str
        Name of the work, and of its units.
    done : int, default=0
        Units that were done before.
    delay : float, default=DELAY
        Seconds before the first line.
    clock : callable, default=time.monotonic
        Function that returns seconds.
    """

    def __init__(
        self,
        total: int,
        description: str,
        unit: str,
        *,
        done: int = 0,
        delay: float = DELAY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._description, self._unit = total, description, unit
        self._pace = Pace(clock, delay)
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
        if self._pace.is_due():
            self._has_written = True
            self._write()

    def set_postfix_str(self, text: str, *, refresh: bool = True) -> None:
        """Store a further text for the next line."""
        self._further = f", {text}"

    def write(self, line: str) -> None:
        """Write a line now, in place of the next one."""
        self._pace.restart()
        inform(line)

    @property
    def time_left(self) -> str:
        """Estimate of the time left, such as ", about 1:21 left"; empty if there is none."""
        now = self._done - self._done_before
        if now <= 0 or self._done >= self._total:
            return ""
        seconds = self._pace.elapsed / now * (self._total - self._done)
        return f", about {_duration(seconds)} left"

    def _write(self) -> None:
        share = f", {100 * self._done / self._total:.0f} %" if self._total else ""
        line = f"{self._description}: {self._done}/{self._total} {self._unit}s{share}"
        inform(f"{line}, {_duration(self._pace.elapsed)}{self.time_left}{self._further}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
