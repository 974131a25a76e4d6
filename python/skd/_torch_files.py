"""Files of ``torch.save``, read without PyTorch and without running what they ask for.

Such a file holds a pickle and the raw bytes of storages, which the pickle names. Since PyTorch 1.6
both are members of a zip archive; before, several pickles and then the storages follow each other.
A pickle is a program. Here it can make containers, numbers, texts and tensors, and nothing else.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
MAX_PICKLE = 1 << 22  # bytes, each of which can make an object; a ResNet with optimiser has 2^16
MAX_DIMENSIONS = 8
MAX_EXTENT = 1 << 40

#: NumPy's type of the elements of each storage; bfloat16 has none and is widened when read.
DTYPES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}

#: What checkpoints hold beside tensors; it is read as `Inert` and never looked into.
INERT = {
    ("argparse", "Namespace"),
    ("collections", "defaultdict"),
    ("collections", "Counter"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("pathlib", "PosixPath"),
    ("pathlib._local", "PosixPath"),  # what Python 3.13 writes
    ("torch", "device"),
    ("_codecs", "encode"),
}


class UnreadableFileError(Exception):
    """A file is no checkpoint of PyTorch, is damaged, or asks for what is not granted."""


class Inert:
    """Stands for an object that is not wanted."""

    def __setitem__(self, key: object, value: object) -> None:
        """Forget an entry."""


class Global:
    """A name that a pickle may mention, and what calling it gives."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name = name
        self.call = call


class Storage:
    """Raw numbers of a file."""

    def __init__(self, dtype: str, count: int) -> None:
        self.kind = dtype
        self.count = count
        self.values: NDArray[Any] | None = None


class Tensor:
    """A strided view of a storage, not yet read."""

    def __init__(
        self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.strides = strides

    def array(self) -> NDArray[Any]:
        """Return the numbers; bfloat16 as float32."""
        values = self.storage.values
        if values is None:
            raise UnreadableFileError("it lacks the numbers of a tensor")
        part = values[self.offset :]
        strides = [stride * part.itemsize for stride in self.strides]
        view = np.lib.stride_tricks.as_strided(part, self.shape, strides, writeable=False)
        if self.storage.kind == "BFloat16Storage":
            return (view.astype(np.uint32) << 16).view(np.float32)
        return view.astype(view.dtype.newbyteorder("="), copy=False)


def read_torch_file(path: Path) -> Any:
    """Return what a file of ``torch.save`` holds, tensors as `Tensor`.

    No more memory is used than the file is long, and a little for each of its objects.

    Raises
    ------
    UnreadableFileError
        If the file is something else, is damaged, or asks for more than data.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(4)
        file.seek(0)
        try:
            if start == b"PK\x03\x04":
                return _read_archive(file, size)
            return _read_legacy(file, size)
        except (
            pickle.UnpicklingError,
            zipfile.BadZipFile,
            zlib.error,
            struct.error,
            AttributeError,
            EOFError,
            LookupError,
            MemoryError,
            NotImplementedError,
            OverflowError,
            RecursionError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UnreadableFileError(f"it is damaged, or no file of torch.save ({reason})") from (
                error
            )


# ------------------------------------------------------------------------------ zip archives


def _read_archive(file: IO[bytes], size: int) -> Any:
    with zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        # Nothing is compressed, so that more bytes than the file has are a lie.
        total = sum(info.file_size for info in members.values())
        stored = all(info.compress_type == zipfile.ZIP_STORED for info in members.values())
        if not stored or total > size:
            raise UnreadableFileError("its members are compressed, or overlap")
        pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise UnreadableFileError("it holds no data.pkl: it is another kind of zip archive")
        folder = pickles[0].removesuffix("data.pkl")
        if members[pickles[0]].file_size > MAX_PICKLE:
            raise UnreadableFileError(f"its data.pkl is longer than {MAX_PICKLE} bytes")
        order = "<"
        if folder + "byteorder" in members:
            order = {b"little": "<", b"big": ">"}[archive.read(folder + "byteorder")]
        unpickler = _Unpickler(io.BytesIO(archive.read(pickles[0])))
        content = unpickler.load()
        for key, storage in unpickler.storages.items():
            member = f"{folder}data/{key}"
            dtype = np.dtype(order + DTYPES[storage.kind])
            if member not in members:
                raise UnreadableFileError(f"it lacks the storage {key!r}")
            if members[member].file_size != storage.count * dtype.itemsize:
                raise UnreadableFileError(f"its storage {key!r} is of another size than it says")
            storage.values = np.frombuffer(archive.read(member), dtype)
    return content


# ----------------------------------------------------------------------------- legacy streams


def _read_legacy(file: IO[bytes], size: int) -> Any:
    bounded = _BoundedFile(file, size)
    if _Unpickler(bounded).load() != LEGACY_MAGIC:
        raise UnreadableFileError("it does not begin like a file of torch.save")
    if _Unpickler(bounded).load() != LEGACY_PROTOCOL:
        raise UnreadableFileError("it is of another protocol than 1001")
    system = _Unpickler(bounded).load()
    order = "<" if system["little_endian"] is True else ">"
    unpickler = _Unpickler(bounded)
    content = unpickler.load()
    keys = _Unpickler(bounded).load()
    if not isinstance(keys, list) or set(keys) != set(unpickler.storages):
        raise UnreadableFileError("its storages are not those that its tensors name")
    for key in keys:
        storage = unpickler.storages[key]
        (count,) = struct.unpack(order + "q", bounded.read_storage(8))
        dtype = np.dtype(order + DTYPES[storage.kind])
        if count != storage.count:
            raise UnreadableFileError(f"its storage {key!r} is of another size than it says")
        values = bounded.read_storage(count * dtype.itemsize)
        if len(values) != count * dtype.itemsize:
            raise UnreadableFileError(f"it ends within the storage {key!r}")
        storage.values = np.frombuffer(values, dtype)
    return content


class _BoundedFile:
    """A file that is never asked for more bytes than it has, however many a pickle claims."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size
        self._left = MAX_PICKLE

    def read(self, count: int) -> bytes:
        """Read bytes of a pickle; fewer at the end."""
        return self._counted(self._file.read(max(0, min(count, self._left))))

    def readline(self) -> bytes:
        """Read a line of a pickle."""
        return self._counted(self._file.readline(self._left))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data

    def read_storage(self, count: int) -> bytes:
        """Read bytes of a storage; fewer at the end."""
        return self._file.read(max(0, min(count, self._size - self._file.tell())))


# ---------------------------------------------------------------------------------- unpickling


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *unused: object) -> Tensor:
    """Return a tensor, if it lies within its storage and shows no number twice."""
    if not isinstance(storage, Storage):
        raise UnreadableFileError("a tensor of it has no storage")
    numbers = [offset, *shape, *strides]
    if any(type(number) is not int or number < 0 for number in numbers):
        raise UnreadableFileError("a tensor of it has a shape that is none")
    if len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
        raise UnreadableFileError("a tensor of it has too many dimensions")
    # What no step is taken along may have any stride in PyTorch, and must have none in NumPy.
    steps = [stride if extent > 1 else 0 for extent, stride in zip(shape, strides, strict=True)]
    count = math.prod(shape)
    last = offset + sum((extent - 1) * stride for extent, stride in zip(shape, steps, strict=True))
    is_empty = count == 0 and max(shape) < MAX_EXTENT
    if not is_empty and not (0 < count <= storage.count and last < storage.count):
        raise UnreadableFileError("a tensor of it is larger than its storage")
    if is_empty:
        offset, steps = 0, [0] * len(steps)
    return Tensor(storage, offset, tuple(shape), tuple(steps))


def _parameter(data: Any, *unused: object) -> Any:
    return data


def _inert(*unused: object) -> Inert:
    return Inert()


def _ordered(items: Any = ()) -> OrderedDict[Any, Any]:
    return OrderedDict(items)


def _size(extents: Any = ()) -> tuple[Any, ...]:
    return tuple(extents)


GRANTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _ordered,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch", "Size"): _size,
    **dict.fromkeys(INERT, _inert),
}


class _Unpickler(pickle._Unpickler):
    """Reads data only.

    It is Python's own unpickler in Python: that in C makes a table as long as the largest index
    that a pickle mentions, which a few bytes can make too large for any memory.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]  # of the base class, as is the next
    append: Callable[[Any], None]

    def __init__(self, file: Any) -> None:
        super().__init__(file, encoding="latin1")
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name; nothing is imported."""
        if module == "torch" and name in DTYPES:
            return Global(name, _inert)
        if (module, name) in GRANTED:
            return Global(name, GRANTED[module, name])
        raise UnreadableFileError(f"it asks for {module}.{name}, which is no data")

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that a persistent id names."""
        if not isinstance(pid, tuple) or not 5 <= len(pid) <= 6 or pid[0] != "storage":
            raise UnreadableFileError("it holds a whole module instead of a state dict")
        kind, key, count = pid[1], pid[2], pid[4]
        if not isinstance(kind, Global) or kind.name not in DTYPES:
            raise UnreadableFileError("a storage of it has no type")
        if len(pid) == 6 and pid[5] is not None:
            raise UnreadableFileError("a storage of it is a view of another")
        if not isinstance(key, str) or type(count) is not int or count < 0:
            raise UnreadableFileError("a storage of it has no name or size")
        storage = self.storages.setdefault(key, Storage(kind.name, count))
        if (storage.kind, storage.count) != (kind.name, count):
            raise UnreadableFileError(f"its storage {key!r} has two types or sizes")
        return storage

    def _reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise UnreadableFileError("it calls what is no function")
        self.append(function.call(*arguments))

    def _build(self) -> None:
        self.stack.pop()  # attributes, which no data of ours has

    def _refuse(self) -> NoReturn:
        raise UnreadableFileError("it makes objects in a way that no state dict does")

    dispatch[pickle.REDUCE[0]] = _reduce
    dispatch[pickle.NEWOBJ[0]] = _reduce
    dispatch[pickle.BUILD[0]] = _build
    for opcode in (
        pickle.INST,
        pickle.OBJ,
        pickle.NEWOBJ_EX,
        pickle.EXT1,
        pickle.EXT2,
        pickle.EXT4,
        pickle.BYTEARRAY8,
        pickle.NEXT_BUFFER,
        pickle.READONLY_BUFFER,
    ):
        dispatch[opcode[0]] = _refuse
    del opcode


def state_dict_of(content: Any) -> dict[str, Tensor]:
    """Return the tensors of a state dict, or of the one within a checkpoint."""
    for name in ("model", "state_dict", "params", "model_state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping):
        raise UnreadableFileError("it holds no state dict")
    tensors = {
        name: value
        for name, value in content.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not tensors:
        raise UnreadableFileError("it holds no tensors")
    return tensors
