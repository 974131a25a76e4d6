"""Operations of a pass through ResNet-12."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from skd import _validation as check
from skd._refusals import delegated
from skd.machine._convolutions import MAX_EXTENT, ConvolutionShape

RESNET12_WIDTHS = (64, 160, 320, 640)


@dataclass(frozen=True)
class ConvolutionLayer:
    """A convolution of a network.

    Attributes
    ----------
    name : str
        Name of its weights in `Model.state_dict`, without ``.weight``.
    shape : ConvolutionShape
        Extents of the convolution.
    needs_input_gradient : bool
        Whether training computes the gradient of its input; it does not for convolutions of the
        images.
    """

    name: str
    shape: ConvolutionShape
    needs_input_gradient: bool


def resnet12_convolutions(
    batch: int,
    image_size: int,
    *,
    widths: Sequence[int] = RESNET12_WIDTHS,
    input_channels: int = 3,
) -> tuple[ConvolutionLayer, ...]:
    """List the convolutions of "resnet12" in the order of the forward pass.

    Parameters
    ----------
    batch : int
        Images of a pass, rotated views included.
    image_size : int
        Side of the images, in pixels, at least 16.
    widths : sequence of int, default=(64, 160, 320, 640)
        Channels of each stage.
    input_channels : int, default=3
        Channels of the images.

    Returns
    -------
    layers : tuple of ConvolutionLayer
        Three convolutions of 3x3 and the shortcut of 1x1 for each stage; a pool halves the side
        after each stage.

    Raises
    ------
    ValueError
        If an argument is outside its domain.
    TypeError
        If an argument is not an integer.

    Examples
    --------
    >>> [layer.name for layer in resnet12_convolutions(1, 32)][:4]
    ['layer1.0.conv1', 'layer1.0.conv2', 'layer1.0.conv3', 'layer1.0.downsample.0']
    """
    owner = "resnet12_convolutions"
    count = check.integer(batch, "batch", owner, minimum=1)
    side = check.integer(image_size, "image_size", owner, minimum=16, maximum=MAX_EXTENT)
    inputs = check.integer(input_channels, "input_channels", owner, minimum=1, maximum=MAX_EXTENT)
    stages = [
        check.integer(width, "widths", owner, minimum=1, maximum=MAX_EXTENT)
        for width in check.integers(widths, "widths", owner)
    ]
    most = side.bit_length()  # the number of halvings until less than a pixel is left
    if not 1 <= len(stages) <= most:
        legal = f"of 1 to {most} stages for images of {side} pixels"
        check.refuse("widths", owner, legal, f"{len(stages)} stages")
    layers = []
    for stage, outputs in enumerate(stages, start=1):
        kernels = (("conv1", inputs, 3), ("conv2", outputs, 3), ("conv3", outputs, 3))
        for name, channels, size in (*kernels, ("downsample.0", inputs, 1)):
            with delegated(owner, "ConvolutionShape"):
                shape = ConvolutionShape(
                    count, side, side, channels, outputs, kernel_size=size, padding=size // 2
                )
            reads_images = stage == 1 and name in ("conv1", "downsample.0")
            layers.append(ConvolutionLayer(f"layer{stage}.0.{name}", shape, not reads_images))
        inputs, side = outputs, side // 2
    return tuple(layers)


def forward_flops(layers: Iterable[ConvolutionLayer]) -> int:
    """Count the operations of the convolutions of a forward pass.

    Parameters
    ----------
    layers : iterable of ConvolutionLayer
        Convolutions, for example of `resnet12_convolutions`.

    Returns
    -------
    flops : int
        Operations of direct convolution; a multiply-add counts as two.

    Examples
    --------
    >>> forward_flops(resnet12_convolutions(1, 32)) / 2e9  # 0.52 billion multiply-adds
    0.523108352
    """
    return sum(layer.shape.flops for layer in _checked(layers, "forward_flops"))


def training_flops(layers: Iterable[ConvolutionLayer]) -> int:
    """Count the operations of the convolutions of a forward and a backward pass.

    Parameters
    ----------
    layers : iterable of ConvolutionLayer
        Convolutions, for example of `resnet12_convolutions`.

    Returns
    -------
    flops : int
        Operations: three times the forward pass, but twice for a layer without an input gradient.

    Examples
    --------
    >>> training_flops(resnet12_convolutions(64, 32)) / 1e9
    200.621948928
    """
    return sum(
        (2 + layer.needs_input_gradient) * layer.shape.flops
        for layer in _checked(layers, "training_flops")
    )


def _checked(layers: Any, owner: str) -> list[ConvolutionLayer]:
    given = check.iterable(layers, "layers", owner, "layers of convolutions")
    return [check.instance(layer, "layers", owner, ConvolutionLayer) for layer in given]
