"""Exit statuses of commands, and their errors as one line.

The statuses are: 0 success; 1 the run failed (a loss that is not finite, a full disk, too little
memory, a missing library); 2 the input is wrong (an option, a recipe, a file); 130 Ctrl-C; 143
SIGTERM.
"""

from __future__ import annotations

import errno
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer

import skd
from skd._refusals import Refusal, refusal_of
from skd.cli._processes import say

FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 1, 2, 130, 143
WRONG_FILE = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)
#: Errors of the standard output: errors of files are `WriteError` and have a name.
OF_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EPIPE)


@contextmanager
def ending_in_one_line(
    command: str,
    *,
    in_words: Callable[[Refusal], str] = str,
    when_interrupted: Callable[[], str] = lambda: "",
) -> Iterator[None]:
    """End a command whose errors and warnings its user can understand without a traceback.

    Parameters
    ----------
    command : str
        Beginning of the line, such as "skd train".
    in_words : callable, optional
        Function that translates a refusal into the command's options; see
        `skd.cli._options.naming`.
    when_interrupted : callable, optional
        Function that returns a further sentence after Ctrl-C, SIGTERM or a file that could not be
        written, such as how to resume.
    """
    try:
        with _warnings_in_one_line(command), _ended_by_sigterm():
            yield
    except KeyboardInterrupt as error:
        say(f"{command}: interrupted. {when_interrupted()}".rstrip(), err=True)
        raise typer.Exit(INTERRUPTED) from error
    except SystemExit:  # SIGTERM; `fit` has saved
        say(f"{command}: ended. {when_interrupted()}".rstrip(), err=True)
        raise
    except skd.WriteError as error:
        _report(command, in_words, error, when_interrupted())
        raise typer.Exit(FAILED) from error
    except (ValueError, *WRONG_FILE) as error:
        _report(command, in_words, error)
        raise typer.Exit(BAD_INPUT) from error
    except (OSError, MemoryError, ImportError, skd.SKDError) as error:
        _report(command, in_words, error)
        raise typer.Exit(FAILED) from error


@contextmanager
def _warnings_in_one_line(command: str) -> Iterator[None]:
    """Write warnings like errors, without the line of code that they come from."""

    def write(message: Warning | str, *origin: object, **options: object) -> None:
        say(f"{command}: {' '.join(str(message).split())}", err=True)

    with warnings.catch_warnings():
        warnings.showwarning = write
        yield


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise `SystemExit`, so that temporary files are removed."""
    is_ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not is_ours:
        yield
        return
    signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


def in_one_line(error: Exception) -> str:
    """Return the message of an error in one line."""
    message = " ".join(str(error).split()) or "there is not enough memory."
    if isinstance(error, OSError) and error.filename is None and error.errno in OF_OUTPUT:
        message += ", writing the standard output."
    return message


def _report(
    command: str, in_words: Callable[[Refusal], str], error: Exception, further: str = ""
) -> None:
    refusal = refusal_of(error)
    message = in_one_line(error) if refusal is None else " ".join(in_words(refusal).split())
    say(f"{command}: {message} {further}".rstrip(), err=True)
