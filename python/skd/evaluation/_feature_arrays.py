"""The arrays in a file of features, found by their names or their shapes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skd._files import array_archives
from skd._files.array_files import look_at, map_npy, refuse
from skd._files.kinds import SAFETENSORS, kind_of
from skd._files.safetensors_files import DTYPES, Safetensors, SafetensorsError, opened
from skd._memory import require_memory

NPY, NPZ = "an array file of NumPy", ("an archive of NumPy arrays", "a zip archive")
FEATURES, LABELS, CLASS_NAMES, META = "features", "labels", "class_names", "meta"
#: Entries in the headers of safetensors files that hold no features, and what the files are.
OTHER_FILES = {
    "skd": "the checkpoint of a model; skd embed computes its features",
    "skd_few_shot": "a file of FewShotClassifier.save",
    "skd_episodes": "a file of episodes",
}
MOST_TEXT = 1 << 24  # bytes of class names or of the description


class Form(NamedTuple):
    """Shape and kind of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Table(ABC):
    """Arrays by name, which are read one by one."""

    def __init__(self, path: Path, forms: dict[str, Form]) -> None:
        self.path, self.forms = path, forms

    @abstractmethod
    def read(self, name: str) -> NDArray[Any]:
        """Return an array."""

    def features(self) -> NDArray[np.float32]:
        """Return the matrix of features as float32, checked."""
        name = self._find(FEATURES, "matrix of floats", lambda f: _is_matrix(f))
        form = self.forms[name]
        if not _is_matrix(form):
            refuse(self.path, f"{name!r} is of dtype {form.dtype} and shape {form.shape}, not a "
                   "matrix of floats")  # fmt: skip
        if 0 in form.shape:
            refuse(self.path, f"{name!r} is empty: its shape is {form.shape}")
        require_memory(2 * _bytes_of(form), f"The features in {str(self.path)!r}")
        with np.errstate(over="ignore"):
            matrix = np.require(self.read(name), np.float32, "C")
        rows = np.isfinite(matrix).all(axis=1)
        if not rows.all():
            refuse(self.path, f"{name!r} has NaN or infinite values, first in row {rows.argmin()}")
        return matrix

    def labels(self, length: int | None, *, required: bool) -> NDArray[Any] | None:
        """Return the vector of labels, integers or text; None if there is none."""
        if LABELS not in self.forms and not required:
            return None
        name = self._find(LABELS, "vector of integers or text", lambda f: _is_labels(f, length))
        form = self.forms[name]
        if not _is_labels(form, None):
            refuse(self.path, f"{name!r} is of dtype {form.dtype} and shape {form.shape}, not a "
                   "vector of integers or text")  # fmt: skip
        if length is not None and form.shape[0] != length:
            refuse(self.path, f"{name!r} has {form.shape[0]} entries for {length} rows of features")
        require_memory(2 * _bytes_of(form), f"The labels in {str(self.path)!r}")
        found = self.read(name)
        if found.dtype.kind == "u" and found.max() > np.iinfo(np.int64).max:
            refuse(self.path, f"{name!r} is beyond 64 bits")
        return found

    def class_names(self) -> tuple[str, ...] | None:
        """Return the names of the classes, if the file has them."""
        text = self._text(CLASS_NAMES, ndim=1)
        return None if text is None else tuple(map(str, text.tolist()))

    def meta(self) -> str | None:
        """Return the description, if the file has one."""
        text = self._text(META, ndim=0)
        return None if text is None else str(text)

    def _text(self, name: str, *, ndim: int) -> NDArray[Any] | None:
        form = self.forms.get(name)
        if form is None or form.dtype.kind != "U" or len(form.shape) != ndim:
            return None
        if _bytes_of(form) > MOST_TEXT:
            refuse(self.path, f"{name!r} has {_bytes_of(form):,} bytes of text")
        return self.read(name)

    def _find(self, name: str, what: str, fits: Any) -> str:
        """Return the name of an array: the usual one, or of the only array that fits."""
        if name in self.forms:
            return name
        found = [other for other, form in self.forms.items() if fits(form)]
        if len(found) == 1:
            return found[0]
        held = ", ".join(f"{key!r:.40} {form.shape}" for key, form in [*self.forms.items()][:8])
        others = f"{len(found)} arrays are" if found else "no array is"
        hint = "; give the labels" if name == LABELS and not found else ""
        reason = f"it has no array {name!r}, and {others} a {what}: it holds {held or 'none'}"
        refuse(self.path, reason + hint)


def opened_table(path: Path) -> Table:
    """Return the arrays of a file, whose kind its first bytes tell."""
    kind = kind_of(look_at(path))
    if kind in NPZ:
        return _Archive(path)
    if kind == NPY:
        return _ArrayFile(path)
    if kind == SAFETENSORS:
        return _Tensors(path)
    this = "" if kind is None else f"this is {kind}, "
    refuse(path, f"{this}not a file of features: an .npz, .npy or safetensors file")


class _Archive(Table):
    def __init__(self, path: Path) -> None:
        self._members = {
            name: array_archives.find(path, name) for name in array_archives.array_names(path)
        }
        headers = {name: member.header for name, member in self._members.items()}
        super().__init__(path, {n: Form(h.shape, h.dtype) for n, h in headers.items()})

    def read(self, name: str) -> NDArray[Any]:
        member = self._members[name]
        array_archives.require_plausible_ratio(self.path, member, "array of features")
        return array_archives.read_array(self.path, member)


class _ArrayFile(Table):
    def __init__(self, path: Path) -> None:
        self._array = map_npy(path)
        super().__init__(path, {path.stem: Form(self._array.shape, self._array.dtype)})

    def read(self, name: str) -> NDArray[Any]:
        return self._array.copy()  # the file may change


class _Tensors(Table):
    def __init__(self, path: Path) -> None:
        try:
            with opened(path) as file:
                self._refuse_others(path, file)
                forms = {
                    name: Form(entry.shape, np.dtype(DTYPES.get(entry.dtype, "V")))
                    for name, entry in file.entries.items()
                }
                widened = [name for name, entry in file.entries.items() if entry.dtype == "BF16"]
        except SafetensorsError as error:
            refuse(path, str(error), error)
        forms |= {name: Form(forms[name].shape, np.dtype(np.float32)) for name in widened}
        super().__init__(path, forms)

    def read(self, name: str) -> NDArray[Any]:
        try:
            with opened(self.path) as file:
                return file.array(name)
        except (SafetensorsError, KeyError) as error:
            refuse(self.path, f"it changed while it was read, or is damaged: {error}", error)

    @staticmethod
    def _refuse_others(path: Path, file: Safetensors) -> None:
        for key, what in OTHER_FILES.items():
            if key in file.metadata:
                refuse(path, f"this is {what}")


def _is_matrix(form: Form) -> bool:
    return form.dtype.kind == "f" and len(form.shape) == 2


def _is_labels(form: Form, length: int | None) -> bool:
    is_vector = form.dtype.kind in "iuU" and len(form.shape) == 1 and form.shape[0] > 0
    return is_vector and (length is None or form.shape[0] == length)


def _bytes_of(form: Form) -> int:
    size = form.dtype.itemsize
    for extent in form.shape:
        size *= extent
    return size
