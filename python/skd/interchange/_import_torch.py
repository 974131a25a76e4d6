"""Importing checkpoints that PyTorch code wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._files.kinds import PICKLE, SAFETENSORS, TORCH, kind_of_file
from skd._files.safetensors_files import SafetensorsError, opened
from skd._files.unreadable import UnreadableFileError
from skd._refusals import delegated
from skd.choices import Architecture, Precision
from skd.interchange._names import named_as_ours
from skd.interchange._state_dicts import state_dict_of
from skd.interchange._tensors import Tensor
from skd.models import ARCHITECTURES, Model, create_model
from skd.models.checkpoint import TRAINING_PREFIX
from skd.models.network_shapes import configuration_of

OWNER = "import_torch"
LEGAL = "a checkpoint of PyTorch"
MAX_COUNT = 2**53  # largest counter of batches that float64 holds exactly
State = dict[str, "Tensor"]


def import_torch(
    path: str | PathLike[str],
    *,
    image_size: int,
    classifier: str | PathLike[str] | None = None,
    num_classes: int | None = None,
    architecture: Architecture | None = None,
    drop_rate: float | None = None,
    dropblock_size: int | None = None,
    precision: Precision = "float32",
    seed: int = 0,
    normalization: tuple[ArrayLike, ArrayLike] | None = None,
) -> Model:
    """Read a checkpoint that PyTorch code wrote, without PyTorch.

    It reads checkpoints of SKD, RFS and LibFewShot, and any other state dict under the same names,
    from safetensors and from both formats of ``torch.save``. Code in the file is never run. The
    architecture and its sizes follow from the names and shapes; the image size does not.
    docs/how-to/interchange.md gives the rules by which a state dict is found and its names are
    read.

    Parameters
    ----------
    path : str or path
        File of safetensors or ``torch.save``: a state dict, or a dict that holds one. A common
        prefix of all names, such as "module." or "backbone.", is dropped; optimisers and
        LibFewShot's "distill_layer." are ignored.
    image_size : int
        Side of the images that the model was trained on, in pixels.
    classifier : str or path, optional
        File of the classifier, if the first one holds the backbone only, as with LibFewShot.
    num_classes : int, optional
        Number of classes of a fresh classifier, if the files hold none.
    architecture : str, optional
        Architecture, see `create_model`; by default found from the names.
    drop_rate : float, optional
        Rate for further training; see `create_model`.
    dropblock_size : int, optional
        Size for further training; see `create_model`.
    precision : {"float32", "bfloat16"}, default="float32"
        Precision of the products; see `create_model`.
    seed : int, default=0
        Seed of a fresh classifier.
    normalization : pair (mean, std), optional
        Normalisation of uint8 images, one number per channel each; such files do not hold it.

    Returns
    -------
    model : Model
        The model with the state of the file, bit for bit; float64 is rounded to float32, float16
        and bfloat16 are widened.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is of another kind, which the message names, is damaged, would run code, holds
        several state dicts, or has another architecture; the first difference is named.

    Examples
    --------
    >>> model = import_torch("resnet12_last.pth", image_size=84)  # doctest: +SKIP
    """
    if architecture is not None:
        check.choice(architecture, "architecture", OWNER, ARCHITECTURES)
    if num_classes is not None:
        check.integer(num_classes, "num_classes", OWNER, minimum=1)
    state = _read(path, "path")
    if classifier is not None:
        state.update(_classifier(_read(classifier, "classifier")))
    with _refusing(Path(path)):
        config = _requested(configuration_of(state), architecture)
    if "num_classes" not in config:
        if num_classes is None:
            got = f"nothing, for {str(path)!r} has no classifier"
            check.refuse("num_classes", OWNER, "an integer", got)
        config["num_classes"] = num_classes
    elif num_classes not in (None, config["num_classes"]):
        legal = f"{config['num_classes']}, the classes of the classifier"
        check.refuse("num_classes", OWNER, legal, num_classes)
    with delegated(OWNER, "create_model"):
        model = create_model(
            **config,
            image_size=image_size,
            drop_rate=drop_rate,
            dropblock_size=dropblock_size,
            precision=precision,
            seed=seed,
        )
    with _refusing(Path(path)):
        arrays = _complete(state, model)
        try:
            model.load_state_dict(arrays)
        except (TypeError, ValueError) as error:
            raise UnreadableFileError(str(error)) from error
    with delegated(OWNER, "Model.normalization", value="normalization"):
        model.normalization = normalization
    return model


def _read(path: Any, name: str) -> State:
    """Return the state dict of a file, under our names."""
    from skd.interchange._torch_files import read_torch_file

    source = check.input_file(path, name, OWNER, what="checkpoint")
    with _refusing(source, name):
        kind = kind_of_file(source)
        if kind == SAFETENSORS or (kind is None and source.suffix == ".safetensors"):
            return named_as_ours(_read_safetensors(source))
        if kind not in (None, TORCH, PICKLE, "a zip archive"):
            raise UnreadableFileError(f"it is {kind}")
        return named_as_ours(state_dict_of(read_torch_file(source)))


@contextmanager
def _refusing(source: Path, name: str = "path") -> Iterator[None]:
    """Name the file in errors raised inside the block."""
    try:
        yield
    except UnreadableFileError as error:
        check.refuse(name, OWNER, LEGAL, f"{str(source)!r}: {error}")


def _read_safetensors(source: Path) -> State:
    try:
        with opened(source) as file:
            return {
                name: Tensor.of_array(file.stored(name), is_bfloat16=entry.dtype == "BF16")
                for name, entry in file.entries.items()
                if not name.startswith(TRAINING_PREFIX)
            }
    except SafetensorsError as error:
        raise UnreadableFileError(str(error)) from error


def _classifier(named: State) -> State:
    """Return the classifier from a separate file, whose names may lack any prefix."""
    prefixed = {name: tensor for name, tensor in named.items() if name.startswith("classifier.")}
    bare = {f"classifier.{name}": named[name] for name in ("weight", "bias") if name in named}
    return prefixed or bare


def _requested(config: dict[str, Any], architecture: str | None) -> dict[str, Any]:
    """Return a configuration under the name of the requested architecture."""
    found = config["architecture"]
    if architecture == "seresnet12" and found == "resnet12" and config["use_se"]:
        return {**config, "architecture": architecture}
    if architecture not in (None, found):
        legal = f"{found!r}, as the names in the file show"
        check.refuse("architecture", OWNER, legal, repr(architecture))
    return config


def _complete(state: State, model: Model) -> dict[str, NDArray[Any]]:
    """Return an array for each name of the model; names that no file has keep fresh values."""
    result: dict[str, NDArray[Any]] = {}
    for name, view in model.state_dict().items():
        tensor = state.get(name)
        is_counter = name.endswith("num_batches_tracked")
        if tensor is None:  # a counter, or a tensor of a fresh classifier
            result[name] = np.zeros((), dtype=np.int64) if is_counter else view
            continue
        array = tensor.array()
        if array.shape != view.shape:
            raise UnreadableFileError(f"its {name} is of shape {array.shape}, not {view.shape}")
        if array.dtype.kind == "f":
            with np.errstate(over="ignore"):  # overflow is refused below
                array = array.astype(np.float32, copy=False)
            if not np.isfinite(array).all():
                raise UnreadableFileError(f"its {name} is not finite in float32")
        if is_counter and array.dtype.kind == "f":  # the file is in half precision throughout
            array = np.rint(np.minimum(array, MAX_COUNT)).astype(np.int64)
        result[name] = array
    return result
