"""How much memory there is, and how much the library holds."""

from __future__ import annotations

import math
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
    available = available_memory()
    if n_bytes > available:
        raise MemoryError(
            f"{need} does not fit into memory: it needs about {n_bytes} bytes, and {available} "
            "are available."
        )


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


def available_memory() -> int:
    """Return how much memory can still be had without swapping.

    Returns
    -------
    available_memory : int
        Bytes, an estimate of the operating system. Where the process has less than the machine,
        by the control groups of a container or a batch system or by ``ulimit -v``, it is less.

    See Also
    --------
    Model.evaluation_memory : What an evaluation takes.
    Gen0.step_memory : What a training step takes.

    Examples
    --------
    >>> available_memory() > 0
    True
    """
    return _native.available_memory()


def live_memory() -> int:
    """Return how much memory the buffers of all models and trainers hold at the moment.

    Returns
    -------
    live_memory : int
        Bytes, without NumPy's arrays.

    Examples
    --------
    >>> before = live_memory()
    >>> model = skd.create_model("convnet4", num_classes=2, image_size=16)
    >>> live_memory() - before > 4 * model.parameter_count
    True
    """
    return _native.live_memory()
