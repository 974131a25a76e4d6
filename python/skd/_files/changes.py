"""Calls that change files; their errors name the file and say what was kept.

The package writes only through this module and the three that build on it: `atomic` replaces files
and folders atomically, `temporaries` holds temporary files, and `open_files` writes in pieces.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from skd.errors import WriteError

Data = bytes | bytearray | memoryview

#: Errors of a file system that cannot flush a folder.
UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP)


def _nothing_more() -> str:
    return ""


@contextmanager
def naming_errors(name: Path | str, kept: Callable[[], str] = _nothing_more) -> Iterator[None]:
    """Turn errors of the system into `WriteError`.

    Parameters
    ----------
    name : path or str
        Name of the file in the error.
    kept : callable, optional
        Function that returns the sentence about what was kept; called after the failure.
    """
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise _named(error, name, kept()) from error


def _named(error: OSError, name: Path | str, kept: str) -> WriteError:
    return WriteError(error.errno or errno.EIO, error.strerror or str(error), str(name), kept)


def write_all(descriptor: int, data: Data) -> None:
    """Write all bytes, in as many calls as the system needs."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system allows it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # a folder that is writable but not readable
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Create a folder and its parents; they survive a loss of power.

    Raises
    ------
    FileExistsError, NotADirectoryError
        If there is a file with that name.
    WriteError
        If the folder cannot be created.
    """
    if path.is_dir():
        return
    if not os.path.lexists(path.parent):
        make_folder(path.parent)
    try:
        path.mkdir(exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise
    except OSError as error:
        raise _named(error, path, "The folder was not created.") from error
    with naming_errors(path, lambda: "The folder is there, but a loss of power may undo it."):
        sync_folder(path.parent)


def remove_file(path: Path) -> None:
    """Remove a file, if it exists."""
    with naming_errors(path, lambda: "The file is still there."):
        path.unlink(missing_ok=True)


def rename_file(path: Path, name: str) -> None:
    """Give a file another name in its folder."""
    target = path.with_name(name)
    with naming_errors(target, lambda: f"The file is still called {path.name!r}."):
        os.replace(path, target)
