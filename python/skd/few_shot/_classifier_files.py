"""Files of few-shot classifiers: safetensors with the head, and with the model or its hash."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._files import bounded_json
from skd._files.atomic import write_atomically
from skd._files.kinds import SAFETENSORS, kind_of_file
from skd._files.safetensors_files import SafetensorsError, opened
from skd.choices import HeadName
from skd.classifiers.estimator import Classifier
from skd.few_shot.heads import arrays_of, restored
from skd.models import Model, restored_model
from skd.models.checkpoint import METADATA_KEY as MODEL_KEY

METADATA_KEY = "skd_few_shot"
CLASSES_DTYPE = re.compile(r"O|[|<>=]?(b1|[iuf][1248]|U[0-9]{1,7})")
CLASSES_KINDS = {"O": str, "U": str, "b": bool, "i": int, "u": int, "f": float}
MAX_CLASSES_BYTES = 1 << 24
VERSION = 1


class Saved(NamedTuple):
    """Content of a file."""

    model: Model
    options: dict[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    classes: NDArray[Any]
    fit: Mapping[str, NDArray[Any]]

    def head(self, name: HeadName) -> Classifier:
        """Return the fitted head, or raise a ValueError with the reason."""
        return restored(name, self.arrays, self.classes)


def write(
    path: str | PathLike[str],
    owner: str,
    model: Model,
    head: Classifier,
    options: Mapping[str, Any],
    fit: Mapping[str, NDArray[np.float64]],
    *,
    include_model: bool,
) -> None:
    """Write a fitted classifier; see `FewShotClassifier.save`."""
    from safetensors.numpy import save

    target = check.path(path, "path", owner)
    if target.is_dir():
        check.refuse("path", owner, "the name of a file", f"the folder {str(target)!r}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(target.parent)!r} to save in.")
    state = model.snapshot()
    classes = head.classes_
    is_text = classes.dtype.kind in "UOT"
    metadata = {
        "version": VERSION,
        "options": dict(options),
        "classes": [str(name) for name in classes] if is_text else classes.tolist(),
        "classes_dtype": "O" if classes.dtype.kind in "OT" else classes.dtype.str,
        "model_sha256": _sha256(model, state),
        "model": None,
    }
    arrays = {f"head.{name}": array for name, array in arrays_of(head).items()}
    arrays |= {f"fit.{name}": array for name, array in fit.items()}
    if include_model:
        metadata["model"] = {"config": model.config, "normalization": model.normalization}
        arrays |= {f"model.{name}": array for name, array in state.items()}
    # safetensors writes the memory of an array as it is and ignores strides.
    contiguous = {name: np.require(array, requirements="C") for name, array in arrays.items()}
    write_atomically(target, save(contiguous, metadata={METADATA_KEY: json.dumps(metadata)}))


def read(path: str | PathLike[str], owner: str, model: Model | None) -> tuple[str, Saved]:
    """Return the name and the content of a file; see `FewShotClassifier.load`."""
    source = check.input_file(path, "path", owner, what="few-shot classifier")
    name = str(source)
    kind = kind_of_file(source)
    if kind is not None and kind != SAFETENSORS:
        check.refuse("path", owner, "a safetensors file", f"{name!r}, which is {kind}")
    try:
        with opened(source) as file:
            header, arrays = file.metadata, file.arrays()
    except SafetensorsError as error:
        check.refuse("path", owner, "a safetensors file", f"{name!r} ({error})")
    if METADATA_KEY not in header:
        reader = "skd.load_model" if MODEL_KEY in header else "skd.import_torch"
        got = f"{name!r} without one; {reader} may read it"
        check.refuse("path", owner, "a file that FewShotClassifier.save wrote", got)
    try:
        metadata = bounded_json.parse(header[METADATA_KEY])
        if metadata["version"] != VERSION:
            raise ValueError(f"version {metadata['version']!r}")
        options = dict(metadata["options"])
        classes = _classes(metadata["classes"], metadata["classes_dtype"])
        saved_model, sha256 = metadata["model"], metadata["model_sha256"]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        got = f"{name!r} ({type(error).__name__}: {error})"
        check.refuse("path", owner, "a file that FewShotClassifier.save wrote", got)
    if saved_model is not None:
        model = _restored_model(saved_model, _below("model.", arrays), owner, name)
    elif model is None:
        check.refuse("model", owner, f"given, because {name!r} does not hold it", None)
    if _sha256(model, model.snapshot()) != sha256:
        got = "one of other weights" if saved_model is None else "damaged weights"
        check.refuse("model", owner, f"the one that {name!r} was saved with", got)
    return name, Saved(model, options, _below("head.", arrays), classes, _below("fit.", arrays))


def checked_fit(
    fit: Mapping[str, NDArray[Any]], shape: tuple[int, int] | None
) -> tuple[float, tuple[NDArray[np.float64], float] | None]:
    """Return the temperature, and the class means with their threshold if there is a shape.

    Raises
    ------
    ValueError
        If an array is missing or does not fit; the message is the reason.
    """
    shapes: dict[str, tuple[int, ...]] = {"temperature": (1,)}
    if shape is not None:
        shapes |= {"threshold": (1,), "centroids": shape}
    if set(fit) != set(shapes):
        raise ValueError(f"it holds {sorted(fit)} of the fit where {sorted(shapes)} are needed")
    for name, wanted in shapes.items():
        array = fit[name]
        if array.dtype != np.float64 or array.shape != wanted or not np.isfinite(array).all():
            raise ValueError(f"{name!r} does not hold finite numbers of shape {wanted}")
    temperature = float(fit["temperature"][0])
    if temperature <= 0:
        raise ValueError(f"its temperature is {temperature}")
    if shape is None:
        return temperature, None
    return temperature, (np.ascontiguousarray(fit["centroids"]), float(fit["threshold"][0]))


def _classes(values: Any, dtype: Any) -> NDArray[Any]:
    """Return the classes in a file: text or numbers of a dtype that takes little memory."""
    if not isinstance(values, list) or not CLASSES_DTYPE.fullmatch(str(dtype)):
        raise ValueError(f"its classes are of dtype {dtype!r:.40}")
    kind = np.dtype(dtype)
    wanted = CLASSES_KINDS[kind.kind]
    if not all(type(value) is wanted for value in values):
        raise ValueError(f"its classes are not all of dtype {dtype}")
    if kind.itemsize * len(values) > MAX_CLASSES_BYTES:
        raise ValueError(f"its {len(values):,} classes of dtype {dtype} take too much memory")
    return np.array(values, dtype=kind)


def _restored_model(saved: Any, state: Mapping[str, NDArray[Any]], owner: str, name: str) -> Model:
    try:
        return restored_model(state, saved["config"], saved["normalization"])
    except (KeyError, TypeError, ValueError) as error:
        check.refuse("path", owner, "a file with an undamaged model", f"{name!r} ({error})")


def _below(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _sha256(model: Model, state: Mapping[str, NDArray[Any]]) -> str:
    """Return a hash of everything that a model's features depend on."""
    import hashlib

    digest = hashlib.sha256(repr((model.architecture, model.normalization)).encode())
    for name, array in sorted(state.items()):
        digest.update(name.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
