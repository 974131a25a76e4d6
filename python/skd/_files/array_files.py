"""Untrusted array files of NumPy: their kind is checked, and their content is mapped."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import IO, Any, Literal, NoReturn

import numpy as np

from skd._files.kinds import HTML, LFS, START, XML, kind_of
from skd._files.mapped import MappedFile
from skd.errors import DataError

HEADER_LIMIT = 1 << 14
MAX_DIMENSIONS = 8
NPY_START = b"\x93NUMPY"
#: Content of the header, a Python dict that is not evaluated. Python 2 wrote "9L".
HEADER_PARTS = {
    "descr": re.compile(r"'descr':\s*'([<>|=]?[a-zA-Z][0-9]{0,4})'"),
    "fortran_order": re.compile(r"'fortran_order':\s*(True|False)"),
    "shape": re.compile(r"'shape':\s*\(([-\d,\sL]*)\)"),
}


def refuse(path: Path, reason: str, cause: BaseException | None = None) -> NoReturn:
    """Raise an error about a file."""
    raise DataError(f"{str(path)!r}: {reason}.") from cause


def look_at(path: Path) -> bytes:
    """Return the first bytes of a file, after refusing failed downloads."""
    if not path.is_file():
        refuse(path, "not a file" if path.exists() else "no such file")
    with open(path, "rb") as file:
        start = file.read(START)
    if not start:
        refuse(path, "the file is empty; download it again")
    kind = kind_of(start)
    if kind in (HTML, XML):
        refuse(
            path,
            "this is an HTML page, not the file: the server sent its page of confirmation or of "
            "an error instead; download it again, through a browser if need be",
        )
    if kind == LFS:
        refuse(path, "this is a pointer of Git LFS, not the file; run 'git lfs pull'")
    return start


def look_for(path: Path, *kinds: str | None) -> None:
    """Refuse a file of another kind than these; None stands for unknown kinds."""
    kind = kind_of(look_at(path))
    if kind is not None and kind not in kinds:
        refuse(path, f"this is {kind}, not {kinds[0]}")


class ArrayHeader:
    """Shape, dtype and offset of an array in NumPy's format."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        text = _header_text(file)
        found = {name: part.search(text) for name, part in HEADER_PARTS.items()} if text else {}
        if not all(found.values()) or not found:
            refuse(path, "not an array in NumPy's format, or one of records")
        descr, order, extents = (match[1] for match in found.values() if match)
        try:
            self.dtype: np.dtype[Any] = np.dtype(descr)
            sizes = [int(part.strip().rstrip("L")) for part in extents.split(",") if part.strip()]
        except (TypeError, ValueError) as error:
            refuse(path, f"not an array in NumPy's format ({error})", error)
        if len(sizes) > MAX_DIMENSIONS or not all(0 <= size < 2**48 for size in sizes):
            refuse(path, f"an array of the impossible shape {tuple(sizes)!s:.80}")
        if self.dtype.kind not in "biufSU":
            refuse(path, "an array of objects, which could run code; only numbers are read")
        self.shape: tuple[int, ...] = tuple(sizes)
        self.is_fortran = order == "True"
        self.offset = file.tell()

    @property
    def nbytes(self) -> int:
        """Number of bytes of the content."""
        size = self.dtype.itemsize
        for length in self.shape:
            size *= length
        return size


def _header_text(file: IO[bytes]) -> str | None:
    """Return the header of an array file; None if it has none."""
    start = file.read(len(NPY_START) + 2)
    size = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}.get(start[len(NPY_START) :])
    if size is None or not start.startswith(NPY_START):
        return None
    length = int.from_bytes(file.read(size), "little")
    text = file.read(length) if length <= HEADER_LIMIT else b""
    return text.decode("latin-1") if length and len(text) == length else None


def map_array(path: Path, offset: int, header: ArrayHeader) -> np.ndarray[Any, Any]:
    """Map the array at an offset of a file, read-only."""
    available = path.stat().st_size - offset
    if header.nbytes > available:
        refuse(path, f"truncated: {header.nbytes:,} bytes are declared and {available:,} there")
    if not header.nbytes:
        return np.empty(header.shape, header.dtype)
    order: Literal["C", "F"] = "F" if header.is_fortran else "C"
    flat = np.frombuffer(MappedFile(path), header.dtype, math.prod(header.shape), offset)
    return flat.reshape(header.shape, order=order)


def map_npy(path: Path) -> np.ndarray[Any, Any]:
    """Map the array of an ``.npy`` file, read-only."""
    look_for(path, "an array file of NumPy")
    with open(path, "rb") as file:
        header = ArrayHeader(file, path)
    return map_array(path, header.offset, header)
