"""Checkpoints: safetensors files that PyTorch can open too."""

from __future__ import annotations

import json
import os
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skd import _validation as check

if TYPE_CHECKING:
    from skd.models import Model

__all__ = ["load_model", "save_model"]

METADATA_KEY = "skd"


def save_model(model: Model, path: str | PathLike[str]) -> None:
    """Write a model; see `Model.save`."""
    from safetensors.numpy import save

    target = check.path(path, "path", "Model.save")
    if target.is_dir():
        check.refuse("path", "Model.save", "the name of a file", f"the folder {str(target)!r}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(target.parent)!r} to save a model in.")
    metadata = {"config": model.config, "normalization": model.normalization}
    # "format" tells other readers of safetensors files that names and shapes are PyTorch's.
    header = {"format": "pt", METADATA_KEY: json.dumps(metadata)}
    # safetensors writes the memory of an array as it lies, whatever its strides.
    state = {name: np.require(view, requirements="C") for name, view in model.state_dict().items()}
    write_whole(target, save(state, metadata=header))


def load_model(path: str | PathLike[str]) -> Model:
    """Read a model that `Model.save` wrote.

    Parameters
    ----------
    path : str or path
        A safetensors file.

    Returns
    -------
    model : Model
        The model with its state and normalisation.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a checkpoint of a model, or is damaged.
    """
    from safetensors import SafetensorError, safe_open

    from skd.creation import create_model

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
    model = create_model(**config)
    model.load_state_dict(state)
    model.normalization = normalization
    return model


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
    }
    try:
        metadata = json.loads(header[METADATA_KEY])
        config, normalization = dict(metadata["config"]), metadata["normalization"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        got = f"{str(source)!r} without a configuration ({type(error).__name__})"
        check.refuse("path", "load_model", "a checkpoint that Model.save wrote", got)
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
