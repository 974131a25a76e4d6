"""A strict reader of the safetensors format, which checks every claim of a file before use.

The safetensors library cannot read bfloat16 into NumPy, and it accepts some damaged files.

    8 bytes    length n of the header, little-endian
    n bytes    JSON: {name: {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {}}
    the rest   tensors in C order, without gaps; offsets count from here
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skd._files import bounded_json

LENGTH_BYTES = 8
METADATA = "__metadata__"
KEYS = {"dtype", "shape", "data_offsets"}
MAX_DIMENSIONS = 8
#: Types of NumPy; bfloat16 is widened to float32, and 8-bit floats are not read.
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}
#: Other types of the format, and their sizes in bits.
NOT_READ = {
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "C64": 64,
}

Read = Callable[[int, int], bytes | memoryview]


class SafetensorsError(ValueError):
    """A file is incomplete or not in the format; the message is the reason."""


class Entry(NamedTuple):
    """A tensor's entry in the header; `begin` and `end` count from the start of the file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Safetensors:
    """A file or bytes in the safetensors format.

    Attributes
    ----------
    metadata : dict of str to str
        Metadata of the header.
    entries : dict of str to Entry
        Entries of the tensors, in the order of the header.
    header_end : int
        Offset of the first tensor, in bytes.

    Raises
    ------
    SafetensorsError
        If the header is damaged, or does not describe the rest of the file byte for byte.
    """

    def __init__(self, read: Read, size: int, *, is_trusted: bool = False) -> None:
        self._read = read
        if size < LENGTH_BYTES:
            raise SafetensorsError(f"it ends after {size} bytes, within its first number")
        length = int.from_bytes(read(0, LENGTH_BYTES), "little")
        if bytes(read(LENGTH_BYTES, 1)) not in (b"{", b""):
            raise SafetensorsError("its header is not a JSON object")
        if length > size - LENGTH_BYTES:
            raise SafetensorsError(
                f"its header is said to have {length:,} bytes, and the file has {size:,}"
            )
        self.header_end = LENGTH_BYTES + length
        granted = 1 << 40 if is_trusted else size
        header = _header(bytes(read(LENGTH_BYTES, length)), granted)
        self.metadata: dict[str, str] = header.pop(METADATA, None) or {}
        if not isinstance(self.metadata, dict) or not all(
            isinstance(text, str) for text in self.metadata.values()
        ):
            raise SafetensorsError("its metadata are not all text")
        self.entries = {
            name: _entry(name, value, self.header_end) for name, value in header.items()
        }
        _require_gapless(self.entries, self.header_end, size)

    @classmethod
    def of_bytes(cls, data: bytes | bytearray, *, is_trusted: bool = False) -> Safetensors:
        """Read bytes; arrays are views of them. Trusted bytes may have a header of any size."""
        view = memoryview(data)
        return cls(
            lambda start, count: view[start : start + count], len(view), is_trusted=is_trusted
        )

    def array(self, name: str) -> NDArray[Any]:
        """Return a tensor; bfloat16 as float32."""
        values = self.stored(name)
        return widened(values) if self.entries[name].dtype == "BF16" else values

    def stored(self, name: str) -> NDArray[Any]:
        """Return a tensor as it is stored; bfloat16 as uint16."""
        entry = self.entries[name]
        if entry.dtype not in DTYPES:
            raise SafetensorsError(f"{name!r:.80} is of the dtype {entry.dtype}, which is not read")
        raw = self._read(entry.begin, entry.end - entry.begin)
        if len(raw) != entry.end - entry.begin:
            raise SafetensorsError(f"it ends within {name!r:.80}")
        values = np.frombuffer(raw, DTYPES[entry.dtype]).reshape(entry.shape)
        return values if values.flags.aligned else values.copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all tensors."""
        return {name: self.array(name) for name in self.entries}


def widened(values: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Convert the bits of bfloat16 numbers to float32."""
    bits = values.astype(np.uint32)
    bits <<= 16
    return bits.view(np.float32)


def narrowed(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return the bits of float32 numbers rounded to bfloat16, ties to even.

    Raises
    ------
    OverflowError
        If a number is not finite, or rounds to infinity.
    """
    bits = np.require(values, np.float32, "C").view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    if ((rounded & 0x7F80) == 0x7F80).any():
        raise OverflowError("a number is not finite in bfloat16")
    return rounded


@contextmanager
def opened(path: str | PathLike[str]) -> Iterator[Safetensors]:
    """Open a file; its tensors can be read inside the block."""
    with open(path, "rb") as file:
        yield Safetensors(_reading(file), os.fstat(file.fileno()).st_size)


def _reading(file: IO[bytes]) -> Read:
    def read(start: int, count: int) -> bytes:
        file.seek(start)
        return file.read(count)

    return read


def _header(text: bytes, granted: int) -> dict[str, Any]:
    try:
        header = bounded_json.parse(text, file_bytes=granted)
    except ValueError as error:
        raise SafetensorsError(f"its header is damaged: {error}") from error
    if not isinstance(header, dict):
        raise SafetensorsError("its header is not a JSON object")
    return header


def _entry(name: str, value: Any, start: int) -> Entry:
    """Return the checked entry of a tensor."""
    if not isinstance(value, dict) or set(value) != KEYS:
        raise SafetensorsError(f"its header does not describe {name!r:.80} by {sorted(KEYS)}")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or not (dtype in DTYPES or dtype in NOT_READ):
        raise SafetensorsError(f"{name!r:.80} is of the unknown dtype {dtype!r:.40}")
    if not _are_sizes(shape) or len(shape) > MAX_DIMENSIONS:
        raise SafetensorsError(f"the shape of {name!r:.80} is {shape!r:.80}")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise SafetensorsError(f"the offsets of {name!r:.80} are {offsets!r:.80}")
    begin, end = offsets
    bits = NOT_READ[dtype] if dtype in NOT_READ else 8 * np.dtype(DTYPES[dtype]).itemsize
    declared = math.prod(shape) * bits
    if declared != 8 * (end - begin):
        raise SafetensorsError(
            f"{name!r:.80} of shape {tuple(shape)!r:.80} and dtype {dtype} needs "
            f"{declared // 8:,} bytes, and has {end - begin:,}"
        )
    return Entry(dtype, tuple(shape), start + begin, start + end)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(number) is int and 0 <= number < 2**63 for number in value
    )


def _require_gapless(entries: dict[str, Entry], start: int, size: int) -> None:
    """Refuse tensors that overlap or leave a gap in the file."""
    place = start
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != place:
            fault = "overlaps another tensor" if entry.begin < place else "begins after a gap"
            raise SafetensorsError(f"{name!r:.80} {fault}")
        place = entry.end
    if place != size:
        raise SafetensorsError(
            f"its tensors end at byte {place:,}, and the file has {size:,} bytes"
        )
