"""Files that are written in pieces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from skd._files.atomic import write_atomically
from skd._files.changes import Data, naming_errors, write_all
from skd.errors import WriteError


class OpenFile:
    """A file that is open for writing; errors name it.

    Parameters
    ----------
    path : Path
        The file.
    flags : int
        Further flags of ``os.open``, besides that for writing.
    kept : str, default=""
        Sentence of the errors about what was kept.
    """

    def __init__(self, path: Path, flags: int, kept: str = "") -> None:
        self._path, self._kept = path, kept
        with self._naming_errors():
            self._descriptor = os.open(path, os.O_WRONLY | flags, 0o666)

    def write(self, data: Data) -> None:
        """Write all bytes."""
        with self._naming_errors():
            write_all(self._descriptor, data)

    def cut(self, size: int) -> None:
        """Remove everything after the first `size` bytes."""
        with self._naming_errors():
            os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        """Flush the file to the disk."""
        with self._naming_errors():
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        with self._naming_errors():
            os.close(self._descriptor)

    def _naming_errors(self) -> AbstractContextManager[None]:
        return naming_errors(self._path, lambda: self._kept)


@contextmanager
def new_file(path: Path) -> Iterator[OpenFile]:
    """Open a new file, which is flushed to the disk when the context ends."""
    file = OpenFile(path, os.O_CREAT | os.O_EXCL)
    try:
        yield file
        file.sync()
    except BaseException:
        with suppress(WriteError):
            file.close()
        raise
    file.close()


class AppendedFile:
    """A file of records, each of which is appended atomically.

    Parameters
    ----------
    path : Path
        The file; it is created with the first records.
    first : bytes
        The first records.
    """

    def __init__(self, path: Path, first: bytes) -> None:
        write_atomically(path, first)
        self._file = OpenFile(path, os.O_APPEND, "The earlier records are kept.")
        self._size = len(first)

    def append(self, records: bytes) -> None:
        """Append some records."""
        try:
            self._file.write(records)
        except BaseException:
            with suppress(WriteError):
                self._file.cut(self._size)
            raise
        self._size += len(records)

    def sync(self) -> None:
        """Flush the file to the disk."""
        self._file.sync()

    def close(self) -> None:
        """Flush the file to the disk and close it."""
        try:
            self._file.sync()
        except WriteError:
            with suppress(WriteError):
                self._file.close()
            raise
        self._file.close()
