"""Models with fresh weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skd import _native
from skd import _validation as check
from skd._memory import too_large_by
from skd.choices import Architecture, Precision, values
from skd.models._model import Model

ARCHITECTURES: tuple[Architecture, ...] = values(Architecture)
PRECISIONS: tuple[Precision, ...] = values(Precision)


def list_models() -> tuple[Architecture, ...]:
    """Return the architectures that `create_model` creates.

    Returns
    -------
    architectures : tuple of str
        Names for the first argument of `create_model`.

    Examples
    --------
    >>> list_models()
    ('resnet12', 'seresnet12', 'resnet18', 'resnet24', 'convnet4', 'wrn_28_10')
    """
    return ARCHITECTURES


def create_model(
    architecture: Architecture,
    *,
    num_classes: int,
    image_size: int,
    input_channels: int = 3,
    widths: Sequence[int] | None = None,
    use_se: bool = False,
    drop_rate: float | None = None,
    dropblock_size: int | None = None,
    rotation_head: bool | None = None,
    precision: Precision = "float32",
    seed: int = 0,
) -> Model:
    """Create a model with fresh weights.

    Parameters
    ----------
    architecture : {"resnet12", "seresnet12", "resnet18", "resnet24", "convnet4", "wrn_28_10"}
        Backbone, one of `list_models`. The ResNets have 1, 1, 1, 1 (12), 1, 1, 2, 2 (18) or
        2, 2, 2, 2 (24) blocks of three convolutions in their four stages.
    num_classes : int
        Classes of the classifier, at most 1,000,000.
    image_size : int
        Side of the images, in pixels: at least 16 for the ResNets and 8 for "convnet4", at
        most 4096.
    input_channels : int, default=3
        Channels of the images, 1 to 4.
    widths : sequence of int, optional
        Channels of each stage; by default those of the architecture, (64, 160, 320, 640) for
        the ResNets.
    use_se : bool, default=False
        Give the blocks of a ResNet squeeze-and-excitation gates; of two blocks in a stage, only
        the last gets one, as in the published code. "seresnet12" always has gates: it is
        "resnet12" with gates, by default without a rotation head.
    drop_rate : float, optional
        Rate of dropout and DropBlock, in [0, 1); by default that of the architecture.
    dropblock_size : int, optional
        Side of DropBlock's squares; by default 5 for images of 84 pixels and 2 for 32.
    rotation_head : bool, optional
        Whether the model predicts the rotation, which `Gen0` needs; by default true for
        "resnet12", "resnet18" and "resnet24".
    precision : {"float32", "bfloat16"}, default="float32"
        Type of the operands of the products. With "bfloat16", the larger 3x3 convolutions round
        these operands to bfloat16, in training and evaluation; weights, sums, gradients and
        everything else stay float32. It is faster if the library was built for a processor with
        AVX512_BF16; ``pip install .`` does so on such a machine, wheels do not. Short trainings
        are as accurate on average.
    seed : int, default=0
        Seed of the initial weights.

    Returns
    -------
    model : Model
        The model.

    Raises
    ------
    ValueError
        If an option is outside its domain, or the architecture does not have it.
    MemoryError
        If the parameters do not fit into memory.

    Examples
    --------
    >>> model = create_model("convnet4", num_classes=10, image_size=16)
    >>> model.embed(np.zeros((2, 16, 16, 3))).shape == (2, model.embedding_dim)
    True
    """
    config = checked_config(
        architecture,
        num_classes=num_classes,
        image_size=image_size,
        input_channels=input_channels,
        widths=widths,
        use_se=use_se,
        drop_rate=drop_rate,
        dropblock_size=dropblock_size,
        rotation_head=rotation_head,
        precision=precision,
    )
    return Model(native_model(config, seed=check.seed(seed, "create_model")), config)


def checked_config(
    architecture: Any,
    *,
    num_classes: Any,
    image_size: Any,
    input_channels: Any = 3,
    widths: Any = None,
    use_se: Any = False,
    drop_rate: Any = None,
    dropblock_size: Any = None,
    rotation_head: Any = None,
    precision: Any = "float32",
) -> dict[str, Any]:
    """Return the checked arguments of `create_model`, but the seed."""
    owner = "create_model"
    config: dict[str, Any] = {
        "architecture": check.choice(architecture, "architecture", owner, ARCHITECTURES),
        "num_classes": check.integer(num_classes, "num_classes", owner, minimum=1),
        "image_size": check.integer(image_size, "image_size", owner, minimum=1),
        "input_channels": check.integer(
            input_channels, "input_channels", owner, minimum=1, maximum=4
        ),
        "widths": None,
        "use_se": check.boolean(use_se, "use_se", owner),
        "drop_rate": None,
        "dropblock_size": None,
        "rotation_head": None,
        "precision": check.choice(precision, "precision", owner, PRECISIONS),
    }
    if widths is not None:
        config["widths"] = check.integers(widths, "widths", owner, minimum=1)
        if not config["widths"]:
            check.refuse("widths", owner, "non-empty", widths)
    if drop_rate is not None:
        config["drop_rate"] = check.float32(
            drop_rate, "drop_rate", owner, maximum=1, open_maximum=True
        )
    if dropblock_size is not None:
        config["dropblock_size"] = check.integer(dropblock_size, "dropblock_size", owner, minimum=1)
    if rotation_head is not None:
        config["rotation_head"] = check.boolean(rotation_head, "rotation_head", owner)
    return config


def native_model(config: Mapping[str, Any], *, seed: int | None) -> _native.Model:
    """Create the library's model of a checked configuration; without a seed, its state is zero.

    None stands for the default of the architecture.
    """
    head = config["rotation_head"]
    with too_large_by("create_model", "widths", "num_classes"):
        return _native.Model(
            architecture=config["architecture"],
            num_classes=config["num_classes"],
            image_size=config["image_size"],
            input_channels=config["input_channels"],
            widths=config["widths"] or [],
            drop_rate=-1.0 if config["drop_rate"] is None else config["drop_rate"],
            dropblock_size=config["dropblock_size"] or 0,
            rotation_head=-1 if head is None else int(head),
            seed=seed or 0,
            is_bfloat16=config["precision"] == "bfloat16",
            use_se=config["use_se"],
            zero_state=seed is None,
        )
