"""Memory that is asked for before it is taken."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skd import _native

LARGE_NEED = 1 << 26  # of what is smaller it is not worth to ask the system


def require_memory(n_bytes: int, need: str) -> None:
    """Raise a MemoryError if that many bytes cannot be had, before they are taken.

    Linux promises more memory than there is, and kills the process that takes it at its word.

    Parameters
    ----------
    n_bytes : int
        Bytes to be allocated.
    need : str
        What they are for: the subject of the sentence of the error.
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
    """Name the arguments of `owner` that are too large, where the library lacks memory.

    Where one function calls another so, the outer one is named.

    Parameters
    ----------
    owner : str
        The function that was called.
    *names : str
        Arguments of which the need depends.
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
    """Return an array without values, or raise a MemoryError that names what it is large by.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its dtype.
    owner : str
        The function that returns it.
    cause : str
        Name of the argument that decides the shape.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    require_memory(n_bytes, f"The result of {owner}, of shape {shape} by its '{cause}',")
    return np.empty(shape, dtype)
