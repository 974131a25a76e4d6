"""Arrays in untrusted ``.npz`` archives: members are checked, and read in pieces."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

import numpy as np

from skd._files.array_files import ArrayHeader, look_for, refuse
from skd._files.bounded_zip import opened_zip
from skd._files.kinds import TORCH

SUFFIX = ".npy"  # of a member that holds an array
LOCAL_HEADER = 30  # bytes of a member's header before its name
#: Data never compress this far; a larger ratio is a decompression bomb.
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


class Member(NamedTuple):
    """A member of an archive, and the header of its array."""

    info: zipfile.ZipInfo
    header: ArrayHeader


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays of an archive."""
    return [name.removesuffix(SUFFIX) for name in _names(path) if name.endswith(SUFFIX)]


def find(path: Path, key: str) -> Member:
    """Return the array under a key of an archive, after checking its size."""
    names = _names(path)
    if key + SUFFIX not in names:
        found = ", ".join(name.removesuffix(SUFFIX)[:40] for name in names[:10])
        refuse(path, f"the archive has no array {key!r}; it has {found or 'none'}")
    try:
        with open(path, "rb") as opened, opened_zip(opened) as archive:
            info = archive.getinfo(key + SUFFIX)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                refuse(path, f"{info.filename!r} is compressed by another method than NumPy's")
            with archive.open(info) as file:
                header = ArrayHeader(file, path)
    except DAMAGED as error:
        _refuse_damaged(path, error)
    if header.offset + header.nbytes != info.file_size:
        refuse(
            path,
            f"{info.filename!r} declares an array of {header.nbytes:,} bytes, and "
            f"{info.file_size - header.offset:,} are there",
        )
    return Member(info, header)


def require_plausible_ratio(path: Path, member: Member, what: str) -> None:
    """Refuse a member that unpacks to far more than data of its kind would."""
    info = member.info
    ratio = info.file_size / max(info.compress_size, 1)
    if info.file_size > RATIO_COUNTS_FROM and ratio > MAX_RATIO:
        refuse(path, f"{info.filename!r} unpacks to {ratio:.0f} times its size; no {what} does")


def read_array(path: Path, member: Member) -> np.ndarray[Any, Any]:
    """Return an array, which the caller has found small enough, and verify its checksum."""
    header = member.header
    (content,) = pieces(path, member, header.nbytes, 1, 1)
    flat = np.frombuffer(content, header.dtype)
    return flat.reshape(header.shape, order="F" if header.is_fortran else "C")


def pieces(path: Path, member: Member, size: int, count: int, block: int) -> Iterator[bytes]:
    """Yield the content of `count` entries of a size, `block` at a time; verify the checksum."""
    info, header = member
    try:
        with (
            open(path, "rb") as opened,
            opened_zip(opened) as archive,
            archive.open(info) as file,
        ):
            _read(file, header.offset, path)
            for start in range(0, count, block):
                yield _read(file, size * min(block, count - start), path)
            if file.read(1):  # this also verifies the checksum
                refuse(path, f"{info.filename!r} is longer than its array")
    except DAMAGED as error:
        _refuse_damaged(path, error)


def content_offset(path: Path, member: Member) -> int:
    """Return the offset of a stored member's array in the file."""
    with open(path, "rb") as file:
        file.seek(member.info.header_offset)
        local = file.read(LOCAL_HEADER)
    if local[:4] != b"PK\x03\x04" or len(local) < LOCAL_HEADER:
        refuse(path, "the archive is damaged: a member has no header")
    name, extra = (int.from_bytes(local[at : at + 2], "little") for at in (26, 28))
    return member.info.header_offset + LOCAL_HEADER + name + extra + member.header.offset


def _names(path: Path) -> list[str]:
    look_for(path, "an archive of NumPy arrays", "a zip archive", TORCH)
    if not zipfile.is_zipfile(path):
        refuse(path, "not an archive of NumPy arrays, or truncated: the list at its end is missing")
    try:
        with open(path, "rb") as opened, opened_zip(opened) as archive:
            return archive.namelist()
    except DAMAGED as error:
        _refuse_damaged(path, error)


def _refuse_damaged(path: Path, error: Exception) -> NoReturn:
    refuse(path, f"the archive is damaged or truncated ({error or type(error).__name__})", error)


def _read(file: IO[bytes], size: int, path: Path) -> bytes:
    content = file.read(size)
    if len(content) != size:
        refuse(path, f"the archive is truncated: {size:,} bytes expected, {len(content):,} there")
    return content
