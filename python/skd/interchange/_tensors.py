"""Tensors in files of other programs: strided views of storages, possibly not read yet."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd._files.safetensors_files import widened
from skd._files.unreadable import UnreadableFileError

MAX_DIMENSIONS = 8
MAX_EXTENT = 1 << 40
BFLOAT16 = "BFloat16Storage"


class Storage:
    """Raw numbers of a file.

    Parameters
    ----------
    kind : str
        PyTorch's name of the type, such as "FloatStorage".
    count : int
        Number of numbers.
    values : ndarray of shape (count,), optional
        The numbers, once they are read; uint16 for bfloat16.
    """

    def __init__(self, kind: str, count: int, values: NDArray[Any] | None = None) -> None:
        self.kind = kind
        self.count = count
        self.values = values


class Tensor:
    """A strided view of a storage; strides count numbers."""

    def __init__(
        self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.strides = strides

    @classmethod
    def of_array(cls, values: NDArray[Any], *, is_bfloat16: bool = False) -> Tensor:
        """Return the tensor of a contiguous array."""
        storage = Storage(BFLOAT16 if is_bfloat16 else "", values.size, values.reshape(-1))
        strides = tuple(stride // values.itemsize for stride in values.strides)
        return cls(storage, 0, values.shape, strides)

    def array(self) -> NDArray[Any]:
        """Return the numbers; bfloat16 as float32."""
        values = self.storage.values
        if values is None:
            raise UnreadableFileError("it lacks the numbers of a tensor")
        part = values[self.offset :]
        strides = [stride * part.itemsize for stride in self.strides]
        view = np.lib.stride_tricks.as_strided(part, self.shape, strides, writeable=False)
        native = view.astype(view.dtype.newbyteorder("="), copy=False)
        return widened(native) if self.storage.kind == BFLOAT16 else native


def checked_tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> Tensor:
    """Return a tensor that lies within its storage and shows no number twice.

    Raises
    ------
    UnreadableFileError
        If it does not fulfil this.
    """
    if not isinstance(storage, Storage):
        raise UnreadableFileError("one of its tensors has no storage")
    numbers = [offset, *shape, *strides]
    if any(type(number) is not int or number < 0 for number in numbers):
        raise UnreadableFileError("one of its tensors has an impossible shape")
    if len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
        raise UnreadableFileError("one of its tensors has too many dimensions")
    # An axis of length 1 may have any stride in PyTorch, and is given stride 0 here.
    steps = [stride if extent > 1 else 0 for extent, stride in zip(shape, strides, strict=True)]
    count = math.prod(shape)
    last = offset + sum((extent - 1) * stride for extent, stride in zip(shape, steps, strict=True))
    is_empty = count == 0 and max(shape) < MAX_EXTENT
    if not is_empty and not (0 < count <= storage.count and last < storage.count):
        raise UnreadableFileError("one of its tensors is larger than its storage")
    if is_empty:
        offset, steps = 0, [0] * len(steps)
    return Tensor(storage, offset, tuple(shape), tuple(steps))
