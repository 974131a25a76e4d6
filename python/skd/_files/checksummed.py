"""Checkpoint files with a checksum, which detects any changed byte.

The metadata of the safetensors file hold the SHA-256 of the whole file, computed with zeros in the
place of the checksum. The header is written in sorted order, so equal content gives equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd._files.safetensors_files import (
    LENGTH_BYTES,
    Safetensors,
    SafetensorsError,
    narrowed,
)
from skd.errors import DamagedCheckpointError

CHECKSUM_KEY = "skd.sha256"
NO_CHECKSUM = b"0" * 64
# Quotes within other metadata are escaped, so that this matches at the key itself only.
CHECKSUM = re.compile(rb'"' + re.escape(CHECKSUM_KEY.encode()) + rb'":"([0-9a-f]{64})"')


def checksummed_bytes(
    state: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], *, narrow: bool = False
) -> bytearray:
    """Return the bytes of a safetensors file with a checksum.

    Parameters
    ----------
    state : mapping of str to ndarray
        Tensors, of any strides.
    metadata : mapping of str to str
        Further metadata.
    narrow : bool, default=False
        Store float32 tensors as bfloat16.

    Raises
    ------
    OverflowError
        If `narrow` is true and a number is not finite in bfloat16.
    """
    from safetensors.numpy import save

    # safetensors writes the memory of an array as it is and ignores strides.
    arrays = {name: np.require(view, requirements="C") for name, view in state.items()}
    halved = [name for name, array in arrays.items() if narrow and array.dtype == np.float32]
    arrays |= {name: narrowed(arrays[name]) for name in halved}
    written = save(arrays, metadata={**metadata, CHECKSUM_KEY: NO_CHECKSUM.decode()})
    start = _header_end(written)
    entries = json.loads(written[LENGTH_BYTES:start])
    for name in halved:  # NumPy has no bfloat16, so safetensors took its bits for integers
        entries[name]["dtype"] = "BF16"
    header = json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # tensors stay aligned
    data = bytearray(len(header).to_bytes(LENGTH_BYTES, "little") + header)
    (place,) = CHECKSUM.finditer(data)
    first, end = place.span(1)
    del place  # a match would keep the bytearray from growing
    data += memoryview(written)[start:]
    data[first:end] = hashlib.sha256(data).hexdigest().encode()
    return data


def verified_content(
    data: bytes, *, requires_checksum: bool
) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    """Verify the checksum of a safetensors file; return its metadata and tensors.

    Parameters
    ----------
    data : bytes
        Content of a file.
    requires_checksum : bool
        Whether a file without a checksum is refused; other programs write none.

    Returns
    -------
    metadata : dict of str to str
        Metadata without the checksum.
    state : dict of str to ndarray
        Tensors.

    Raises
    ------
    DamagedCheckpointError
        If a byte differs or is missing, or the file is not a safetensors file.
    """
    end = _header_end(data)
    sums = list(CHECKSUM.finditer(data, 0, end))
    if len(sums) > 1 or (requires_checksum and not sums):
        raise DamagedCheckpointError("its checksum is missing")
    if sums and _digest(data, sums[0]) != sums[0].group(1):
        raise DamagedCheckpointError("its checksum is wrong")
    try:
        content = Safetensors.of_bytes(data, is_trusted=bool(sums))
        state = content.arrays()
    except SafetensorsError as error:
        raise DamagedCheckpointError(str(error)) from error
    metadata = content.metadata
    metadata.pop(CHECKSUM_KEY, None)
    return metadata, state


def _digest(data: bytes, place: re.Match[bytes]) -> bytes:
    """Return the checksum of a file, computed with zeros in its place."""
    content = memoryview(data)
    digest = hashlib.sha256(content[: place.start(1)])
    digest.update(NO_CHECKSUM)
    digest.update(content[place.end(1) :])
    return digest.hexdigest().encode()


def _header_end(data: bytes | bytearray) -> int:
    return min(LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "little"), len(data))
