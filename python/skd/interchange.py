"""Checkpoints that PyTorch code of the field wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd.creation import ARCHITECTURES, create_model
from skd.models import Model

if TYPE_CHECKING:
    from skd._torch_files import Tensor

__all__ = ["import_torch"]

OWNER = "import_torch"
#: Blocks of the four stages of each ResNet.
DEPTHS = {(1, 1, 1, 1): "resnet12", (1, 1, 2, 2): "resnet18", (2, 2, 2, 2): "resnet24"}

State = dict[str, "Tensor"]


def import_torch(
    path: str | PathLike[str],
    *,
    image_size: int,
    classifier: str | PathLike[str] | None = None,
    num_classes: int | None = None,
    architecture: str | None = None,
    drop_rate: float | None = None,
    dropblock_size: int | None = None,
    precision: str = "float32",
    seed: int = 0,
    normalization: tuple[ArrayLike, ArrayLike] | None = None,
) -> Model:
    """Read a checkpoint that PyTorch code of the field wrote, without PyTorch.

    SKD's and RFS's checkpoints, those of LibFewShot and any other state dict under the same names
    are read, from both formats of ``torch.save``. No code of the file is run. The architecture and
    its sizes follow from the names and shapes; the size of the images does not.

    Parameters
    ----------
    path : str or path
        File of ``torch.save``: a state dict, or a dict that holds one under "model", "state_dict",
        "params" or "model_state_dict". Prefixes "module." are dropped, "emb_func." and
        "cls_classifier." are known; optimisers and LibFewShot's "distill_layer." are left out.
    image_size : int
        Side of the images that the model was trained on, in pixels.
    classifier : str or path, optional
        File of the classifier, where the first one has the backbone only, as LibFewShot's parts.
    num_classes : int, optional
        Classes of the fresh classifier of a model whose files have none.
    architecture : str, optional
        See `create_model`; by default what the names tell.
    drop_rate : float, optional
        See `create_model`; for further training.
    dropblock_size : int, optional
        See `create_model`; for further training.
    precision : {"float32", "bfloat16"}, default="float32"
        See `create_model`.
    seed : int, default=0
        Of a fresh classifier.
    normalization : pair (mean, std), optional
        For uint8 images, one number per channel each, which no such file holds.

    Returns
    -------
    model : Model
        The model with the state of the file, every number to the bit; float64 is rounded to
        float32.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is no checkpoint, is damaged or asks for code, or its names and shapes fit no
        architecture.

    Examples
    --------
    >>> model = import_torch("resnet12_last.pth", image_size=84)  # doctest: +SKIP
    """
    if architecture is not None:
        check.choice(architecture, "architecture", OWNER, ARCHITECTURES)
    if num_classes is not None:
        check.integer(num_classes, "num_classes", OWNER, minimum=1)
    state = _named_as_ours(_read(path, "path"))
    if classifier is not None:
        state.update(_classifier(_read(classifier, "classifier")))
    config = _configuration(state, architecture)
    if "num_classes" not in config:
        if num_classes is None:
            got = f"nothing, for {str(path)!r} has no classifier"
            check.refuse("num_classes", OWNER, "an integer", got)
        config["num_classes"] = num_classes
    elif num_classes not in (None, config["num_classes"]):
        legal = f"{config['num_classes']}, the classes of the classifier"
        check.refuse("num_classes", OWNER, legal, num_classes)
    model = create_model(
        **config,
        image_size=image_size,
        drop_rate=drop_rate,
        dropblock_size=dropblock_size,
        precision=precision,
        seed=seed,
    )
    model.load_state_dict(_complete(state, model, path))
    model.normalization = normalization
    return model


def _read(path: Any, name: str) -> State:
    from skd._torch_files import UnreadableFileError, read_torch_file, state_dict_of

    source: Path = check.path(path, name, OWNER)
    if not source.is_file():
        raise FileNotFoundError(f"There is no checkpoint {str(source)!r}.")
    try:
        return state_dict_of(read_torch_file(source))
    except UnreadableFileError as error:
        check.refuse(name, OWNER, "a checkpoint of PyTorch", f"{str(source)!r}: {error}")


def _named_as_ours(state: Mapping[str, Tensor]) -> State:
    """Return a state under the names of the backbone and its heads."""
    result = {}
    for name, tensor in state.items():
        # DataParallel puts "module." before all names, or behind "emb_func.".
        plain = ".".join(part for part in name.split(".") if part != "module")
        if plain.startswith("distill_layer."):
            continue
        plain = plain.removeprefix("emb_func.")
        if plain.startswith("cls_classifier."):
            plain = plain.removeprefix("cls_")
        result[plain] = tensor
    return result


def _classifier(state: Mapping[str, Tensor]) -> State:
    """Return the classifier of a file of its own, whose names may lack any prefix."""
    named = _named_as_ours(state)
    own = {name: tensor for name, tensor in named.items() if name.startswith("classifier.")}
    bare = {f"classifier.{name}": named[name] for name in ("weight", "bias") if name in named}
    return own or bare


def _configuration(state: State, architecture: str | None) -> dict[str, Any]:
    """Return the arguments of `create_model` that names and shapes tell."""
    blocks: dict[int, int] = {}
    for name in state:
        match = re.fullmatch(r"layer([1-4])\.([0-9]{1,2})\.conv1\.weight", name)
        if match:
            stage, block = map(int, match.groups())
            blocks[stage] = max(blocks.get(stage, 0), block + 1)
    depths = tuple(blocks.get(stage, 0) for stage in (1, 2, 3, 4))
    config: dict[str, Any] = {}
    if depths in DEPTHS:
        config["architecture"] = DEPTHS[depths]
        config["use_se"] = any(".se." in name for name in state)
        names = [f"layer{stage}.0.conv1.weight" for stage in (1, 2, 3, 4)]
    elif depths == (4, 4, 4, 0):
        config["architecture"] = "wrn_28_10"
        names = [f"layer{stage}.0.conv1.weight" for stage in (1, 2, 3)]
    elif "layer4.0.weight" in state:
        config["architecture"] = "convnet4"
        names = [f"layer{stage}.0.weight" for stage in (1, 2, 3, 4)]
    else:
        legal = 'a checkpoint of a network with the names of "resnet12" and its kin'
        check.refuse("path", OWNER, legal, f"the names {sorted(state)[:4]} and others")
    if architecture == "seresnet12" and config["architecture"] == "resnet12" and config["use_se"]:
        config["architecture"] = architecture
    if architecture not in (None, config["architecture"]):
        legal = f"{config['architecture']!r}, of which the names are"
        check.refuse("architecture", OWNER, legal, repr(architecture))
    config["widths"] = [_extents(state, name, 4)[0] for name in names]
    stem = "conv1.weight" if config["architecture"] == "wrn_28_10" else names[0]
    config["input_channels"] = _extents(state, stem, 4)[1]
    config["rotation_head"] = "rot_classifier.weight" in state
    if "classifier.weight" in state:
        config["num_classes"], features = _extents(state, "classifier.weight", 2)
        if features != config["widths"][-1]:
            legal = f"a checkpoint whose classifier reads {config['widths'][-1]} features"
            check.refuse("path", OWNER, legal, features)
    _check_convolutions(state, config)
    return config


def _check_convolutions(state: State, config: Mapping[str, Any]) -> None:
    """Refuse shapes that do not fit together, before memory is taken for a model of them."""
    widths = config["widths"]
    for name, tensor in state.items():
        match = re.fullmatch(r"layer([1-4])\.[0-9]{1,2}\.conv([23])\.weight", name)
        if match:
            width = widths[int(match[1]) - 1]
            if tensor.shape != (width, width, 3, 3):
                legal = f"a checkpoint whose {name} is of shape {(width, width, 3, 3)}"
                check.refuse("path", OWNER, legal, f"shape {tensor.shape}")
    if config["architecture"] == "convnet4":
        for stage in (2, 3, 4):
            inputs = _extents(state, f"layer{stage}.0.weight", 4)[1]
            if inputs != widths[stage - 2]:
                legal = f"a checkpoint whose stage {stage} reads {widths[stage - 2]} channels"
                check.refuse("path", OWNER, legal, inputs)


def _extents(state: State, name: str, dimensions: int) -> tuple[int, ...]:
    tensor = state.get(name)
    if tensor is None or len(tensor.shape) != dimensions:
        got = "nothing" if tensor is None else f"shape {tensor.shape}"
        check.refuse("path", OWNER, f"a checkpoint whose {name} has {dimensions} dimensions", got)
    return tensor.shape


def _complete(state: State, model: Model, path: Any) -> dict[str, NDArray[Any]]:
    """Return the arrays of the model's names; what no file had stays as it was created."""
    own = model.state_dict()
    has_classifier = "classifier.weight" in state
    result: dict[str, NDArray[Any]] = {}
    for name, view in own.items():
        tensor = state.pop(name, None)
        if tensor is not None:
            result[name] = tensor.array()
        elif name.endswith("num_batches_tracked"):  # PyTorch before 1.0 had none
            result[name] = np.zeros((), dtype=np.int64)
        elif name.startswith("classifier.") and not has_classifier:
            result[name] = view
        else:
            got = f"{str(path)!r} without {name}"
            check.refuse("path", OWNER, f"a checkpoint of a {model.architecture}", got)
    surplus = sorted(state)
    if surplus:
        got = f"{str(path)!r} with {surplus[0]} and {len(surplus) - 1} others besides"
        check.refuse("path", OWNER, f"a checkpoint of a {model.architecture}", got)
    return result
