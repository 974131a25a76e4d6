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
from skd._files.atomic import write_atomically
from skd._files.checksummed import checksummed_bytes, verified_content
from skd._files.kinds import PICKLE, SAFETENSORS, TORCH, kind_of_file
from skd._memory import require_memory
from skd.choices import WeightType, values
from skd.errors import DamagedCheckpointError

METADATA_KEY = "skd"
RUN_MODEL = "model.safetensors"  # of the folder of a run
#: Readers of files that are not checkpoints, by the entries of their headers.
READERS = {
    "skd_few_shot": "skd.FewShotClassifier.load",
    "skd_episodes": "the episodes_file of skd.evaluate",
}
CONFIG_NAMES = {
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
Content = tuple[dict[str, NDArray[Any]], dict[str, Any], Any]
# Prefix of tensors that belong to the training rather than the model.
TRAINING_PREFIX = "training."


def write_checkpoint(
    path: str | PathLike[str],
    state: Mapping[str, NDArray[Any]],
    config: Mapping[str, Any],
    normalization: Any,
    dtype: str,
) -> None:
    """Write a model's state, configuration and normalisation; see `Model.save`."""
    target = check.output_file(path, "path", "Model.save")
    check.choice(dtype, "dtype", "Model.save", values(WeightType))
    metadata = model_metadata(config, normalization)
    try:
        content = checksummed_bytes(state, metadata, narrow=dtype == "bfloat16")
    except OverflowError:
        check.refuse("dtype", "Model.save", "float32 for weights beyond bfloat16", repr(dtype))
    write_atomically(target, content)


def checkpoint_bytes(
    state: Mapping[str, NDArray[Any]], config: Mapping[str, Any], normalization: Any
) -> bytearray:
    """Return the bytes of a checkpoint file, with its checksum."""
    return checksummed_bytes(state, model_metadata(config, normalization))


def model_metadata(config: Mapping[str, Any], normalization: Any) -> dict[str, str]:
    """Return the metadata by which `load_model` recognises a checkpoint."""
    metadata = {"config": dict(config), "normalization": normalization}
    # "format" marks names and shapes as PyTorch's for other readers of safetensors files.
    return {"format": "pt", METADATA_KEY: json.dumps(metadata)}


def read_checkpoint(path: str | PathLike[str]) -> Content:
    """Return the state, configuration and normalisation of a checkpoint; see `load_model`."""
    source = _model_file(path)
    kind = kind_of_file(source)
    try:
        if kind is not None and kind != SAFETENSORS:
            hint = {TORCH: "; skd.import_torch reads it", PICKLE: "; skd.import_torch may read it"}
            raise DamagedCheckpointError(f"it is {kind}{hint.get(kind, '')}")
        # The bytes, and the arrays made from them.
        require_memory(2 * source.stat().st_size, f"The checkpoint {str(source)!r}")
        return content_of(source.read_bytes(), requires_checksum=False)
    except DamagedCheckpointError as error:
        legal = "a whole safetensors file that Model.save wrote"
        check.refuse("path", "load_model", legal, f"{str(source)!r}: {error}")


def _model_file(path: str | PathLike[str]) -> Path:
    """Return the file of a model, given itself or by the folder of its run."""
    source = check.path(path, "path", "load_model")
    if not source.is_dir():
        return check.input_file(source, "path", "load_model", what="checkpoint")
    if not (source / RUN_MODEL).is_file():
        legal = f"a checkpoint, or the folder of a finished run, which holds {RUN_MODEL}"
        check.refuse("path", "load_model", legal, f"the folder {str(source)!r} without it")
    return source / RUN_MODEL


def content_of(data: bytes, *, requires_checksum: bool) -> Content:
    """Return the state, configuration and normalisation in the bytes of a checkpoint.

    Raises
    ------
    DamagedCheckpointError
        If the bytes are not a checkpoint of a model, or are damaged.
    """
    header, tensors = verified_content(data, requires_checksum=requires_checksum)
    if METADATA_KEY not in header:
        reader = next((READERS[key] for key in READERS if key in header), "skd.import_torch")
        raise DamagedCheckpointError(f"it has no configuration; {reader} may read it")
    try:
        metadata = bounded_json.parse(header[METADATA_KEY])
        config, normalization = dict(metadata["config"]), metadata["normalization"]
    except (KeyError, TypeError, ValueError) as error:
        reason = f"its configuration is damaged ({type(error).__name__})"
        raise DamagedCheckpointError(reason) from error
    # Older files lack these entries; their models are float32 and have no gates.
    config.setdefault("precision", "float32")
    config.setdefault("use_se", False)
    if set(config) != CONFIG_NAMES:
        different = ", ".join(sorted(CONFIG_NAMES ^ set(config)))
        raise DamagedCheckpointError(f"its configuration has other entries ({different:.200})")
    if normalization is not None and not isinstance(normalization, list):
        raise DamagedCheckpointError("its normalization is not a pair (mean, std)")
    state = {name: array for name, array in tensors.items() if not name.startswith(TRAINING_PREFIX)}
    return state, config, normalization
