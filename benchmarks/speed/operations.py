"""Every function of `skd.ops` and `skd.losses` that computes on tensors, at ten shapes or more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

import skd

Arguments = dict[str, Any]
Shape = tuple[int, ...]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """A function, a shape in the order that its arguments are made by, and the name of both."""

    function: str
    shape: Shape
    name: str

    def arguments(self) -> Arguments:
        """Return the arguments by name, the same on each call."""
        return FUNCTIONS[self.function].arguments(np.random.default_rng(0), self.shape)


@dataclass(frozen=True)
class Function:
    """How the arguments of a function are made from a shape, and its shapes."""

    arguments: Callable[[Generator, Shape], Arguments]
    shapes: tuple[Shape, ...]
    label: Callable[[Shape], str]


def cases(function: str) -> list[Case]:
    """Return the cases of a function of `FUNCTIONS`."""
    entry = FUNCTIONS[function]
    return [Case(function, shape, f"{function}, {entry.label(shape)}") for shape in entry.shapes]


def called(case: Case) -> Callable[[], object]:
    """Return one call of SKD."""
    module, name = case.function.split(",")[0].split(".")
    function, arguments = getattr(getattr(skd, module), name), case.arguments()
    return lambda: function(**arguments)


def results(case: Case, returned: Any) -> list[Any]:
    """Return the arrays and numbers of a result; of a random one, the share of ones alone."""
    values = list(returned) if isinstance(returned, tuple) else [returned]
    return [np.mean(values[0])] if case.function in RANDOM else values


def floats(generator: Generator, *shape: int) -> FloatArray:
    """Return normal numbers."""
    return generator.standard_normal(shape, dtype=np.float32)


# Images: batch, side, channels.
IMAGES: tuple[Shape, ...] = (
    (16, 32, 64),
    (16, 32, 24),
    (16, 32, 3),
    (64, 32, 1),
    (16, 16, 160),
    (16, 21, 40),
    (16, 8, 320),
    (16, 4, 640),
    (4, 84, 64),
    (4, 84, 3),
    (1, 32, 64),
)


def images_label(shape: Shape) -> str:
    """Name images."""
    batch, side, channels = shape
    return f"{batch} x {side} px, {channels} channel{'' if channels == 1 else 's'}"


def _images(generator: Generator, shape: Shape) -> FloatArray:
    batch, side, channels = shape
    return floats(generator, batch, side, side, channels)


def _activation(generator: Generator, shape: Shape) -> Arguments:
    return {"x": _images(generator, shape)}


def _activation_backward(generator: Generator, shape: Shape) -> Arguments:
    return {"x": _images(generator, shape), "d_output": _images(generator, shape)}


def _pool_backward(generator: Generator, shape: Shape) -> Arguments:
    batch, side, channels = shape
    pooled = (batch, side // 2, channels)
    return {"x": _images(generator, shape), "d_output": _images(generator, pooled)}


def _average_backward(generator: Generator, shape: Shape) -> Arguments:
    batch, side, channels = shape
    return {"d_output": floats(generator, batch, channels), "height": side, "width": side}


def _batch_norm(generator: Generator, shape: Shape, *, training: bool) -> Arguments:
    channels = shape[-1]
    return {
        "x": _images(generator, shape),
        "weight": floats(generator, channels),
        "bias": floats(generator, channels),
        "running_mean": floats(generator, channels),
        "running_var": np.abs(floats(generator, channels)) + 0.5,
        "training": training,
    }


def _batch_norm_backward(generator: Generator, shape: Shape, *, training: bool) -> Arguments:
    forward = _batch_norm(generator, shape, training=training)
    result = skd.ops.batch_norm2d(**forward)
    return {
        "x": forward["x"],
        "weight": forward["weight"],
        "mean": result.mean,
        "inverse_std": result.inverse_std,
        "d_output": _images(generator, shape),
        "training": training,
    }


def _rotation(generator: Generator, shape: Shape) -> Arguments:
    return {"images": _images(generator, shape), "quarter_turns": 1 + sum(shape) % 3}


RATE = 0.1
BLOCK = 3


def _mask(generator: Generator, shape: Shape) -> Arguments:
    batch, side, channels = shape
    return {"shape": (batch, side, side, channels), "rate": RATE, "seed": 0}


def _dropout(generator: Generator, shape: Shape, *, name: str) -> Arguments:
    kept = skd.ops.dropout_mask(**_mask(generator, shape))
    return {name: _images(generator, shape), "kept": kept, "rate": RATE}


def _corners(generator: Generator, shape: Shape) -> Arguments:
    batch, side, channels = shape
    return {
        "shape": (batch, side, side, channels),
        "block_size": BLOCK,
        "gamma": RATE / BLOCK**2,
        "seed": 0,
    }


def _drop_block(generator: Generator, shape: Shape, *, name: str) -> Arguments:
    corners = skd.ops.drop_block_corners(**_corners(generator, shape))
    return {name: _images(generator, shape), "corners": corners, "block_size": BLOCK}


def _excitation(generator: Generator, shape: Shape) -> Arguments:
    channels = shape[-1]
    hidden = max(1, channels // 4)
    return {
        "x": _images(generator, shape),
        "weight1": floats(generator, hidden, channels),
        "bias1": floats(generator, hidden),
        "weight2": floats(generator, channels, hidden),
        "bias2": floats(generator, channels),
    }


def _excitation_backward(generator: Generator, shape: Shape) -> Arguments:
    return {**_excitation(generator, shape), "d_output": _images(generator, shape)}


# Convolutions: batch, side, input and output channels, kernel size, stride, padding.
CONVOLUTIONS: tuple[Shape, ...] = (
    (16, 32, 64, 64, 3, 1, 1),
    (16, 32, 24, 24, 3, 1, 1),
    (16, 32, 48, 48, 3, 1, 2),
    (16, 32, 100, 100, 3, 1, 1),
    (16, 32, 64, 64, 3, 1, 0),
    (16, 4, 640, 640, 3, 1, 1),
    (1, 32, 64, 64, 3, 1, 1),
    (4, 84, 3, 64, 3, 1, 1),
    (4, 84, 1, 64, 3, 1, 1),
    (16, 16, 160, 160, 3, 2, 1),
    (16, 16, 160, 320, 1, 1, 0),
    (16, 32, 3, 64, 1, 1, 0),
    (16, 32, 48, 48, 2, 1, 0),
    (16, 32, 48, 48, 4, 1, 1),
    (16, 32, 48, 48, 5, 1, 2),
    (16, 32, 3, 64, 5, 1, 2),
)


def convolution_label(shape: Shape) -> str:
    """Name a convolution."""
    batch, side, inputs, outputs, size, stride, padding = shape
    steps = "" if stride == 1 else f", stride {stride}"
    images = f"{batch} x {side} px, {inputs} to {outputs} channels"
    return f"{images}, {size}x{size}, padding {padding}{steps}"


def _convolution(generator: Generator, shape: Shape) -> Arguments:
    batch, side, inputs, outputs, size, stride, padding = shape
    return {
        "x": floats(generator, batch, side, side, inputs),
        "weight": floats(generator, outputs, inputs, size, size),
        "bias": floats(generator, outputs),
        "stride": stride,
        "padding": padding,
    }


def _convolution_backward(generator: Generator, shape: Shape) -> Arguments:
    batch, side, _, outputs, size, stride, padding = shape
    arguments = _convolution(generator, shape)
    del arguments["bias"]
    extent = (side + 2 * padding - size) // stride + 1
    return {**arguments, "d_output": floats(generator, batch, extent, extent, outputs)}


# Linear maps: rows, inputs, outputs.
LINEAR: tuple[Shape, ...] = (
    (64, 640, 64),
    (256, 640, 64),
    (64, 64, 4),
    (1, 640, 5),
    (75, 640, 5),
    (64, 24, 64),
    (64, 100, 100),
    (64, 160, 320),
    (1024, 640, 351),
    (64, 3, 24),
)


def linear_label(shape: Shape) -> str:
    """Name a linear map."""
    rows, inputs, outputs = shape
    return f"{rows} x {inputs} to {outputs}"


def _linear(generator: Generator, shape: Shape) -> Arguments:
    rows, inputs, outputs = shape
    return {
        "x": floats(generator, rows, inputs),
        "weight": floats(generator, outputs, inputs),
        "bias": floats(generator, outputs),
    }


def _linear_backward(generator: Generator, shape: Shape) -> Arguments:
    rows, _, outputs = shape
    arguments = _linear(generator, shape)
    del arguments["bias"]
    return {**arguments, "d_output": floats(generator, rows, outputs)}


PARAMETERS: tuple[Shape, ...] = (
    (64,),
    (640,),
    (64, 3, 3, 3),
    (24, 24, 3, 3),
    (64, 64, 3, 3),
    (160, 64, 3, 3),
    (100, 100, 3, 3),
    (64, 640),
    (320, 320, 3, 3),
    (640, 640, 3, 3),
)


def extents_label(shape: Shape) -> str:
    """Name an array."""
    return " x ".join(map(str, shape))


def _sgd(generator: Generator, shape: Shape) -> Arguments:
    names = ("parameter", "d_parameter", "velocity")
    return {name: floats(generator, *shape) for name in names}


# Logits: rows, classes.
LOGITS: tuple[Shape, ...] = (
    (64, 64),
    (256, 64),
    (4096, 64),
    (1, 64),
    (75, 5),
    (4096, 4),
    (64, 3),
    (256, 100),
    (1024, 351),
    (64, 640),
)


def _labelled(generator: Generator, shape: Shape) -> Arguments:
    rows, classes = shape
    return {"logits": floats(generator, *shape), "labels": generator.integers(classes, size=rows)}


def _pair(generator: Generator, shape: Shape, *, names: tuple[str, str]) -> Arguments:
    return {name: floats(generator, *shape) for name in names}


def _on_images(arguments: Callable[..., Arguments], **options: Any) -> Function:
    return Function(lambda *args: arguments(*args, **options), IMAGES, images_label)


def _on_logits(arguments: Callable[..., Arguments], **options: Any) -> Function:
    return Function(lambda *args: arguments(*args, **options), LOGITS, extents_label)


#: What follows a comma says in which mode a function is called.
FUNCTIONS: dict[str, Function] = {
    "ops.conv2d": Function(_convolution, CONVOLUTIONS, convolution_label),
    "ops.conv2d_backward": Function(_convolution_backward, CONVOLUTIONS, convolution_label),
    "ops.linear": Function(_linear, LINEAR, linear_label),
    "ops.linear_backward": Function(_linear_backward, LINEAR, linear_label),
    "ops.batch_norm2d, training": _on_images(_batch_norm, training=True),
    "ops.batch_norm2d, evaluation": _on_images(_batch_norm, training=False),
    "ops.batch_norm2d_backward, training": _on_images(_batch_norm_backward, training=True),
    "ops.batch_norm2d_backward, evaluation": _on_images(_batch_norm_backward, training=False),
    "ops.relu": _on_images(_activation),
    "ops.relu_backward": _on_images(_activation_backward),
    "ops.leaky_relu": _on_images(_activation),
    "ops.leaky_relu_backward": _on_images(_activation_backward),
    "ops.max_pool2d": _on_images(_activation),
    "ops.max_pool2d_backward": _on_images(_pool_backward),
    "ops.global_average_pool": _on_images(_activation),
    "ops.global_average_pool_backward": _on_images(_average_backward),
    "ops.squeeze_excitation": _on_images(_excitation),
    "ops.squeeze_excitation_backward": _on_images(_excitation_backward),
    "ops.dropout_mask": _on_images(_mask),
    "ops.dropout": _on_images(_dropout, name="x"),
    "ops.dropout_backward": _on_images(_dropout, name="d_output"),
    "ops.drop_block_corners": _on_images(_corners),
    "ops.drop_block": _on_images(_drop_block, name="x"),
    "ops.drop_block_backward": _on_images(_drop_block, name="d_output"),
    "ops.rotate": _on_images(_rotation),
    "ops.sgd_step": Function(_sgd, PARAMETERS, extents_label),
    "losses.cross_entropy": _on_logits(_labelled),
    "losses.rotation_bce": _on_logits(_labelled),
    "losses.distill_kl": _on_logits(_pair, names=("student", "teacher")),
    "losses.twin_l2": _on_logits(_pair, names=("rotated", "upright")),
}
#: Their results are drawn from different generators, so that the shares of ones are compared.
RANDOM = ("ops.dropout_mask", "ops.drop_block_corners")
