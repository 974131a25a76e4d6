"""Atomic writes: files and folders appear whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from skd._files.changes import Data, naming_errors, write_all
from skd._files.temporaries import TemporaryFile, TemporaryFolder, remove_leftovers
from skd.errors import WriteError

IN_PLACE = "The new one is in place, but a loss of power may undo it."


def write_atomically(path: Path, data: Data) -> None:
    """Write a file atomically; it survives a loss of power.

    A symbolic link stays, and its target is replaced. A device or a pipe, such as
    ``/dev/stdout``, is written to in place.

    Raises
    ------
    WriteError
        If the file cannot be written, as on a full disk; its name is in the message, a file that
        was there before is as it was, and none is left half-written.
    """
    if _is_device(path):
        with naming_errors(path), open(path, "wb", buffering=0) as device:
            write_all(device.fileno(), data)
        return
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    remove_leftovers(target.parent)
    temporary = TemporaryFile(target.parent)
    with naming_errors(path, lambda: _kept(target, temporary)), temporary:
        temporary.write(data)
        temporary.become(target)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder, which is renamed to `path` when the context ends without an error.

    Parameters
    ----------
    path : Path
        Final name; there is no such folder yet, or an empty one.

    Yields
    ------
    building : Path
        The folder under its temporary name; errors use the final names of its files.

    Raises
    ------
    WriteError
        If the folder or a file in it cannot be written; nothing is left behind.
    """
    remove_leftovers(path.parent)
    temporary = TemporaryFolder(path.parent)

    def kept() -> str:
        return _kept(path, temporary)

    with ExitStack() as stack:
        with naming_errors(path, kept):
            stack.enter_context(temporary)
        try:
            yield temporary.path
        except WriteError as error:
            if Path(error.filename).is_relative_to(temporary.path):
                part = Path(error.filename).relative_to(temporary.path)
                error.filename, error.kept = str(path / part), kept()
            raise
        with naming_errors(path, kept):
            temporary.become(path)


def _kept(path: Path, temporary: TemporaryFile) -> str:
    """Describe the state of a path after a failure."""
    if temporary.is_named:
        return IN_PLACE
    return "What was there is unchanged." if os.path.lexists(path) else "Nothing was left of it."


def _is_device(path: Path) -> bool:
    """Whether the path is neither a file nor a folder, but exists."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
