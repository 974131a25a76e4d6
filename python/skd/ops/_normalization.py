"""Batch normalisation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check

FloatArray = NDArray[np.float32]


class BatchNorm(NamedTuple):
    """Result of `batch_norm2d`.

    Attributes
    ----------
    output : ndarray of the input's shape, dtype float32
        Normalised images.
    mean, inverse_std : ndarray of shape (channels,), dtype float32
        Statistics that were used: those of the batch in training, otherwise the running ones.
    running_mean, running_var : ndarray of shape (channels,), dtype float32
        Running statistics after the call.
    """

    output: FloatArray
    mean: FloatArray
    inverse_std: FloatArray
    running_mean: FloatArray
    running_var: FloatArray


def batch_norm2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    *,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> BatchNorm:
    """Normalise each channel: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    Parameters
    ----------
    x : array-like of shape (batch, height, width, channels), dtype float32
        Images in NHWC order.
    weight, bias : array-like of shape (channels,), dtype float32
        Scale and offset.
    running_mean, running_var : array-like of shape (channels,), dtype float32
        Running statistics; not modified.
    training : bool, default=False
        Normalise with the statistics of the batch, and update the running ones:
        ``(1 - momentum) * running + momentum * batch``, with the unbiased variance.
    momentum : float, default=0.1
        Momentum, in [0, 1].
    eps : float, default=1e-5
        Number that is added to the variance, > 0.

    Returns
    -------
    result : BatchNorm
        Output, statistics that were used, and new running statistics.

    Examples
    --------
    >>> x = np.array([0.0, 2.0]).reshape(1, 1, 2, 1)
    >>> batch_norm2d(x, [1], [0], [0], [1], training=True, eps=1e-12).output.ravel()
    array([-1.,  1.], dtype=float32)
    """
    owner = "batch_norm2d"
    is_training = check.boolean(training, "training", owner)
    images = check.float_array(x, "x", owner, ndim=4)
    scale = check.float_array(weight, "weight", owner, ndim=1)
    offset = check.float_array(bias, "bias", owner, ndim=1)
    new_mean = check.float_array(running_mean, "running_mean", owner, ndim=1).copy()
    new_var = check.float_array(running_var, "running_var", owner, ndim=1).copy()
    epsilon = check.float32(eps, "eps", owner, open_minimum=True)
    rate = check.float32(momentum, "momentum", owner, maximum=1)
    output = np.empty_like(images)
    if is_training:
        mean, inverse_std = np.empty_like(new_mean), np.empty_like(new_mean)
        _native.batch_norm2d_train(
            images, scale, offset, epsilon, rate, new_mean, new_var, output, mean, inverse_std
        )
        return BatchNorm(output, mean, inverse_std, new_mean, new_var)
    _native.batch_norm2d_eval(images, scale, offset, epsilon, new_mean, new_var, output)
    inverse_std = (1 / np.sqrt(new_var.astype(np.float64) + epsilon)).astype(np.float32)
    return BatchNorm(output, new_mean, inverse_std, new_mean, new_var)


def batch_norm2d_backward(
    x: ArrayLike,
    weight: ArrayLike,
    mean: ArrayLike,
    inverse_std: ArrayLike,
    d_output: ArrayLike,
    *,
    training: bool = False,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compute the gradients of `batch_norm2d`.

    Parameters
    ----------
    x, weight : array-like, dtype float32
        Inputs of the forward pass.
    mean, inverse_std : array-like of shape (channels,), dtype float32
        Statistics that the forward pass returned.
    d_output : array-like of the output's shape, dtype float32
        Gradient of the output.
    training : bool, default=False
        As in the forward pass.

    Returns
    -------
    d_x, d_weight, d_bias : ndarray, dtype float32
        Gradients of the images, the scale and the offset.

    Examples
    --------
    >>> x, d_output = np.zeros((1, 2, 1, 1)), np.ones((1, 2, 1, 1))
    >>> batch_norm2d_backward(x, [3], [0], [1], d_output)[0].ravel()
    array([3., 3.], dtype=float32)
    """
    owner = "batch_norm2d_backward"
    is_training = check.boolean(training, "training", owner)
    images = check.float_array(x, "x", owner, ndim=4)
    scale = check.float_array(weight, "weight", owner, ndim=1)
    centre = check.float_array(mean, "mean", owner, ndim=1)
    spread = check.float_array(inverse_std, "inverse_std", owner, ndim=1)
    upstream = check.float_array(d_output, "d_output", owner, ndim=4)
    d_x, d_weight, d_bias = np.empty_like(images), np.empty_like(scale), np.empty_like(scale)
    _native.batch_norm2d_backward(
        images, upstream, scale, centre, spread, is_training, d_x, d_weight, d_bias
    )
    return d_x, d_weight, d_bias
