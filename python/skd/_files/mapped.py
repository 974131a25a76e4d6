"""Memory-mapped files, which may become shorter while they are in use.

The system ends a process that reads beyond the new end of a mapped file. The library's handler of
that signal puts zeros there instead (see ``skd_watch_mapping``), and after reading the package
checks here whether the file is still whole.
"""

from __future__ import annotations

import mmap
import weakref
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd.errors import DataError

_watched: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


class MappedFile(mmap.mmap):
    """A file that is mapped read-only and watched.

    Parameters
    ----------
    path : Path
        A file that is not empty.
    """

    path: Path

    def __new__(cls, path: Path) -> MappedFile:
        """Map the file."""
        with open(path, "rb") as file:
            mapped = super().__new__(cls, file.fileno(), 0, access=mmap.ACCESS_READ)
        mapped.path = path
        _watch(mapped)
        return mapped


class _Mapping(NamedTuple):
    """The mapping behind an array, and the name of its file."""

    mapped: mmap.mmap
    name: str


def watch_mapping_of(array: NDArray[Any]) -> None:
    """Watch the file behind an array, if there is one."""
    mapping = _mapping_of(array)
    if mapping is not None:
        _watch(mapping.mapped)


def require_whole(array: NDArray[Any]) -> None:
    """Raise an error if the file behind an array has become shorter; call it after reading.

    Raises
    ------
    DataError
        If it has; the message names the file.
    """
    mapping = _mapping_of(array)
    if mapping is None:
        return
    mapped, name = mapping
    if _native.mapping_is_damaged(_start_of(mapped)) or mapped.size() < len(mapped):
        raise DataError(
            f"{name}: the file has become shorter, or cannot be read any more, while it is in use; "
            "restore it, and load the data again."
        )


def _mapping_of(array: NDArray[Any]) -> _Mapping | None:
    if array.base is None:
        return None  # as most arrays, it has memory of its own
    memory: Any = array
    name = "a file that is mapped"
    while isinstance(memory, np.ndarray):
        if isinstance(memory, np.memmap) and memory.filename is not None:
            name = repr(str(memory.filename))
        memory = memory.base
    if isinstance(memory, memoryview):
        memory = memory.obj
    if not isinstance(memory, mmap.mmap):
        return None
    return _Mapping(memory, repr(str(memory.path)) if isinstance(memory, MappedFile) else name)


def _watch(mapped: mmap.mmap) -> None:
    if mapped in _watched:
        return
    _watched.add(mapped)
    start = _start_of(mapped)
    _native.watch_mapping(start, len(mapped))
    weakref.finalize(mapped, _native.unwatch_mapping, start).atexit = False


def _start_of(mapped: mmap.mmap) -> int:
    start: int = np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
    return start
