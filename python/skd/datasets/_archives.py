"""Arrays inside of ``.npz`` archives: mapped where they are stored, else read in pieces."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from skd.datasets._files import ArrayHeader, look_at, map_array, refuse
from skd.datasets._parts import Block, Pixels, check_shape
from skd.datasets._split import BLOCK

LOCAL_HEADER = 30  # bytes of a member's own header before its name
MAX_LABEL_BYTES = 1 << 26
#: Images never compress so far; what does unpacks to far more than it seems.
MAX_RATIO, RATIO_COUNTS_FROM = 100, 1 << 26
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


def read_member(path: Path, key: str, side: int | None) -> Pixels:
    """Return an array of an archive: images of a side, or if that is None a small array."""
    look_at(path)
    if not zipfile.is_zipfile(path):
        refuse(path, "not an archive of NumPy arrays, or truncated: the list at its end is missing")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if f"{key}.npy" not in names:
                found = ", ".join(name.removesuffix(".npy")[:40] for name in names[:10])
                refuse(path, f"the archive has no array {key!r}; it has {found or 'none'}")
            member = archive.getinfo(f"{key}.npy")
            with archive.open(member) as file:
                header = ArrayHeader(file, path)
    except DAMAGED as error:
        refuse(
            path, f"the archive is damaged or truncated ({error or type(error).__name__})", error
        )
    _check_size(path, member, header, side)
    if member.compress_type == zipfile.ZIP_STORED and not header.is_fortran:
        array = map_array(path, _content_offset(path, member) + header.offset, header)
        return Pixels(header.shape, lambda: _blocks(path, member, header), array)
    return (
        Pixels(header.shape, lambda: _blocks(path, member, header))
        if side
        else Pixels(header.shape, lambda: iter(()), _small(path, member, header))
    )


def _check_size(path: Path, member: zipfile.ZipInfo, header: ArrayHeader, side: int | None) -> None:
    if header.offset + header.nbytes != member.file_size:
        refuse(
            path,
            f"{member.filename!r} declares an array of {header.nbytes:,} bytes, and "
            f"{member.file_size - header.offset:,} are there",
        )
    if side is None:
        if header.nbytes > MAX_LABEL_BYTES:
            refuse(path, f"{member.filename!r} is too large for labels: {header.nbytes:,} bytes")
        return
    check_shape(header.shape, header.dtype, path, side)
    if header.is_fortran:
        refuse(path, "the images are in Fortran order, not in C order")
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > RATIO_COUNTS_FROM and ratio > MAX_RATIO:
        refuse(path, f"{member.filename!r} unpacks to {ratio:.0f} times its size: no images do")


def _content_offset(path: Path, member: zipfile.ZipInfo) -> int:
    """Return where a stored member's content begins."""
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        local = file.read(LOCAL_HEADER)
    if local[:4] != b"PK\x03\x04" or len(local) < LOCAL_HEADER:
        refuse(path, "the archive is damaged: a member has no header of its own")
    name, extra = (int.from_bytes(local[at : at + 2], "little") for at in (26, 28))
    return member.header_offset + LOCAL_HEADER + name + extra


def _small(path: Path, member: zipfile.ZipInfo, header: ArrayHeader) -> np.ndarray[Any, Any]:
    (content,) = _pieces(path, member, header, header.nbytes, 1)
    return np.frombuffer(content, header.dtype).reshape(header.shape)


def _blocks(path: Path, member: zipfile.ZipInfo, header: ArrayHeader) -> Iterator[Block]:
    """Yield the images of a member in blocks; its checksum is checked on the way."""
    size = header.nbytes // header.shape[0]
    for content in _pieces(path, member, header, size, header.shape[0]):
        yield np.frombuffer(content, np.uint8).reshape(-1, *header.shape[1:])


def _pieces(
    path: Path, member: zipfile.ZipInfo, header: ArrayHeader, size: int, count: int
) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            _read(file, header.offset, path)
            for start in range(0, count, BLOCK):
                yield _read(file, size * min(BLOCK, count - start), path)
            if file.read(1):  # which also checks the checksum
                refuse(path, f"{member.filename!r} is longer than its array")
    except DAMAGED as error:
        refuse(
            path, f"the archive is damaged or truncated ({error or type(error).__name__})", error
        )


def _read(file: IO[bytes], size: int, path: Path) -> bytes:
    content = file.read(size)
    if len(content) != size:
        refuse(path, f"the archive is truncated: {size:,} bytes expected, {len(content):,} there")
    return content
