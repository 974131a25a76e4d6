"""Checkpoints: safetensors files that PyTorch can open too."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check

METADATA_KEY = "skd"


def write_checkpoint(
    path: str | PathLike[str],
    state: Mapping[str, NDArray[Any]],
    config: Mapping[str, Any],
    normalization: Any,
) -> None:
    """Write a model's state, configuration and normalisation; see `Model.save`."""
    from safetensors.numpy import save

    target = check.path(path, "path", "Model.save")
    if target.is_dir():
        check.refuse("path", "Model.save", "the name of a file", f"the folder {str(target)!r}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(target.parent)!r} to save a model in.")
    metadata = {"config": dict(config), "normalization": normalization}
    # "format" tells other readers of safetensors files that names and shapes are PyTorch's.
    header = {"format": "pt", METADATA_KEY: json.dumps(metadata)}
    # safetensors writes the memory of an array as it lies, whatever its strides.
    arrays = {name: np.require(view, requirements="C") for name, view in state.items()}
    write_whole(target, save(arrays, metadata=header))


def read_checkpoint(
    path: str | PathLike[str],
) -> tuple[dict[str, NDArray[Any]], dict[str, Any], Any]:
    """Return the state, configuration and normalisation of a checkpoint; see `load_model`."""
    from safetensors import SafetensorError, safe_open

    source = check.path(path, "path", "load_model")
    if not source.is_file():
        raise FileNotFoundError(f"There is no checkpoint {str(source)!r}.")
    try:
        with safe_open(source, framework="numpy") as file:
            header = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, AttributeError, TypeError) as error:  # or a dtype NumPy lacks
        check.refuse("path", "load_model", "a safetensors file", f"{str(source)!r} ({error})")
    config, normalization = _parse(header, source)
    return state, config, normalization


def _parse(header: dict[str, str], source: Path) -> tuple[dict[str, Any], Any]:
    """Return the configuration and the normalisation of a checkpoint's header."""
    names = {
        "architecture",
        "num_classes",
        "image_size",
        "input_channels",
        "widths",
        "drop_rate",
        "dropblock_size",
        "rotation_head",
        "precision",
    }
    try:
        metadata = json.loads(header[METADATA_KEY])
        config, normalization = dict(metadata["config"]), metadata["normalization"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        got = f"{str(source)!r} without a configuration ({type(error).__name__})"
        check.refuse("path", "load_model", "a checkpoint that Model.save wrote", got)
    # Models were float32 before there was a choice.
    config.setdefault("precision", "float32")
    if set(config) != names:
        check.refuse("path", "load_model", f"a checkpoint with {sorted(names)}", sorted(config))
    if normalization is not None and not isinstance(normalization, list):
        check.refuse("path", "load_model", "a checkpoint with a pair (mean, std)", normalization)
    return config, None if normalization is None else tuple(normalization)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
