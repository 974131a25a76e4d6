"""SHA-256 of arrays and models, which identify the inputs of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hashlib import _Hash

BLOCK_BYTES = 1 << 24  # hashed at once, so that a memory-mapped array is never read as a whole


def arrays_sha256(*arrays: NDArray[Any]) -> str:
    """Return the SHA-256 of the bytes of arrays in C order, one array after the other."""
    digest = _sha256()
    for array in arrays:
        _update(digest, array)
    return digest.hexdigest()


def state_sha256(state: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of a state dict: name, dtype, shape and bytes, in the order of the names.

    The hash depends only on the values, not on the file that held them.
    """
    digest = _sha256()
    for name, array in sorted(state.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        _update(digest, array)
    return digest.hexdigest()


def _sha256() -> _Hash:
    from hashlib import sha256  # it loads OpenSSL, and importing skd must stay quick

    return sha256()


def _update(digest: _Hash, array: NDArray[Any]) -> None:
    values = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    for start in range(0, len(values), BLOCK_BYTES):
        digest.update(values[start : start + BLOCK_BYTES])
