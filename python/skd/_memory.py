"""Memory checks before large allocations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skd import _native
from skd._refusals import refuse

LARGE_NEED = 1 << 26  # smaller needs are not worth a system call


def require_memory(n_bytes: int, need: str) -> None:
    """Raise a MemoryError before an allocation that the memory cannot hold.

    Linux promises more memory than there is, and kills a process that uses it.

    Parameters
    ----------
    n_bytes : int
        Bytes to be allocated.
    need : str
        Purpose of the bytes, the subject of the error's sentence.
    """
    if n_bytes < LARGE_NEED:
        return
    available = _native.available_memory()
    if n_bytes > available:
        raise MemoryError(
            f"{need} does not fit into memory: it needs about {n_bytes} bytes, and {available} "
            "are available."
        )


@contextmanager
def too_large_by(owner: str, *names: str) -> Iterator[None]:
    """Name the arguments of `owner` that are too large in a MemoryError of the library.

    If contexts are nested, the outer function is named.

    Parameters
    ----------
    owner : str
        The function that was called.
    *names : str
        Arguments that the need depends on.
    """
    try:
        yield
    except MemoryError as error:
        reason = getattr(error, "reason", str(error))
        listed = " or ".join(f"'{name}'" for name in names)
        named = MemoryError(f"The {listed} of {owner} is too large: {reason}")
        named.reason = reason  # type: ignore[attr-defined]
        raise named from None


def new_array(shape: tuple[int, ...], dtype: DTypeLike, owner: str, cause: str) -> NDArray[Any]:
    """Return an uninitialised array, or raise a MemoryError that names the argument `cause`.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    dtype : dtype
        Dtype of the array.
    owner : str
        The function that returns it.
    cause : str
        Name of the argument that decides the shape.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if n_bytes >= LARGE_NEED:
        require_memory(n_bytes, f"The result of {owner}, of shape {shape} by its '{cause}',")
    try:
        return np.empty(shape, dtype)
    except ValueError as error:  # NumPy limits the number of dimensions
        refuse(cause, owner, "of fewer dimensions", f"{len(shape)} dimensions ({error})")
