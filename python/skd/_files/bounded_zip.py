"""Opening untrusted ZIP archives within a limit on the list of members."""

from __future__ import annotations

import io
import zipfile
from typing import IO

#: Largest list of members, in bytes; a member takes 46 and its name. Checkpoints have a few hundred
#: members.
MAX_LIST = 1 << 20


class _Bounded(io.RawIOBase):
    """A file that refuses to read more than a limit at once."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self.limit: int | None = MAX_LIST
        self._size = file.seek(0, io.SEEK_END)

    def seekable(self) -> bool:
        """Return True: the file can seek."""
        return True

    def readable(self) -> bool:
        """Return True: the file can be read."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def read(self, count: int = -1) -> bytes:
        """Read, unless it would be too much."""
        left = max(0, self._size - self._file.tell())
        wanted = left if count is None or count < 0 else min(count, left)
        if self.limit is not None and wanted > self.limit:
            raise zipfile.BadZipFile(f"the list of its members is longer than {self.limit:,} bytes")
        return self._file.read(wanted)


def opened_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Return the archive in a file.

    Raises
    ------
    zipfile.BadZipFile
        If the file is not a ZIP archive, or lists too many members.
    """
    bounded = _Bounded(file)
    archive = zipfile.ZipFile(bounded)
    bounded.limit = None
    return archive
