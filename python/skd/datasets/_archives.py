"""Arrays in ``.npz`` archives: mapped if they are stored, otherwise read in pieces."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from skd._files.bounded_zip import opened_zip
from skd._files.kinds import TORCH
from skd.datasets._data_files import ArrayHeader, look_for, map_array, refuse
from skd.datasets._parts import Block, Pixels, check_shape
from skd.datasets._split import BLOCK

LOCAL_HEADER = 30  # bytes of a member's header before its name
MAX_LABEL_BYTES = 1 << 24
#: Images never compress this far; a larger ratio is a decompression bomb.
MAX_RATIO, RATIO_COUNTS_FROM = 100, 1 << 24
#: Errors of `zipfile` on damaged archives, whose names of members may not be text.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    UnicodeDecodeError,
)


def read_images(path: Path, key: str, side: int) -> Pixels:
    """Return the images under a key of an archive."""
    member, header = _find(path, key)
    check_shape(header.shape, header.dtype, path, side)
    if header.is_fortran:
        refuse(path, "the images are in Fortran order, not in C order")
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > RATIO_COUNTS_FROM and ratio > MAX_RATIO:
        refuse(path, f"{member.filename!r} unpacks to {ratio:.0f} times its size; no image does")
    array = None
    if member.compress_type == zipfile.ZIP_STORED:
        array = map_array(path, _content_offset(path, member) + header.offset, header)
    return Pixels(header.shape, lambda: _blocks(path, member, header), array)


def read_labels(path: Path, key: str) -> np.ndarray[Any, Any]:
    """Return a small array under a key of an archive."""
    member, header = _find(path, key)
    if header.nbytes > MAX_LABEL_BYTES:
        refuse(path, f"{member.filename!r} is too large for labels: {header.nbytes:,} bytes")
    (content,) = _pieces(path, member, header, header.nbytes, 1)
    return np.frombuffer(content, header.dtype).reshape(header.shape)


def _find(path: Path, key: str) -> tuple[zipfile.ZipInfo, ArrayHeader]:
    """Return a member of an archive and the header of its array, after checking the size."""
    look_for(path, "an archive of NumPy arrays", "a zip archive", TORCH)
    if not zipfile.is_zipfile(path):
        refuse(path, "not an archive of NumPy arrays, or truncated: the list at its end is missing")
    try:
        with open(path, "rb") as opened, opened_zip(opened) as archive:
            names = archive.namelist()
            if f"{key}.npy" not in names:
                found = ", ".join(name.removesuffix(".npy")[:40] for name in names[:10])
                refuse(path, f"the archive has no array {key!r}; it has {found or 'none'}")
            member = archive.getinfo(f"{key}.npy")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                refuse(path, f"{member.filename!r} is compressed by another method than NumPy's")
            with archive.open(member) as file:
                header = ArrayHeader(file, path)
    except DAMAGED as error:
        _refuse_damaged(path, error)
    if header.offset + header.nbytes != member.file_size:
        refuse(
            path,
            f"{member.filename!r} declares an array of {header.nbytes:,} bytes, and "
            f"{member.file_size - header.offset:,} are there",
        )
    return member, header


def _refuse_damaged(path: Path, error: Exception) -> NoReturn:
    refuse(path, f"the archive is damaged or truncated ({error or type(error).__name__})", error)


def _content_offset(path: Path, member: zipfile.ZipInfo) -> int:
    """Return the offset of a stored member's content."""
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        local = file.read(LOCAL_HEADER)
    if local[:4] != b"PK\x03\x04" or len(local) < LOCAL_HEADER:
        refuse(path, "the archive is damaged: a member has no header")
    name, extra = (int.from_bytes(local[at : at + 2], "little") for at in (26, 28))
    return member.header_offset + LOCAL_HEADER + name + extra


def _blocks(path: Path, member: zipfile.ZipInfo, header: ArrayHeader) -> Iterator[Block]:
    """Yield the images of a member in blocks, and verify its checksum."""
    size = header.nbytes // header.shape[0]
    for content in _pieces(path, member, header, size, header.shape[0]):
        yield np.frombuffer(content, np.uint8).reshape(-1, *header.shape[1:])


def _pieces(
    path: Path, member: zipfile.ZipInfo, header: ArrayHeader, size: int, count: int
) -> Iterator[bytes]:
    try:
        with (
            open(path, "rb") as opened,
            opened_zip(opened) as archive,
            archive.open(member) as file,
        ):
            _read(file, header.offset, path)
            for start in range(0, count, BLOCK):
                yield _read(file, size * min(BLOCK, count - start), path)
            if file.read(1):  # this also verifies the checksum
                refuse(path, f"{member.filename!r} is longer than its array")
    except DAMAGED as error:
        _refuse_damaged(path, error)


def _read(file: IO[bytes], size: int, path: Path) -> bytes:
    content = file.read(size)
    if len(content) != size:
        refuse(path, f"the archive is truncated: {size:,} bytes expected, {len(content):,} there")
    return content
