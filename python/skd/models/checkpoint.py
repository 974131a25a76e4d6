"""Checkpoints: safetensors files that PyTorch can open too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from skd import _validation as check
from skd._files import bounded_json
from skd._files.atomic import write_whole
from skd._files.checksummed import sealed, unsealed
from skd._files.kinds import PICKLE, SAFETENSORS, TORCH, kind_of_file
from skd.errors import DamagedCheckpointError

METADATA_KEY = "skd"
#: What reads files that are no checkpoint, by the entries of their headers.
READERS = {
    "skd_few_shot": "skd.FewShotClassifier.load",
    "skd_episodes": "the episodes_file of skd.evaluate",
}
# Tensors that belong to the training rather than the model begin so.
TRAINING_PREFIX = "training."


def write_checkpoint(
    path: str | PathLike[str],
    state: Mapping[str, NDArray[Any]],
    config: Mapping[str, Any],
    normalization: Any,
) -> None:
    """Write a model's state, configuration and normalisation; see `Model.save`."""
    target = check.output_file(path, "path", "Model.save")
    write_whole(target, sealed(state, model_metadata(config, normalization)))


def model_metadata(config: Mapping[str, Any], normalization: Any) -> dict[str, str]:
    """Return what makes a safetensors file a checkpoint that `load_model` reads."""
    metadata = {"config": dict(config), "normalization": normalization}
    # "format" tells other readers of safetensors files that names and shapes are PyTorch's.
    return {"format": "pt", METADATA_KEY: json.dumps(metadata)}


def read_checkpoint(
    path: str | PathLike[str],
) -> tuple[dict[str, NDArray[Any]], dict[str, Any], Any]:
    """Return the state, configuration and normalisation of a checkpoint; see `load_model`."""
    source = check.path(path, "path", "load_model")
    if not source.is_file():
        raise FileNotFoundError(f"There is no checkpoint {str(source)!r}.")
    legal = "a whole safetensors file"
    kind = kind_of_file(source)
    if kind is not None and kind != SAFETENSORS:
        hint = "; skd.import_torch reads it" if kind in (TORCH, PICKLE) else ""
        check.refuse("path", "load_model", legal, f"{str(source)!r}, which is {kind}{hint}")
    try:
        header, tensors = unsealed(source.read_bytes(), must_be_sealed=False)
    except DamagedCheckpointError as error:
        check.refuse("path", "load_model", legal, f"{str(source)!r}: {error}")
    config, normalization = _parse(header, source)
    state = {name: array for name, array in tensors.items() if not name.startswith(TRAINING_PREFIX)}
    return state, config, normalization


def _parse(header: dict[str, str], source: Path) -> tuple[dict[str, Any], Any]:
    """Return the configuration and the normalisation of a checkpoint's header."""
    names = {
        "architecture",
        "num_classes",
        "image_size",
        "input_channels",
        "widths",
        "use_se",
        "drop_rate",
        "dropblock_size",
        "rotation_head",
        "precision",
    }
    legal = "a checkpoint that Model.save wrote"
    if METADATA_KEY not in header:
        reader = next((READERS[key] for key in READERS if key in header), "skd.import_torch")
        got = f"{str(source)!r} without a configuration; {reader} may read it"
        check.refuse("path", "load_model", legal, got)
    try:
        metadata = bounded_json.parse(header[METADATA_KEY])
        config, normalization = dict(metadata["config"]), metadata["normalization"]
    except (KeyError, TypeError, ValueError) as error:
        got = f"{str(source)!r} with a damaged configuration ({type(error).__name__})"
        check.refuse("path", "load_model", legal, got)
    # Models were float32 and without this option before there was a choice.
    config.setdefault("precision", "float32")
    config.setdefault("use_se", False)
    if set(config) != names:
        check.refuse("path", "load_model", f"a checkpoint with {sorted(names)}", sorted(config))
    if normalization is not None and not isinstance(normalization, list):
        check.refuse("path", "load_model", "a checkpoint with a pair (mean, std)", normalization)
    return config, None if normalization is None else tuple(normalization)
