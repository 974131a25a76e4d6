"""Files of others: opened with a look at what they are, mapped, and unpickled without being run."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import IO, Any, Literal, NoReturn

import numpy as np

from skd._safe_pickle import PickleError, loads
from skd.errors import DataError

HEADER_LIMIT = 1 << 16
HTML_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<script")
LFS_START = b"version https://git-lfs"


def refuse(path: Path, reason: str, cause: BaseException | None = None) -> NoReturn:
    """Raise the sentence that says what is wrong with a file."""
    raise DataError(f"{str(path)!r}: {reason}.") from cause


def look_at(path: Path) -> bytes:
    """Return the first bytes of a file, after refusing what is no download at all."""
    if not path.is_file():
        refuse(path, "not a file" if path.exists() else "no such file")
    with open(path, "rb") as file:
        start = file.read(512)
    if not start:
        refuse(path, "the file is empty; download it again")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(HTML_STARTS):
        refuse(
            path,
            "this is an HTML page, not the file: the server sent its page of confirmation or of "
            "an error instead; download it again, through a browser if need be",
        )
    if text.startswith(LFS_START):
        refuse(path, "this is a pointer of Git LFS, not the file; run 'git lfs pull'")
    return start


def read_pickle(path: Path) -> Any:
    """Return what a pickle holds; its arrays are views into the mapped file."""
    look_at(path)
    with open(path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return unpickle(mapped, path)


def unpickle(data: Any, path: Path) -> Any:
    """Return what a pickle in memory holds; `path` is named in errors."""
    try:
        return loads(data)
    except PickleError as error:
        refuse(path, f"not a pickle of arrays that can be read: {error}", error)


def entry(content: Any, names: tuple[str, ...], path: Path) -> Any:
    """Return the first of the named entries of a pickled dict."""
    if not isinstance(content, dict):
        refuse(path, f"holds a {type(content).__name__} instead of a dict with {names[0]!r}")
    by_name = {str(key, "latin-1") if isinstance(key, bytes) else key: key for key in content}
    for name in names:
        if name in by_name:
            return content[by_name[name]]
    found = ", ".join(sorted(repr(name)[:40] for name in list(by_name)[:10])) or "nothing"
    refuse(path, f"the dict lacks {' or '.join(map(repr, names))}; it holds {found}")


class ArrayHeader:
    """The shape, dtype and place of the content of an array in NumPy's format."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        from numpy.lib import format as npy

        try:
            version = npy.read_magic(file)
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
            shape, self.is_fortran, self.dtype = read(file)
        except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
            refuse(path, f"not an array in NumPy's format ({error or type(error).__name__})", error)
        if not all(type(size) is int and 0 <= size < 2**48 for size in shape):
            refuse(path, f"an array of the impossible shape {shape}")
        if self.dtype.hasobject:
            refuse(path, "an array of objects, which could run code; only numbers are read")
        self.shape: tuple[int, ...] = shape
        self.offset = file.tell()

    @property
    def nbytes(self) -> int:
        """Bytes of the content."""
        size = self.dtype.itemsize
        for length in self.shape:
            size *= length
        return size


def map_array(path: Path, offset: int, header: ArrayHeader) -> np.ndarray[Any, Any]:
    """Return the array whose content lies at an offset of a file, read-only, not in memory."""
    available = path.stat().st_size - offset
    if header.nbytes > available:
        refuse(path, f"truncated: {header.nbytes:,} bytes are declared and {available:,} there")
    if not header.nbytes:
        return np.empty(header.shape, header.dtype)
    order: Literal["C", "F"] = "F" if header.is_fortran else "C"
    return np.asarray(np.memmap(path, header.dtype, "r", offset, header.shape, order))


def map_npy(path: Path) -> np.ndarray[Any, Any]:
    """Return the array of an ``.npy`` file, read-only, not in memory."""
    look_at(path)
    with open(path, "rb") as file:
        header = ArrayHeader(file, path)
    return map_array(path, header.offset, header)
