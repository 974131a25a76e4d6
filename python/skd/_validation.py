"""Argument validation: converts user input to the arrays and numbers the library expects.

Every error is one sentence: ``The 'x' parameter of F must be C; got V.``
"""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd._files.mapped import require_whole, watch_mapping_of
from skd._files.paths import input_file as input_file
from skd._files.paths import output_file as output_file
from skd._files.paths import output_folder as output_folder
from skd._files.paths import path as path
from skd._memory import require_memory
from skd._refusals import refuse as refuse
from skd._refusals import shown as shown
from skd._refusals.channel_order import channels_first

Value = TypeVar("Value")

FLOAT32 = struct.Struct("f")
MAX_INT64 = 2**63 - 1
MAX_SEED = 2**64 - 1
MAX_ENTRIES = 1_000_000  # of a sequence that is checked entry by entry
MAX_COUNTER = 2**62  # largest counter of a state dict; no run counts from here to 2**63


def integer(
    value: Any, name: str, owner: str, *, minimum: int = 0, maximum: int = MAX_INT64
) -> int:
    """Return `value` as an int in ``minimum..maximum``."""
    try:
        number = operator.index(value)
    except TypeError:
        refuse(name, owner, "an integer", shown(value), TypeError)
    if not minimum <= number <= maximum:
        legal = f"at least {minimum}" if maximum == MAX_INT64 else f"in {minimum}..{maximum}"
        refuse(name, owner, legal, number)
    return number


def seed(value: Any, owner: str) -> int:
    """Return a seed as an int of 64 bits."""
    try:
        number = operator.index(value)
    except TypeError:
        refuse("seed", owner, "an integer", shown(value), TypeError)
    if not 0 <= number <= MAX_SEED:
        refuse("seed", owner, "in 0..2**64 - 1", number)
    return number


def number(
    value: Any,
    name: str,
    owner: str,
    *,
    minimum: float = 0.0,
    maximum: float = math.inf,
    open_minimum: bool = False,
    open_maximum: bool = False,
) -> float:
    """Return `value` as a finite float of the interval."""
    return _in_interval(value, name, owner, minimum, maximum, open_minimum, open_maximum)


def _in_interval(
    value: Any,
    name: str,
    owner: str,
    minimum: float,
    maximum: float,
    open_minimum: bool,
    open_maximum: bool,
    got: str | None = None,
) -> float:
    if isinstance(value, (str, bytes)):
        refuse(name, owner, "a number", shown(value), TypeError)
    try:
        result = float(value)
    except OverflowError:
        result = math.inf  # an int beyond float64; refused below
    except (TypeError, ValueError):
        refuse(name, owner, "a number", shown(value), TypeError)
    above = result > minimum if open_minimum else result >= minimum
    below = result < maximum if open_maximum else result <= maximum
    if not (math.isfinite(result) and above and below):
        sign = ">" if open_minimum else ">="
        legal = f"finite and {sign} {minimum:g}"
        if maximum != math.inf:
            legal += f" and {'<' if open_maximum else '<='} {maximum:g}"
        refuse(name, owner, legal, result if got is None else got)
    return result


def float32(
    value: Any,
    name: str,
    owner: str,
    *,
    minimum: float = 0.0,
    maximum: float = math.inf,
    open_minimum: bool = False,
    open_maximum: bool = False,
) -> float:
    """Return `value` as a float that also lies in the interval after rounding to float32."""
    bounds = (minimum, maximum, open_minimum, open_maximum)
    result = _in_interval(value, name, owner, *bounds)
    try:
        (rounded,) = FLOAT32.unpack(FLOAT32.pack(result))
    except OverflowError:
        rounded = math.copysign(math.inf, result)
    _in_interval(rounded, name, owner, *bounds, got=f"{result}, which float32 rounds to {rounded}")
    return result


def boolean(value: Any, name: str, owner: str) -> bool:
    """Return `value` as a bool; text such as "no" and "False" is refused."""
    if not isinstance(value, (bool, np.bool_, int, np.integer)) or value not in (0, 1):
        refuse(name, owner, "True or False", shown(value), TypeError)
    return bool(value)


def sequence(value: Any, name: str, owner: str, legal: str) -> Sequence[Any] | NDArray[Any]:
    """Return a sequence or vector; text and iterators, which may not end, are refused."""
    is_sequence = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    if not is_sequence and not (isinstance(value, np.ndarray) and value.ndim):
        refuse(name, owner, legal, shown(value), TypeError)
    if len(value) > MAX_ENTRIES:
        refuse(name, owner, f"of at most {MAX_ENTRIES:,} entries", f"{len(value):,}")
    entries: Sequence[Any] | NDArray[Any] = value
    return entries


def iterable(value: Any, name: str, owner: str, legal: str) -> Iterable[Any]:
    """Return an iterable; text and arrays without an axis are refused."""
    is_scalar = isinstance(value, np.ndarray) and not value.ndim
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)) or is_scalar:
        refuse(name, owner, legal, shown(value), TypeError)
    entries: Iterable[Any] = value
    return entries


def integers(value: Any, name: str, owner: str, *, minimum: int = 0) -> list[int]:
    """Return a sequence of integers as a list."""
    entries = sequence(value, name, owner, "a sequence of integers")
    return [integer(entry, name, owner, minimum=minimum) for entry in entries]


def instances(value: Any, name: str, owner: str, kind: type[Value]) -> tuple[Value, ...]:
    """Return a sequence of instances of a class as a tuple."""
    legal = f"a sequence of {kind.__name__}"
    entries = sequence(value, name, owner, legal)
    if not all(isinstance(entry, kind) for entry in entries):
        refuse(name, owner, legal, shown(value), TypeError)
    return tuple(entries)


def choice(value: Any, name: str, owner: str, legal: Iterable[Value]) -> Value:
    """Return `value` if it is legal."""
    options = list(legal)
    for option in options:
        if isinstance(value, type(option)) and option == value:
            return option
    refuse(name, owner, "one of " + ", ".join(map(repr, options)), shown(value))


def _as_array(
    value: Any, name: str, owner: str, *, legal: str = "an array of real numbers"
) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        refuse(name, owner, "an array", f"{type(value).__name__} ({error})", TypeError)
    if array.dtype.kind not in "biuf":
        refuse(name, owner, legal, f"dtype {array.dtype}", TypeError)
    watch_mapping_of(array)
    return array


def _require_ndim(array: NDArray[Any], ndim: int | None, name: str, owner: str) -> None:
    if ndim is not None and array.ndim != ndim:
        refuse(name, owner, f"{ndim}-dimensional", f"shape {array.shape}")


def require_shape(
    array: NDArray[Any], shape: tuple[int, ...], name: str, owner: str, *, by: str
) -> None:
    """Refuse an array whose shape does not fit the argument `by`."""
    if array.shape != shape:
        refuse(name, owner, f"of shape {shape} for this '{by}'", f"shape {array.shape}")


def _is_taken_as_it_is(array: NDArray[Any], dtype: type[np.generic]) -> bool:
    return array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned


def _require_copy(array: NDArray[Any], dtype: type[np.generic], name: str, owner: str) -> None:
    """Refuse an array whose copy does not fit into memory."""
    n_bytes = array.size * np.dtype(dtype).itemsize
    require_memory(n_bytes, f"A copy of the '{name}' of {owner}, of shape {array.shape},")


def _convert(array: NDArray[Any], dtype: type[np.generic], name: str, owner: str) -> NDArray[Any]:
    if _is_taken_as_it_is(array, dtype):
        require_whole(array)
        return array
    _require_copy(array, dtype, name, owner)
    with np.errstate(over="ignore"):  # values that overflow become infinite and are refused
        converted = np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])
    require_whole(array)
    return converted


def float_array(
    value: ArrayLike, name: str, owner: str, *, ndim: int | None = None, finite: bool = False
) -> NDArray[np.float32]:
    """Return `value` as C-contiguous float32, copied only if necessary."""
    array = _as_array(value, name, owner)
    _require_ndim(array, ndim, name, owner)
    result: NDArray[np.float32] = _convert(array, np.float32, name, owner)
    if finite and not np.isfinite(result).all():
        refuse(name, owner, "finite", "NaN or infinite values")
    return result


def float_copy_bytes(array: NDArray[Any]) -> int:
    """Return the bytes that `float_array` would allocate for an array."""
    return 0 if _is_taken_as_it_is(array, np.float32) else 4 * array.size


def byte_array(value: ArrayLike, name: str, owner: str, *, ndim: int) -> NDArray[np.uint8]:
    """Return `value` as C-contiguous uint8; only integers in 0..255 are accepted."""
    array = _as_array(value, name, owner)
    _require_ndim(array, ndim, name, owner)
    if array.dtype != np.uint8:
        if array.dtype.kind not in "biu":
            legal = "of dtype uint8, pixels in 0..255"
            refuse(name, owner, legal, f"dtype {array.dtype}", TypeError)
        _require_copy(array, np.uint8, name, owner)
        if array.size and (array.min() < 0 or array.max() > 255):
            refuse(name, owner, "in 0..255", f"{array.min()}..{array.max()}")
    result: NDArray[np.uint8] = _convert(array, np.uint8, name, owner)
    return result


def mask(value: ArrayLike, name: str, owner: str, *, ndim: int | None = None) -> NDArray[np.uint8]:
    """Return an array of zeros and ones as C-contiguous uint8."""
    array = _as_array(value, name, owner)
    _require_ndim(array, ndim, name, owner)
    _require_copy(array, np.uint8, name, owner)
    if array.dtype in (np.bool_, np.uint8):
        is_mask = array.max(initial=0) <= 1
    else:
        is_mask = ((array == 0) | (array == 1)).all()
    if not is_mask:
        refuse(name, owner, "0 or 1", "other values")
    result: NDArray[np.uint8] = _convert(array, np.uint8, name, owner)
    return result


def square_images(value: ArrayLike, name: str, owner: str) -> NDArray[np.uint8]:
    """Return square uint8 images in NHWC order, C-contiguous."""
    images = byte_array(value, name, owner, ndim=4)
    if images.shape[1] != images.shape[2] or not 1 <= images.shape[3] <= 4:
        legal = "of shape (n_images, side, side, n_channels) with 1 to 4 channels"
        order = channels_first(images.shape, range(1, 5))
        refuse(name, owner, legal, f"shape {images.shape}{order}")
    return images


def integer_array(
    value: ArrayLike, name: str, owner: str, *, length: int | None = None, of: str = ""
) -> NDArray[np.int64]:
    """Return a copy as an int64 vector, which no other thread can change.

    `length` is the required length, one entry for each of the argument `of`.
    """
    array = _as_array(value, name, owner, legal="an array of integers")
    _require_ndim(array, 1, name, owner)
    if array.dtype.kind == "f" and array.size:
        refuse(name, owner, "integers", f"dtype {array.dtype}", TypeError)
    if length is not None and len(array) != length:
        refuse(name, owner, f"of length {length}, one for each of '{of}'", len(array))
    _require_copy(array, np.int64, name, owner)
    if array.dtype.kind == "u" and array.size and int(array.max()) > MAX_INT64:
        refuse(name, owner, "at most 2**63 - 1", array.max())
    return np.array(array, dtype=np.int64)


def text_labels(
    value: Any, name: str, owner: str, *, length: int, of: str = "images"
) -> tuple[tuple[str, ...], NDArray[np.int64]] | None:
    """Return the sorted classes of text labels, and the position of each label.

    The result is None if no label is text; a mixture of text and others is refused.
    """
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return None
    if array.dtype.kind not in "UTO" or array.ndim != 1:
        return None
    if len(array) != length:
        refuse(name, owner, f"of length {length}, one for each of '{of}'", len(array))
    # NumPy would convert numbers in a list to text.
    labels = list(value) if isinstance(value, (list, tuple)) else array.tolist()
    if not any(isinstance(label, str) for label in labels):
        return None
    others = sorted({type(label).__name__ for label in labels if not isinstance(label, str)})
    if others:
        got = f"text and {', '.join(others)}"
        refuse(name, owner, "integers or text, one for each image", got, TypeError)
    classes = tuple(sorted(set(labels)))
    positions = {label: position for position, label in enumerate(classes)}
    return classes, np.array([positions[label] for label in labels], dtype=np.int64)


def names(value: Any, name: str, owner: str) -> tuple[str, ...]:
    """Return a sequence of names as a tuple."""
    entries = sequence(value, name, owner, "a sequence of str")
    if not all(isinstance(entry, str) for entry in entries):
        refuse(name, owner, "a sequence of str", shown(value), TypeError)
    return tuple(map(str, entries))


def class_labels(value: ArrayLike, name: str, owner: str) -> NDArray[np.int64]:
    """Return a non-empty vector of integer labels."""
    labels = integer_array(value, name, owner)
    if not labels.size:
        refuse(name, owner, "non-empty", "no labels")
    return labels


def channel_vector(
    value: ArrayLike, name: str, owner: str, *, channels: int, positive: bool = False
) -> NDArray[np.float32]:
    """Return one float per channel; a scalar applies to all channels."""
    vector = float_array(value, name, owner, finite=True)
    if vector.ndim == 0:
        vector = np.full(channels, vector, dtype=np.float32)
    if vector.shape != (channels,):
        refuse(name, owner, f"of shape ({channels},)", f"shape {vector.shape}")
    if positive and not (vector > 0).all():
        refuse(name, owner, "positive", vector.tolist())
    return vector


def epochs_list(value: Any, name: str, owner: str) -> NDArray[np.int64]:
    """Return epochs, counted from 1, as an int64 vector."""
    return np.array(integers(value, name, owner, minimum=1), dtype=np.int64)


def instance(value: Any, name: str, owner: str, kind: type[Value]) -> Value:
    """Return `value` if it is a `kind`."""
    if not isinstance(value, kind):
        refuse(name, owner, f"a {kind.__name__}", type(value).__name__, TypeError)
    return value


def output(value: Any, name: str, owner: str, shape: tuple[int, ...]) -> None:
    """Refuse anything but a float32 array that can be filled in place."""
    if not isinstance(value, np.ndarray) or value.dtype != np.float32:
        got = getattr(value, "dtype", type(value).__name__)
        refuse(name, owner, "an array of dtype float32", got, TypeError)
    flags = value.flags
    if value.shape != shape or not (flags.c_contiguous and flags.aligned and flags.writeable):
        legal = f"C-contiguous, writable and of shape {shape}"
        kind = "C-contiguous" if flags.c_contiguous else "strided"
        access = "writable" if flags.writeable else "read-only"
        refuse(name, owner, legal, f"{kind}, {access} and shape {value.shape}")


def model_images(
    value: ArrayLike, name: str, owner: str, *, side: int, channels: int
) -> NDArray[Any]:
    """Return uint8 or float images of a model's shape, unchanged."""
    images = _as_array(value, name, owner)
    if images.dtype != np.uint8 and (images.dtype.kind != "f" and images.size):
        legal = "uint8, or float32 that is already normalised"
        refuse(name, owner, legal, f"dtype {images.dtype}", TypeError)
    if images.ndim != 4 or images.shape[1:] != (side, side, channels):
        got = f"shape {images.shape}{channels_first(images.shape, (channels,))}"
        refuse(name, owner, f"of shape (n, {side}, {side}, {channels})", got)
    return images


def _state_array(value: ArrayLike, name: str, owner: str, view: NDArray[Any]) -> NDArray[Any]:
    """Return one entry of a state dict in the dtype of the state it replaces."""
    array = _as_array(value, name, owner)
    if array.shape != view.shape:
        refuse(name, owner, f"of shape {view.shape}", f"shape {array.shape}")
    if view.dtype.kind == "i":
        if array.dtype.kind not in "iu":
            refuse(name, owner, "of an integer dtype", f"dtype {array.dtype}", TypeError)
        if array.size and not 0 <= int(array.min()) <= int(array.max()) <= MAX_COUNTER:
            refuse(name, owner, "in 0..2**62", f"{array.min()}..{array.max()}")
    return _convert(array, view.dtype.type, name, owner)


def state_arrays(
    value: Any, own: Mapping[str, NDArray[Any]], owner: str
) -> dict[str, NDArray[Any]]:
    """Return a state dict with the names, shapes and dtypes of `own`, in its order."""
    if not isinstance(value, Mapping):
        got = type(value).__name__
        refuse("state_dict", owner, "a mapping of names to arrays", got, TypeError)
    missing = [name for name in own if name not in value]
    unexpected = [name for name in value if name not in own]
    if missing or unexpected:
        got = f"missing {missing} and unexpected {unexpected}"
        refuse("state_dict", owner, f"of the {len(own)} names of the state", got)
    return {name: _state_array(value[name], name, owner, view) for name, view in own.items()}


def subset(value: Any, name: str, owner: str, legal: Sequence[int]) -> tuple[int, ...]:
    """Return a non-empty selection of legal integers without repetition."""
    chosen = tuple(integers(value, name, owner))
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(legal):
        refuse(name, owner, f"different values of {tuple(legal)}, at least one", chosen)
    return chosen


def double_vector(
    value: ArrayLike, name: str, owner: str, *, nan: bool = False
) -> NDArray[np.float64]:
    """Return a non-empty float64 vector of finite numbers, or NaN if `nan`."""
    return _doubles(value, name, owner, 1, "vector", nan)


def double_matrix(value: ArrayLike, name: str, owner: str) -> NDArray[np.float64]:
    """Return a non-empty float64 matrix of finite numbers."""
    return _doubles(value, name, owner, 2, "matrix", nan=False)


def _doubles(
    value: ArrayLike, name: str, owner: str, ndim: int, kind: str, nan: bool
) -> NDArray[np.float64]:
    array = _as_array(value, name, owner)
    _require_ndim(array, ndim, name, owner)
    doubles: NDArray[np.float64] = _convert(array, np.float64, name, owner)
    if not doubles.size or not (np.isfinite(doubles) | (np.isnan(doubles) & nan)).all():
        refuse(name, owner, "non-empty and finite", f"an empty or non-finite {kind}")
    return doubles
