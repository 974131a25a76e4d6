"""Squeeze and excitation: a gate for each channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check

FloatArray = NDArray[np.float32]


def squeeze_excitation(
    x: ArrayLike, weight1: ArrayLike, bias1: ArrayLike, weight2: ArrayLike, bias2: ArrayLike
) -> FloatArray:
    """Scale each channel by ``sigmoid(weight2 @ relu(weight1 @ mean + bias1) + bias2)``.

    Parameters
    ----------
    x : array-like of shape (batch, height, width, channels), dtype float32
        Images in NHWC order; ``mean`` is the mean over the positions.
    weight1 : array-like of shape (hidden, channels), dtype float32
        Weights of the first linear map.
    bias1 : array-like of shape (hidden,), dtype float32
        Bias of the first linear map.
    weight2 : array-like of shape (channels, hidden), dtype float32
        Weights of the second linear map.
    bias2 : array-like of shape (channels,), dtype float32
        Bias of the second linear map.

    Returns
    -------
    output : ndarray of the same shape as `x`, dtype float32
        A new array.

    Examples
    --------
    >>> squeeze_excitation(np.ones((1, 1, 1, 1)), [[1]], [0], [[0]], [0]).ravel()
    array([0.5], dtype=float32)
    """
    images, gate = _arguments(x, weight1, bias1, weight2, bias2, "squeeze_excitation")
    output = np.empty_like(images)
    _native.squeeze_excitation(images, *gate, output)
    return output


def squeeze_excitation_backward(
    x: ArrayLike,
    weight1: ArrayLike,
    bias1: ArrayLike,
    weight2: ArrayLike,
    bias2: ArrayLike,
    d_output: ArrayLike,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Compute the gradients of `squeeze_excitation`.

    Parameters
    ----------
    x, weight1, bias1, weight2, bias2 : array-like, dtype float32
        Inputs of the forward pass.
    d_output : array-like of the output's shape, dtype float32
        Gradient of the output.

    Returns
    -------
    d_x, d_weight1, d_bias1, d_weight2, d_bias2 : ndarray, dtype float32
        Gradients of the inputs.

    Examples
    --------
    >>> x = d_output = np.ones((1, 1, 1, 1))
    >>> squeeze_excitation_backward(x, [[1]], [0], [[0]], [0], d_output)[4]
    array([0.25], dtype=float32)
    """
    owner = "squeeze_excitation_backward"
    images, gate = _arguments(x, weight1, bias1, weight2, bias2, owner)
    upstream = check.float_array(d_output, "d_output", owner, ndim=4)
    d_x = np.empty_like(images)
    d_weight1, d_bias1, d_weight2, d_bias2 = (np.empty_like(array) for array in gate)
    _native.squeeze_excitation_backward(
        images, *gate, upstream, d_x, d_weight1, d_bias1, d_weight2, d_bias2
    )
    return d_x, d_weight1, d_bias1, d_weight2, d_bias2


def _arguments(
    x: ArrayLike,
    weight1: ArrayLike,
    bias1: ArrayLike,
    weight2: ArrayLike,
    bias2: ArrayLike,
    owner: str,
) -> tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Return the images and the four arrays of the gate."""
    images = check.float_array(x, "x", owner, ndim=4)
    return images, (
        check.float_array(weight1, "weight1", owner, ndim=2),
        check.float_array(bias1, "bias1", owner, ndim=1),
        check.float_array(weight2, "weight2", owner, ndim=2),
        check.float_array(bias2, "bias2", owner, ndim=1),
    )
