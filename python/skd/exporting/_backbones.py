"""The backbones as graphs, from images in NCHW order to one row of features for each image."""

from __future__ import annotations

from skd.exporting._layers import Layers

LEAK = 0.1  # slope of the ResNets' LeakyReLU
POOLED_STAGES = 3  # of the four of ConvNet-4


def backbone(layers: Layers, value: str, architecture: str) -> str:
    """Add the backbone of an architecture, and return its embedding."""
    if architecture == "convnet4":
        value = _convnet4(layers, value)
    elif architecture == "wrn_28_10":
        value = _wide_resnet(layers, value)
    else:
        value = _resnet(layers, value)
    return layers.pooled_rows(value)


def _convnet4(layers: Layers, value: str) -> str:
    for stage in range(1, 5):
        name = f"layer{stage}"
        value = layers.relu(layers.convolution(value, f"{name}.0", norm=f"{name}.1"))
        if stage <= POOLED_STAGES:
            value = layers.max_pool(value)
    return value


def _resnet(layers: Layers, value: str) -> str:
    for name in _blocks(layers, "layer{}.{}", stages=4):
        value = _residual_block(layers, value, name)
    return value


def _residual_block(layers: Layers, value: str, name: str) -> str:
    """Add a block; the first of each stage has a shortcut convolution and halves the side."""
    main, side = value, value
    for number in (1, 2, 3):
        main = layers.convolution(main, f"{name}.conv{number}", norm=f"{name}.bn{number}")
        if number < 3:
            main = layers.leaky_relu(main, LEAK)
    if f"{name}.se.fc.0.weight" in layers.state:
        main = layers.gate(main, f"{name}.se")
    halves = f"{name}.downsample.0.weight" in layers.state
    if halves:
        side = layers.convolution(value, f"{name}.downsample.0", norm=f"{name}.downsample.1")
    joined = layers.leaky_relu(layers.add(main, side, name), LEAK)
    return layers.max_pool(joined) if halves else joined


def _wide_resnet(layers: Layers, value: str) -> str:
    value = layers.convolution(value, "conv1")
    for name in _blocks(layers, "layer{}.{}", stages=3):
        stride = 2 if name.endswith(".0") and not name.startswith("layer1.") else 1
        value = _wide_block(layers, value, name, stride)
    return layers.relu(layers.norm(value, "bn1"))


def _wide_block(layers: Layers, value: str, name: str, stride: int) -> str:
    """Add a pre-activation block, whose first batch norm has no convolution before it."""
    main = layers.relu(layers.norm(value, f"{name}.bn1"))
    main = layers.relu(layers.convolution(main, f"{name}.conv1", norm=f"{name}.bn2"))
    main = layers.convolution(main, f"{name}.conv2", stride=stride)
    side = value
    if f"{name}.shortcut.0.weight" in layers.state:
        side = layers.convolution(value, f"{name}.shortcut.0", stride=stride)
    return layers.add(main, side, name)


def _blocks(layers: Layers, pattern: str, *, stages: int) -> list[str]:
    """Return the names of the blocks of a state dict, in the order of computation."""
    names = []
    for stage in range(1, stages + 1):
        number = 0
        while f"{pattern.format(stage, number)}.conv1.weight" in layers.state:
            names.append(pattern.format(stage, number))
            number += 1
    return names
