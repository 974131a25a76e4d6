"""Temporary files and folders, and the removal of leftovers of killed processes.

A temporary file or folder has a random name and is locked (``flock``) while its process lives:
the system releases the lock of a killed process. The next write into the same folder recognises
leftovers of any process or container, and removes them.
"""

from __future__ import annotations

import fcntl
import math
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from skd._files.changes import Data, naming_errors, sync_folder, write_all

NAME = re.compile(r"\.skd-[0-9a-f]{16}\.part")


class TemporaryFile:
    """A temporary file that is renamed when it is complete, or removed.

    Parameters
    ----------
    folder : Path
        Folder of the file, before and after renaming.

    Attributes
    ----------
    path : Path
        Temporary name.
    is_named : bool
        Whether the file has its final name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self.path: Path
        self.is_named = False

    def __enter__(self) -> TemporaryFile:
        """Create and lock the file."""
        while True:
            self.path = self._folder / f".skd-{os.urandom(8).hex()}.part"
            try:
                descriptor = self._descriptor = self._created()
                if self._is_locked(descriptor):
                    return self
                self._close()
            except BaseException:
                self._discard()
                raise

    def write(self, data: Data) -> None:
        """Write all bytes."""
        assert self._descriptor is not None
        write_all(self._descriptor, data)

    def become(self, path: Path) -> None:
        """Flush the file to the disk and give it its final name, replacing an existing file."""
        assert self._descriptor is not None
        os.fsync(self._descriptor)
        os.replace(self.path, path)
        self.is_named = True
        self._close()
        sync_folder(path.parent)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the file unless it has its final name; failures are ignored."""
        if not self.is_named:
            self._discard()

    def _created(self) -> int:
        """Create the file and return its descriptor."""
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)

    def _discard(self) -> None:
        with suppress(OSError):
            self._remove()
        with suppress(OSError):
            self._close()

    def _remove(self) -> None:
        os.unlink(self.path)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _is_locked(self, descriptor: int) -> bool:
        """Lock the file; return False if another process removed it as a leftover."""
        if not _lock(descriptor):
            return False
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except FileNotFoundError:
            return False


class TemporaryFolder(TemporaryFile):
    """A temporary folder that is renamed when everything in it is written."""

    def _created(self) -> int:
        os.mkdir(self.path)
        return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)

    def _remove(self) -> None:
        shutil.rmtree(self.path)


def remove_leftovers(folder: Path) -> None:
    """Remove leftovers of killed processes from a folder; failures are ignored."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if NAME.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_left(Path(entry.path))


def _remove_if_left(path: Path) -> None:
    is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
    flags = os.O_RDONLY | os.O_DIRECTORY if is_folder else os.O_RDWR
    descriptor = os.open(path, flags | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_folder:
            shutil.rmtree(path)
        else:
            os.unlink(path)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock an open file; on a file system without locks this always succeeds."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def mapped_temporary(shape: tuple[int, ...], blocks: Iterator[Data]) -> NDArray[np.uint8]:
    """Return bytes in a mapped temporary file without a name.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    blocks : iterator of bytes-like
        Content of the array, in order.
    """

    def advice() -> str:
        return f"It needs {math.prod(shape):,} bytes; TMPDIR names the folder of such files."

    place = "a temporary file"
    with ExitStack() as stack:
        with naming_errors(place, advice):
            file = stack.enter_context(tempfile.TemporaryFile(prefix="skd-"))
        for block in blocks:
            with naming_errors(place, advice):
                write_all(file.fileno(), block)
        return np.asarray(np.memmap(file, np.uint8, "r", 0, shape))
