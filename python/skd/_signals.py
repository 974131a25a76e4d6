"""Ctrl-C and SIGTERM while `fit` keeps checkpoints."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
Handler = Callable[[int, FrameType | None], Any] | int


class Stopped(BaseException):
    """A signal came where work may be broken off."""


class StopRequests:
    """Notes signals that ask for an end, so that it comes where the state can be saved.

    Handlers are installed while the context lasts: by the main thread only, for no other can,
    and only for a signal that is not ignored and whose handler Python knows.
    """

    def __init__(self, *, wanted: bool) -> None:
        self.requested: int | None = None
        self._wanted = wanted and threading.current_thread() is threading.main_thread()
        self._breaks_off = False
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
        """Give the signals back to their handlers; one that came after the last step, too."""
        if kind is None and self.requested is not None:
            self.deliver()
        self._restore()

    @contextmanager
    def may_break_off(self, *, wanted: bool = True) -> Iterator[None]:
        """Raise `Stopped` within the context, if wanted, once a signal comes or has come."""
        if not wanted:
            yield
            return
        self._breaks_off = True
        try:
            if self.requested is not None:
                raise Stopped
            yield
        finally:
            self._breaks_off = False

    def deliver(self) -> NoReturn:
        """Do what the signal that came does by itself: call its handler, or end the program."""
        number = self.requested
        assert number is not None
        if number not in self._handlers:  # it came to another process of the run
            raise KeyboardInterrupt
        handler = self._handlers[number]
        self._restore()
        if handler is signal.SIG_DFL:
            raise SystemExit(128 + number)  # as a shell names a death by signal, but cleaned up
        signal.raise_signal(number)
        raise KeyboardInterrupt  # training ends even if the handler did not raise

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = number
        if self._breaks_off:
            self._breaks_off = False  # the state is saved next, undisturbed
            raise Stopped

    def _restore(self) -> None:
        while self._handlers:
            number, handler = self._handlers.popitem()
            signal.signal(number, handler)
