"""Loading models from files and pickles."""

from __future__ import annotations

import copyreg
import os
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from skd import _validation as check
from skd.choices import Precision
from skd.errors import DamagedCheckpointError
from skd.models._create import PRECISIONS, checked_config, native_model
from skd.models._model import Model
from skd.models.checkpoint import checkpoint_bytes, content_of, read_checkpoint
from skd.models.network_shapes import require_fitting


def load_model(path: str | PathLike[str], *, precision: Precision | None = None) -> Model:
    """Read a model that `Model.save` wrote.

    Parameters
    ----------
    path : str or path
        A safetensors file, or the folder of a run, whose ``model.safetensors`` is read.
    precision : {"float32", "bfloat16"}, optional
        Precision of the products, see `create_model`; by default that of the saved model.

    Returns
    -------
    model : Model
        The model with its state and normalisation.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a checkpoint of a model, or is damaged, or the folder holds no model, or
        `precision` is unknown.
    """
    if precision is not None:
        check.choice(precision, "precision", "load_model", PRECISIONS)
    state, config, normalization = read_checkpoint(path)
    if precision is not None:
        config["precision"] = precision
    try:
        return restored_model(state, config, normalization)
    except (TypeError, ValueError) as error:
        legal = "a checkpoint that Model.save wrote"
        check.refuse("path", "load_model", legal, f"{os.fspath(path)!r}: {error}")


def model_of_bytes(data: bytes) -> Model:
    """Return the model from the bytes of a checkpoint, as a pickle holds them.

    Raises
    ------
    ValueError
        If the bytes are damaged or not a checkpoint.
    """
    try:
        return restored_model(*content_of(data, requires_checksum=True))
    except (TypeError, ValueError, DamagedCheckpointError) as error:
        raise ValueError(f"The pickled model is damaged: {error}.") from error


def _reduced(model: Model) -> tuple[Callable[[bytes], Model], tuple[bytes]]:
    """Reduce a model to its checkpoint, for pickle, joblib and multiprocessing."""
    saved = checkpoint_bytes(model.snapshot(), model.config, model.normalization)
    return model_of_bytes, (bytes(saved),)


copyreg.pickle(Model, _reduced)


def restored_model(
    state: Mapping[str, NDArray[Any]], config: Mapping[str, Any], normalization: Any
) -> Model:
    """Return the model that a file describes.

    Raises
    ------
    ValueError, TypeError
        If configuration, tensors and normalisation do not fit together; a network that is larger
        than the tensors is never created.
    """
    require_fitting(config, state)
    checked = checked_config(**config)
    model = Model(native_model(checked, seed=None), checked)
    model.load_state_dict(state)
    model.normalization = None if normalization is None else tuple(normalization)
    return model
