"""Reading files of ``torch.save`` without PyTorch and without running code.

Such a file holds a pickle, and the raw bytes of storages that the pickle names. Since PyTorch 1.6
both are members of a ZIP archive; before, several pickles precede the storages. A pickle is a
program; here it can only create containers, numbers, text and tensors.
"""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from skd._files.bounded_zip import opened_zip
from skd._files.pickles import Constructor, Name, Opaque, PickleError, Reader, read_one, require_key
from skd._files.unreadable import UnreadableFileError
from skd.interchange._tensors import BFLOAT16, Storage, Tensor, checked_tensor

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
PICKLE_START = b"\x80"
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # the second if there are no members

#: NumPy's type of each kind of storage; bfloat16 is widened when it is read.
DTYPES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    BFLOAT16: "u2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}

#: Other content of checkpoints; it is read as `Opaque` and ignored.
OPAQUE = (
    ("argparse", "Namespace"),
    ("collections", "defaultdict"),
    ("collections", "Counter"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("pathlib", "PosixPath"),
    ("pathlib", "WindowsPath"),
    ("pathlib._local", "PosixPath"),  # the name in Python 3.13
    ("pathlib._local", "WindowsPath"),
    ("torch", "device"),
    ("types", "SimpleNamespace"),
    ("typing", "Any"),
    ("_codecs", "encode"),
)
OPAQUE_TYPES = ("bool", "bytes", "complex", "dict", "float", "int", "list", "set", "str", "tuple")
OPAQUE_DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "uint8", "bool")
#: Packages whose objects hold options, and are opaque too.
OPTION_PACKAGES = frozenset(
    {
        "addict",
        "easydict",
        "lightning",
        "lightning_fabric",
        "ml_collections",
        "munch",
        "omegaconf",
        "pytorch_lightning",
        "yacs",
    }
)
#: Errors of the standard library on damaged archives and pickles.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)


def read_torch_file(path: Path) -> Any:
    """Return the content of a file of ``torch.save``, with tensors as `Tensor`.

    It uses at most as much memory as the length of the file, and a little for each object.

    Raises
    ------
    UnreadableFileError
        If the file is of another kind, is damaged, or would run code.
    """
    size = path.stat().st_size
    is_known = True
    try:
        with open(path, "rb") as file:
            start = file.read(4)
            is_known = start in ZIP_STARTS or start.startswith(PICKLE_START)
            if start in ZIP_STARTS:
                return _read_archive(file, size)
            file.seek(0)
            return _read_legacy(file.read(size))
    except PickleError as error:
        hint = "; save the state_dict alone" if "which is not data" in str(error) else ""
        whole = "" if is_known else "it is not a file of torch.save: "
        raise UnreadableFileError(f"{whole}{error}{hint}") from error
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # an impossible offset
            raise
        reason = f"{type(error).__name__}: {error}"
        raise UnreadableFileError(
            f"it is damaged, or not a file of torch.save ({reason})"
        ) from error


# ------------------------------------------------------------------------------ zip archives


def _read_archive(file: IO[bytes], size: int) -> Any:
    with opened_zip(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        folder = _folder_of(members)
        # Nothing is compressed, so the members cannot have more bytes than the file.
        total = sum(info.file_size for info in archive.infolist())
        stored = all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        if not stored or total > size:
            raise UnreadableFileError("its members are compressed, or overlap")
        order = "<"
        if folder + "byteorder" in members:
            order = {b"little": "<", b"big": ">"}[archive.read(folder + "byteorder")]
        pickled = _Pickles(archive.read(folder + "data.pkl"))
        content = pickled.next()
        for key, storage in pickled.storages.items():
            member = f"{folder}data/{key}"
            dtype = np.dtype(order + DTYPES[storage.kind])
            if member not in members:
                raise UnreadableFileError(f"it lacks the storage {key!r:.80}")
            if members[member].file_size != storage.count * dtype.itemsize:
                raise UnreadableFileError(f"its storage {key!r:.80} has another size")
            storage.values = np.frombuffer(archive.read(member), dtype)
    return content


def _folder_of(members: dict[str, zipfile.ZipInfo]) -> str:
    """Return the folder of the members of a ``torch.save`` archive, with its slash."""
    pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if any("/code/" in name for name in members):
        raise UnreadableFileError("it is a TorchScript program; save the state_dict of the module")
    if any(name.endswith(".npy") for name in members):
        raise UnreadableFileError("it is an archive of NumPy arrays")
    if len(pickles) != 1:
        found = ", ".join(map(repr, list(members)[:4]))[:200] or "nothing"
        raise UnreadableFileError(f"it is a zip archive without data.pkl; it holds {found}")
    return pickles[0].removesuffix("data.pkl")


# ----------------------------------------------------------------------------- legacy streams


def _read_legacy(data: bytes) -> Any:
    pickled = _Pickles(data)
    if pickled.next() != LEGACY_MAGIC:
        raise UnreadableFileError("it is a pickle that does not begin like a file of torch.save")
    if pickled.next() != LEGACY_PROTOCOL:
        raise UnreadableFileError("its protocol is not 1001")
    order = "<" if pickled.next()["little_endian"] is True else ">"
    content = pickled.next()
    keys = pickled.next()
    if not isinstance(keys, list) or set(keys) != set(pickled.storages):
        raise UnreadableFileError("its storages differ from those that its tensors name")
    place = pickled.end
    for key in keys:
        storage = pickled.storages[key]
        dtype = np.dtype(order + DTYPES[storage.kind])
        count = int.from_bytes(data[place : place + 8], "little" if order == "<" else "big")
        if count != storage.count:
            raise UnreadableFileError(f"its storage {key!r:.80} has another size")
        place += 8
        if count * dtype.itemsize > len(data) - place:
            raise UnreadableFileError(f"it ends within the storage {key!r:.80}")
        storage.values = np.frombuffer(data, dtype, count, place)
        place += count * dtype.itemsize
    return content


# ---------------------------------------------------------------------------------- unpickling


class _Pickles:
    """Consecutive pickles, and the storages that they name."""

    def __init__(self, data: bytes) -> None:
        self.storages: dict[str, Storage] = {}
        self._reader = Reader(data, GRANTED, self._storage)

    @property
    def end(self) -> int:
        """Position after the last pickle that was read."""
        return self._reader.position

    def next(self) -> Any:
        """Return the content of the next pickle."""
        return read_one(self._reader)

    def _storage(self, identifier: Any) -> Storage:
        """Return the storage that a persistent id names."""
        is_storage = isinstance(identifier, tuple) and 5 <= len(identifier) <= 6
        if not is_storage or identifier[0] != "storage":
            raise UnreadableFileError("it holds a whole module instead of a state dict")
        kind, key, count = identifier[1], identifier[2], identifier[4]
        if not isinstance(kind, Name) or kind.module != "torch" or kind.name not in DTYPES:
            name = str(kind) if isinstance(kind, Name) else type(kind).__name__
            raise UnreadableFileError(f"one of its storages is of the type {name:.80}")
        if len(identifier) == 6 and identifier[5] is not None:
            raise UnreadableFileError("one of its storages is a view of another")
        if not isinstance(key, str) or type(count) is not int or count < 0:
            raise UnreadableFileError("one of its storages has no name or size")
        storage = self.storages.setdefault(key, Storage(kind.name, count))
        if (storage.kind, storage.count) != (kind.name, count):
            raise UnreadableFileError(f"its storage {key!r:.80} has two types or sizes")
        return storage


def _tensor(arguments: tuple[Any, ...], reader: Reader) -> Tensor:
    storage, offset, shape, strides = arguments[:4]
    return checked_tensor(storage, offset, shape, strides)


def _first(arguments: tuple[Any, ...], reader: Reader) -> Any:
    return arguments[0]


def _opaque(arguments: tuple[Any, ...], reader: Reader) -> Opaque:
    return Opaque()


def _ordered(arguments: tuple[Any, ...], reader: Reader) -> OrderedDict[Any, Any]:
    result: OrderedDict[Any, Any] = OrderedDict()
    for key, value in arguments[0] if arguments else ():
        require_key(key)
        result[key] = value
    return result


def _size(arguments: tuple[Any, ...], reader: Reader) -> tuple[Any, ...]:
    return tuple(*arguments)


class _Granted(dict[Name, Constructor]):
    """Constructors of a pickle's names; objects of packages of options are opaque."""

    def __contains__(self, name: object) -> bool:
        """Return whether a pickle may mention a name."""
        if super().__contains__(name):
            return True
        return isinstance(name, Name) and name.module.partition(".")[0] in OPTION_PACKAGES

    def __missing__(self, name: Name) -> Callable[..., Any]:
        """Return the constructor of an opaque object."""
        return _opaque


GRANTED = _Granted(
    {
        Name("collections", "OrderedDict"): _ordered,
        Name("torch._utils", "_rebuild_tensor"): _tensor,
        Name("torch._utils", "_rebuild_tensor_v2"): _tensor,
        Name("torch._utils", "_rebuild_parameter"): _first,
        Name("torch._utils", "_rebuild_parameter_with_state"): _first,
        Name("torch", "Size"): _size,
        **{Name(*name): _opaque for name in OPAQUE},
        **{Name("torch", name): _opaque for name in (*DTYPES, *OPAQUE_DTYPES)},
        **{
            Name(module, name): _opaque
            for module in ("builtins", "__builtin__")
            for name in OPAQUE_TYPES
        },
    }
)
