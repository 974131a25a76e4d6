"""The architecture of a state dict, found from names and shapes before memory is allocated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from skd._files.unreadable import UnreadableFileError
from skd.models._create import create_model
from skd.models._other_networks import refuse_names

#: Blocks of the four stages of each ResNet.
DEPTHS = {(1, 1, 1, 1): "resnet12", (1, 1, 2, 2): "resnet18", (2, 2, 2, 2): "resnet24"}
WIDE_DEPTHS = (4, 4, 4, 0)
#: Defaults of `create_model`.
DEFAULT_WIDTHS = {
    **dict.fromkeys(("resnet12", "seresnet12", "resnet18", "resnet24"), (64, 160, 320, 640)),
    "convnet4": (64, 64, 64, 64),
    "wrn_28_10": (160, 320, 640),
}
BLOCK = re.compile(r"layer([1-4])\.([0-9]{1,2})\.conv1\.weight")
WITHIN_BLOCK = re.compile(r"layer([1-4])\.[0-9]{1,2}\.conv([23])\.weight")
MAX_CHANNELS = 4


#: Arrays, or tensors that are not read yet; each has a shape.
Shapes = Mapping[str, Any]


def configuration_of(state: Shapes) -> dict[str, Any]:
    """Return the arguments of `create_model` that follow from names and shapes.

    Parameters
    ----------
    state : mapping of str to arrays or tensors
        Entries under the names of the backbone and its heads.

    Returns
    -------
    config : dict
        Architecture, widths, input channels and heads; the number of classes if there is a
        classifier.

    Raises
    ------
    UnreadableFileError
        If the architecture is unknown, or shapes do not fit together.
    """
    config, firsts = _architecture(state)
    config["rotation_head"] = "rot_classifier.weight" in state
    _require_names(state, config)
    widths = [_extents(state, name, 4)[0] for name in firsts]
    stem = "conv1.weight" if config["architecture"] == "wrn_28_10" else firsts[0]
    channels = _extents(state, stem, 4)[1]
    if not 1 <= channels <= MAX_CHANNELS or min(widths) < 1:
        raise UnreadableFileError(f"its {stem} takes images of {channels} channels")
    config |= {"widths": widths, "input_channels": channels}
    if "classifier.weight" in state:
        config["num_classes"], features = _extents(state, "classifier.weight", 2)
        if features != widths[-1]:
            raise UnreadableFileError(
                f"its classifier takes {features} features, and its network has {widths[-1]}"
            )
    _require_proportion(state, config)
    return config


def _architecture(state: Shapes) -> tuple[dict[str, Any], list[str]]:
    """Return the architecture, and the names of the first convolutions of its stages."""
    blocks: dict[int, int] = {}
    for match in filter(None, map(BLOCK.fullmatch, state)):
        stage, block = map(int, match.groups())
        blocks[stage] = max(blocks.get(stage, 0), block + 1)
    depths = tuple(blocks.get(stage, 0) for stage in (1, 2, 3, 4))
    if depths in DEPTHS:
        gated = any(".se." in name for name in state)
        config = {"architecture": DEPTHS[depths], "use_se": gated}
        return config, [f"layer{stage}.0.conv1.weight" for stage in (1, 2, 3, 4)]
    if depths == WIDE_DEPTHS:
        return {"architecture": "wrn_28_10"}, [f"layer{s}.0.conv1.weight" for s in (1, 2, 3)]
    if "layer4.0.weight" in state:
        return {"architecture": "convnet4"}, [f"layer{s}.0.weight" for s in (1, 2, 3, 4)]
    refuse_names(state)


def _require_names(state: Shapes, config: Mapping[str, Any]) -> None:
    """Refuse a state dict whose names differ from those of the architecture."""
    stages = len(DEFAULT_WIDTHS[config["architecture"]])
    small = create_model(**config, widths=(4,) * stages, num_classes=1, image_size=16)
    expected = [name for name in small.state_dict() if name in state or _is_needed(name, state)]
    if set(expected) != set(state):
        refuse_names(state, expected, config["architecture"])


def _is_needed(name: str, state: Shapes) -> bool:
    """Return whether a state dict must have this name; PyTorch before 1.0 had no counters."""
    if name.endswith("num_batches_tracked"):
        return False
    return not name.startswith("classifier.") or "classifier.weight" in state


def _require_proportion(state: Shapes, config: Mapping[str, Any]) -> None:
    """Refuse shapes whose network would be far larger than the file."""
    widths = config["widths"]
    for name, tensor in state.items():
        match = WITHIN_BLOCK.fullmatch(name)
        if match:
            width = widths[int(match[1]) - 1]
            if tensor.shape != (width, width, 3, 3):
                wanted = (width, width, 3, 3)
                raise UnreadableFileError(f"its {name} is of shape {tensor.shape}, not {wanted}")
    if config["architecture"] == "convnet4":
        for stage in (2, 3, 4):
            inputs = _extents(state, f"layer{stage}.0.weight", 4)[1]
            if inputs != widths[stage - 2]:
                raise UnreadableFileError(
                    f"its stage {stage} takes {inputs} channels, and gets {widths[stage - 2]}"
                )


def _extents(state: Shapes, name: str, dimensions: int) -> tuple[int, ...]:
    shape: tuple[int, ...] = state[name].shape
    if len(shape) != dimensions:
        raise UnreadableFileError(f"its {name} is of shape {shape}, not of {dimensions} dimensions")
    return shape


def require_fitting(config: Mapping[str, Any], state: Shapes) -> None:
    """Refuse a configuration that does not fit the tensors of its file.

    Raises
    ------
    ValueError
        If they differ; the first difference is named.
    """
    try:
        found = configuration_of(state)
    except UnreadableFileError as error:
        raise ValueError(str(error)) from error
    stated = dict(config)
    architecture = str(stated["architecture"])
    if architecture == "seresnet12":
        stated |= {"architecture": "resnet12", "use_se": True}
    if stated["widths"] is None and architecture in DEFAULT_WIDTHS:
        stated["widths"] = DEFAULT_WIDTHS[architecture]
    for name in ("architecture", "use_se", "widths", "input_channels", "num_classes"):
        given = list(stated[name]) if name == "widths" else stated[name]
        if given != found.get(name, False):
            raise ValueError(
                f"its configuration has {name} {given!r:.80}; its tensors have "
                f"{found.get(name)!r:.80}"
            )
