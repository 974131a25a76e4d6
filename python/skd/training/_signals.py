"""Ctrl-C and SIGTERM while `fit` keeps checkpoints."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: A launcher may send a signal twice in a moment; a later second signal comes from the user.
PATIENCE_SECONDS = 2.0
Handler = Callable[[int, FrameType | None], Any] | int


class Stopped(BaseException):
    """A signal came while work may be interrupted."""


class StopRequests:
    """Records stop signals, so that training stops where its state can be saved.

    Handlers are installed while the context lasts. Only the main thread can install them, and
    only for a signal that is not ignored and whose handler Python knows. A second signal, two
    seconds or more after the first, stops at once, without saving.
    """

    def __init__(self, *, wanted: bool) -> None:
        self.requested: int | None = None
        self._wanted = wanted and threading.current_thread() is threading.main_thread()
        self._breaks_off = False
        self._insists_after: float | None = None
        self._handlers: dict[int, Handler] = {}

    def __enter__(self) -> StopRequests:
        """Install the handlers."""
        for number in SIGNALS if self._wanted else ():
            handler = signal.getsignal(number)
            if handler is not None and handler is not signal.SIG_IGN:
                self._handlers[number] = handler
                signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Restore the earlier handlers; deliver a signal that came after the last step."""
        if kind is None and self.requested is not None:
            self.deliver()
        self._restore()

    @contextmanager
    def may_break_off(self, *, wanted: bool = True, at_once: bool = True) -> Iterator[None]:
        """Raise `Stopped` inside the context when a signal comes.

        Parameters
        ----------
        wanted : bool, default=True
            Whether `Stopped` is raised at all.
        at_once : bool, default=True
            Whether it is also raised for a signal that came before the context.
        """
        if not wanted:
            yield
            return
        self._breaks_off = True
        try:
            if at_once and self.requested is not None:
                raise Stopped
            yield
        finally:
            self._breaks_off = False

    def deliver(self) -> NoReturn:
        """Let the signal take its usual effect: call its handler, or end the program."""
        number = self.requested
        assert number is not None
        if number not in self._handlers:  # it came to another rank
            raise KeyboardInterrupt
        handler = self._handlers[number]
        self._restore()
        if handler is signal.SIG_DFL:
            raise SystemExit(128 + number)  # the exit status of a death by signal, after a clean-up
        signal.raise_signal(number)
        raise KeyboardInterrupt  # training ends even if the handler did not raise

    def _note(self, number: int, frame: FrameType | None) -> None:
        now, before = time.monotonic(), self._insists_after
        if before is None:
            self._insists_after = now + PATIENCE_SECONDS
        self.requested = number
        if self._breaks_off:
            self._breaks_off = False  # saving the state, which comes next, must not be interrupted
            raise Stopped
        if before is not None and now >= before:
            self.deliver()

    def _restore(self) -> None:
        while self._handlers:
            number, handler = self._handlers.popitem()
            signal.signal(number, handler)
