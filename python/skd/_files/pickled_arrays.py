"""Constructors for NumPy's names in pickles: arrays, dtypes and scalars of numbers and text.

Arrays of any version of NumPy (`numpy.core` or `numpy._core`) are created here from checked shapes,
dtypes and bytes; NumPy's unpickling functions never see the content of the file.
"""

from __future__ import annotations

import math
import re
from reprlib import repr as shown  # a pickle can repeat a nested value many times
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd._files.pickles import Constructor, Name, PickleError, Reader, Unfinished

MAX_DIMENSIONS = 8
DTYPE = re.compile(r"([|<>=]?)([biufSU])(\d{1,4})\Z")


class UnfinishedType(Unfinished):
    """A dtype without its byte order."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        super().__init__()
        text = arguments[0] if arguments else None
        match = DTYPE.match(text) if isinstance(text, str) else None
        if match is None:
            raise PickleError(f"an array of dtype {shown(text):.80} is not of numbers or text")
        try:
            self.dtype = np.dtype("".join(match.groups()))
        except TypeError as error:
            raise PickleError(f"an array is of the unknown dtype {text!r}") from error

    def finish(self, state: Any, reader: Reader) -> np.dtype[Any]:
        """Return the dtype in the byte order of its state."""
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise PickleError("the byte order of a dtype is unknown")
        if any(entry is not None for entry in state[2:5]):
            raise PickleError("a dtype has fields, which are not read")
        return self.dtype.newbyteorder(state[1])


class UnfinishedArray(Unfinished):
    """An array without shape and content."""

    def finish(self, state: Any, reader: Reader) -> NDArray[Any]:
        """Return the array from its state ``(version, shape, dtype, is_fortran, content)``."""
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise PickleError("the state of an array is damaged")
        shape, dtype, is_fortran, content = state[-4:]
        return make_array(content, dtype, shape, "F" if is_fortran else "C", reader)


def make_array(content: Any, dtype: Any, shape: Any, order: str, reader: Reader) -> NDArray[Any]:
    """Return an array over the bytes of a pickle; a copy only if alignment requires it."""
    if isinstance(dtype, UnfinishedType):
        dtype = dtype.dtype
    if not isinstance(dtype, np.dtype):
        raise PickleError("the dtype of an array is damaged")
    is_shape = isinstance(shape, tuple) and len(shape) <= MAX_DIMENSIONS
    if not is_shape or not all(type(size) is int and size >= 0 for size in shape):
        raise PickleError(f"the shape of an array is {shown(shape):.80}")
    if isinstance(content, str):  # bytes of Python 2, or of protocol 2 of Python 3
        reader.copied(len(content))
        content = content.encode("latin-1")
    if isinstance(content, list):
        raise PickleError("an array of objects is not data")
    if not isinstance(content, (bytes, memoryview)):
        raise PickleError(f"the content of an array is of type {type(content).__name__}")
    declared = math.prod(shape) * dtype.itemsize
    if declared != len(content):
        raise PickleError(
            f"an array of shape {shape} and dtype {dtype} needs {declared:,} bytes; "
            f"{len(content):,} are there"
        )
    if not declared:
        return np.empty(shape, dtype)
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if order == "F" else "C")
    if not array.flags.aligned:
        reader.copied(declared)
        array = array.copy()
    return array


def _array(arguments: tuple[Any, ...], reader: Reader) -> UnfinishedArray:
    return UnfinishedArray()


def _array_from_buffer(arguments: tuple[Any, ...], reader: Reader) -> NDArray[Any]:
    content, dtype, shape, order = arguments
    return make_array(content, dtype, shape, order, reader)


def _dtype(arguments: tuple[Any, ...], reader: Reader) -> UnfinishedType:
    return UnfinishedType(arguments)


def _scalar(arguments: tuple[Any, ...], reader: Reader) -> Any:
    dtype, content = arguments
    return make_array(content, dtype, (), "C", reader)[()]


def _encode(arguments: tuple[Any, ...], reader: Reader) -> bytes:
    """Return bytes that protocol 2 of Python 3 wrote as text."""
    text, encoding = arguments
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise PickleError("bytes in it are damaged")
    reader.copied(len(text))
    return text.encode("latin-1")


def _no_bytes(arguments: tuple[Any, ...], reader: Reader) -> bytes:
    if arguments:
        raise PickleError("bytes in it are damaged")
    return b""


def _ordered_dict(arguments: tuple[Any, ...], reader: Reader) -> dict[Any, Any]:
    if arguments:
        raise PickleError("an OrderedDict in it is damaged")
    return {}


def _refuse_class(arguments: tuple[Any, ...], reader: Reader) -> Any:
    raise PickleError("it creates an array in an unknown way")


CONSTRUCTORS: dict[Name, Constructor] = {
    Name("numpy", "dtype"): _dtype,
    Name("numpy", "ndarray"): _refuse_class,  # named, as the class of an array, but not called
    Name("_codecs", "encode"): _encode,
    Name("builtins", "bytes"): _no_bytes,
    Name("__builtin__", "bytes"): _no_bytes,
    Name("collections", "OrderedDict"): _ordered_dict,
}
for _core in ("numpy.core", "numpy._core"):
    CONSTRUCTORS[Name(f"{_core}.multiarray", "_reconstruct")] = _array
    CONSTRUCTORS[Name(f"{_core}.multiarray", "scalar")] = _scalar
    CONSTRUCTORS[Name(f"{_core}.numeric", "_frombuffer")] = _array_from_buffer
