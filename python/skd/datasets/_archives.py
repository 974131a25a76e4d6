"""Images and labels in ``.npz`` archives: mapped if they are stored, otherwise read in pieces."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skd._files.array_archives import (
    Member,
    content_offset,
    find,
    pieces,
    read_array,
    require_plausible_ratio,
)
from skd._files.array_files import map_array, refuse
from skd.datasets._parts import Block, Pixels, check_shape
from skd.datasets._split import BLOCK

MAX_LABEL_BYTES = 1 << 24


def read_images(path: Path, key: str, side: int) -> Pixels:
    """Return the images under a key of an archive."""
    member = find(path, key)
    header = member.header
    check_shape(header.shape, header.dtype, path, side)
    if header.is_fortran:
        refuse(path, "the images are in Fortran order, not in C order")
    require_plausible_ratio(path, member, "image")
    array = None
    if member.info.compress_type == zipfile.ZIP_STORED:
        array = map_array(path, content_offset(path, member), header)
    return Pixels(header.shape, lambda: _blocks(path, member), array)


def read_labels(path: Path, key: str) -> np.ndarray[Any, Any]:
    """Return a small array under a key of an archive."""
    member = find(path, key)
    if member.header.nbytes > MAX_LABEL_BYTES:
        size = member.header.nbytes
        refuse(path, f"{member.info.filename!r} is too large for labels: {size:,} bytes")
    return read_array(path, member)


def _blocks(path: Path, member: Member) -> Iterator[Block]:
    """Yield the images of a member in blocks, and verify its checksum."""
    shape = member.header.shape
    size = member.header.nbytes // shape[0]
    for content in pieces(path, member, size, shape[0], BLOCK):
        yield np.frombuffer(content, np.uint8).reshape(-1, *shape[1:])
