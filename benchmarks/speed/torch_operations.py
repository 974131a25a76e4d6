"""The same operations in PyTorch: each function makes one run of the arguments of SKD's.

Images are NCHW; gradients call the operators that PyTorch's automatic differentiation calls, where
there is one of them. Autograd runs where there is none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

import skd
from speed.operations import Case
from speed.timing import fastest
from speed.torch_works import LAYOUTS, Run

sys.path.insert(0, str(Path(__file__).parents[2] / "Tests" / "Fixtures" / "reference"))
import skd_torch

aten = torch.ops.aten
EPS, MOMENTUM = 1e-5, 0.1  # defaults of `skd.ops.batch_norm2d`
SLOPE = 0.1  # default of `skd.ops.leaky_relu`
TEMPERATURE = 4.0  # default of `skd.losses.distill_kl`


def faster(case: Case) -> tuple[Run, str]:
    """Return one run in the layout in which PyTorch is faster, and that layout."""
    runs = {layout: _run(case, layout) for layout in LAYOUTS}
    layout = fastest(runs)
    return runs[layout], layout


def _run(case: Case, layout: str) -> Run:
    arguments = {name: _converted(value, name, layout) for name, value in case.arguments().items()}
    return RUNS[case.function](**arguments)


def _converted(value: Any, name: str, layout: str) -> Any:
    """Return arrays as tensors, images of them as NCHW in a layout."""
    if not isinstance(value, np.ndarray):
        return value
    tensor = torch.from_numpy(value)
    if value.ndim < 4 or name in ("parameter", "d_parameter", "velocity"):
        return tensor
    order = tensor if name == "weight" else tensor.permute(0, 3, 1, 2)
    return order.contiguous(memory_format=LAYOUTS[layout])


def converted_back(case: Case, returned: Any) -> tuple[NDArray[np.float32], ...]:
    """Return results as SKD does: the first one, if it is of images, as NHWC."""
    values = list(returned) if isinstance(returned, tuple) else [returned]
    has_images = case.function not in ("ops.sgd_step", "ops.dropout_mask", "ops.drop_block_corners")
    if has_images and values[0].ndim == 4:
        values[0] = values[0].permute(0, 2, 3, 1)
    return tuple(value.detach().numpy() for value in values)


def _conv2d(x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Run:
    return lambda: functional.conv2d(x, weight, bias, stride, padding)


def _conv2d_backward(x: Tensor, weight: Tensor, d_output: Tensor, stride: int, padding: int) -> Run:
    sizes = [len(weight)], [stride] * 2, [padding] * 2, [1, 1]
    return lambda: aten.convolution_backward(
        d_output, x, weight, *sizes, False, [0, 0], 1, [True] * 3
    )


def _linear(x: Tensor, weight: Tensor, bias: Tensor) -> Run:
    return lambda: functional.linear(x, weight, bias)


def _linear_backward(x: Tensor, weight: Tensor, d_output: Tensor) -> Run:
    return lambda: (d_output @ weight, d_output.T @ x, d_output.sum(0))


def _batch_norm2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    training: bool,
) -> Run:
    def run() -> object:
        mean, var = running_mean.clone(), running_var.clone()
        statistics = (mean, var, training, MOMENTUM, EPS)
        output, *used = torch.native_batch_norm(x, weight, bias, *statistics)
        return (output, *used, mean, var) if training else output

    return run


def _batch_norm2d_backward(
    x: Tensor, weight: Tensor, mean: Tensor, inverse_std: Tensor, d_output: Tensor, training: bool
) -> Run:
    var = inverse_std**-2 - EPS
    statistics = (mean, var, mean, inverse_std, training, EPS, [True] * 3)
    return lambda: aten.native_batch_norm_backward(d_output, x, weight, *statistics)


def _relu(x: Tensor) -> Run:
    return lambda: torch.relu(x)


def _relu_backward(x: Tensor, d_output: Tensor) -> Run:
    return lambda: aten.threshold_backward(d_output, x, 0)


def _leaky_relu(x: Tensor) -> Run:
    return lambda: functional.leaky_relu(x, SLOPE)


def _leaky_relu_backward(x: Tensor, d_output: Tensor) -> Run:
    return lambda: aten.leaky_relu_backward(d_output, x, SLOPE, False)


def _max_pool2d(x: Tensor) -> Run:
    return lambda: functional.max_pool2d(x, 2)


def _max_pool2d_backward(x: Tensor, d_output: Tensor) -> Run:
    indices = functional.max_pool2d(x, 2, return_indices=True)[1]
    window = [2, 2], [2, 2], [0, 0], [1, 1], False
    return lambda: aten.max_pool2d_with_indices_backward(d_output, x, *window, indices)


def _global_average_pool(x: Tensor) -> Run:
    return lambda: x.mean((2, 3))


def _global_average_pool_backward(d_output: Tensor, height: int, width: int) -> Run:
    extents = (*d_output.shape, height, width)
    return lambda: d_output[:, :, None, None].expand(extents) / (height * width)


def _gated(x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
    hidden = torch.relu(functional.linear(x.mean((2, 3)), weight1, bias1))
    return x * torch.sigmoid(functional.linear(hidden, weight2, bias2))[:, :, None, None]


def _squeeze_excitation(**arguments: Tensor) -> Run:
    return lambda: _gated(**arguments)


def _squeeze_excitation_backward(d_output: Tensor, **arguments: Tensor) -> Run:
    inputs = [value.requires_grad_() for value in arguments.values()]
    with torch.enable_grad():
        output = _gated(*inputs)
    return lambda: torch.autograd.grad(output, inputs, d_output, retain_graph=True)


def _dropout_mask(shape: Sequence[int], rate: float, seed: int) -> Run:
    return lambda: torch.empty(shape, dtype=torch.uint8).bernoulli_(1 - rate)


def _dropout(x: Tensor, kept: Tensor, rate: float) -> Run:
    mask, scale = kept.bool(), 1 / (1 - rate)
    return lambda: aten.native_dropout_backward(x, mask, scale)


def _dropout_backward(d_output: Tensor, kept: Tensor, rate: float) -> Run:
    return _dropout(d_output, kept, rate)


def _drop_block_corners(shape: Sequence[int], block_size: int, gamma: float, seed: int) -> Run:
    batch, height, width, channels = shape
    places = (batch, height - block_size + 1, width - block_size + 1, channels)
    return lambda: torch.empty(places, dtype=torch.uint8).bernoulli_(gamma)


def _drop_block(x: Tensor, corners: Tensor, block_size: int) -> Run:
    seeds = corners.float()
    return lambda: skd_torch.dropblock_apply(x, skd_torch.dropblock_keep_mask(seeds, block_size))


def _drop_block_backward(d_output: Tensor, corners: Tensor, block_size: int) -> Run:
    kept = skd_torch.dropblock_keep_mask(corners.float(), block_size)
    scale = kept.numel() / kept.sum()
    return lambda: kept * d_output * scale


def _rotate(images: Tensor, quarter_turns: int) -> Run:
    return lambda: torch.rot90(images, quarter_turns, (2, 3))


def _sgd_step(parameter: Tensor, d_parameter: Tensor, velocity: Tensor) -> Run:
    rule = skd.SGD()

    def run() -> object:
        gradient = torch.add(d_parameter, parameter, alpha=rule.weight_decay)
        new_velocity = torch.add(gradient, velocity, alpha=rule.momentum)
        return torch.add(parameter, new_velocity, alpha=-rule.lr), new_velocity

    return run


def _loss(compute: Callable[..., Tensor], *variables: Tensor) -> Run:
    """Return what computes a loss and the gradients of its variables by autograd."""
    for variable in variables:
        variable.requires_grad_()

    def run() -> object:
        with torch.enable_grad():
            loss = compute(*variables)
            return loss, *torch.autograd.grad(loss, variables)

    return run


def _cross_entropy(logits: Tensor, labels: Tensor) -> Run:
    return _loss(lambda scores: functional.cross_entropy(scores, labels), logits)


def _rotation_bce(logits: Tensor, labels: Tensor) -> Run:
    def compute(scores: Tensor) -> Tensor:
        targets = functional.one_hot(labels, scores.shape[1]).to(scores)
        return functional.binary_cross_entropy_with_logits(scores, targets)

    return _loss(compute, logits)


def _distill_kl(student: Tensor, teacher: Tensor) -> Run:
    return _loss(lambda scores: skd_torch.distill_kl(scores, teacher, TEMPERATURE), student)


def _twin_l2(rotated: Tensor, upright: Tensor) -> Run:
    return _loss(skd_torch.twin_l2, rotated, upright)


RUNS: dict[str, Callable[..., Run]] = {
    "ops.conv2d": _conv2d,
    "ops.conv2d_backward": _conv2d_backward,
    "ops.linear": _linear,
    "ops.linear_backward": _linear_backward,
    "ops.batch_norm2d, training": _batch_norm2d,
    "ops.batch_norm2d, evaluation": _batch_norm2d,
    "ops.batch_norm2d_backward, training": _batch_norm2d_backward,
    "ops.batch_norm2d_backward, evaluation": _batch_norm2d_backward,
    "ops.relu": _relu,
    "ops.relu_backward": _relu_backward,
    "ops.leaky_relu": _leaky_relu,
    "ops.leaky_relu_backward": _leaky_relu_backward,
    "ops.max_pool2d": _max_pool2d,
    "ops.max_pool2d_backward": _max_pool2d_backward,
    "ops.global_average_pool": _global_average_pool,
    "ops.global_average_pool_backward": _global_average_pool_backward,
    "ops.squeeze_excitation": _squeeze_excitation,
    "ops.squeeze_excitation_backward": _squeeze_excitation_backward,
    "ops.dropout_mask": _dropout_mask,
    "ops.dropout": _dropout,
    "ops.dropout_backward": _dropout_backward,
    "ops.drop_block_corners": _drop_block_corners,
    "ops.drop_block": _drop_block,
    "ops.drop_block_backward": _drop_block_backward,
    "ops.rotate": _rotate,
    "ops.sgd_step": _sgd_step,
    "losses.cross_entropy": _cross_entropy,
    "losses.rotation_bce": _rotation_bce,
    "losses.distill_kl": _distill_kl,
    "losses.twin_l2": _twin_l2,
}
