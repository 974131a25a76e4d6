"""How a command ends: its status and, where something is wrong, one line that says what.

0 done; 1 the run failed (a loss that is not finite, a full disk, too little memory, a missing
library); 2 the input is wrong (an option, a recipe, a file); 130 Ctrl-C; 143 SIGTERM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

import skd
from skd.cli._processes import say

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
WRONG_FILE = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)


@contextmanager
def ending_in_one_line(
    command: str,
    *,
    in_words: Callable[[str], str] = str,
    when_interrupted: Callable[[], str] = lambda: "",
) -> Iterator[None]:
    """End a command whose errors its user can understand without a traceback.

    Parameters
    ----------
    command : str
        What begins the line, such as "skd train".
    in_words : callable, optional
        Turns the message of an error into the words of the command.
    when_interrupted : callable, optional
        What else to say after Ctrl-C or SIGTERM, such as how to go on.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        say(f"{command}: interrupted. {when_interrupted()}".rstrip(), err=True)
        raise typer.Exit(INTERRUPTED) from error
    except SystemExit:  # `fit` was ended by SIGTERM, and has saved
        say(f"{command}: ended. {when_interrupted()}".rstrip(), err=True)
        raise
    except (ValueError, *WRONG_FILE) as error:
        _report(command, in_words, error)
        raise typer.Exit(BAD_INPUT) from error
    except (OSError, MemoryError, ImportError, skd.SKDError) as error:
        _report(command, in_words, error)
        raise typer.Exit(FAILED) from error


def _report(command: str, in_words: Callable[[str], str], error: Exception) -> None:
    message = " ".join(str(error).split()) or "there is not enough memory."
    say(f"{command}: {in_words(message)}", err=True)
