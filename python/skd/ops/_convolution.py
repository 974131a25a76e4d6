"""Convolution and the linear map."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._memory import new_array

FloatArray = NDArray[np.float32]


def conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int = 1,
    padding: int = 0,
) -> FloatArray:
    """Convolve images with square kernels.

    Parameters
    ----------
    x : array-like of shape (batch, height, width, input_channels), dtype float32
        Images in NHWC order.
    weight : array-like of shape (output_channels, input_channels, size, size), dtype float32
        Kernels in PyTorch's order; size in 1..11.
    bias : array-like of shape (output_channels,), dtype float32, optional
        Bias of each output channel.
    stride : {1, 2}, default=1
        Step of the kernel.
    padding : int, default=0
        Zeros on each side, in ``0..size - 1``.

    Returns
    -------
    output : ndarray of shape (batch, output_height, output_width, output_channels), dtype float32
        Output with ``output_height = (height + 2 * padding - size) // stride + 1``; the width
        likewise.

    Examples
    --------
    >>> conv2d(np.ones((1, 3, 3, 1)), np.ones((1, 1, 3, 3)), padding=1)[0, :, :, 0]
    array([[4., 6., 4.],
           [6., 9., 6.],
           [4., 6., 4.]], dtype=float32)
    """
    images = check.float_array(x, "x", "conv2d", ndim=4)
    kernels = check.float_array(weight, "weight", "conv2d", ndim=4)
    offset = None if bias is None else check.float_array(bias, "bias", "conv2d", ndim=1)
    step, zeros = _geometry(images, kernels, stride, padding, "conv2d")
    size = kernels.shape[2]
    height, width = ((side + 2 * zeros - size) // step + 1 for side in images.shape[1:3])
    shape = (len(images), height, width, len(kernels))
    output: FloatArray = new_array(shape, np.float32, "conv2d", "weight")
    _native.conv2d(images, kernels, offset, step, zeros, output)
    return output


def conv2d_backward(
    x: ArrayLike, weight: ArrayLike, d_output: ArrayLike, *, stride: int = 1, padding: int = 0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compute the gradients of `conv2d`.

    Parameters
    ----------
    x, weight : array-like, dtype float32
        Inputs of the forward pass.
    d_output : array-like of the output's shape, dtype float32
        Gradient of the output.
    stride, padding : int
        As in the forward pass.

    Returns
    -------
    d_x, d_weight, d_bias : ndarray, dtype float32
        Gradients of the images, the kernels and the bias.

    Examples
    --------
    >>> x, weight, d_output = np.ones((1, 2, 2, 1)), np.ones((1, 1, 1, 1)), np.ones((1, 2, 2, 1))
    >>> conv2d_backward(x, weight, d_output)[2]
    array([4.], dtype=float32)
    """
    owner = "conv2d_backward"
    images = check.float_array(x, "x", owner, ndim=4)
    kernels = check.float_array(weight, "weight", owner, ndim=4)
    upstream = check.float_array(d_output, "d_output", owner, ndim=4)
    step, zeros = _geometry(images, kernels, stride, padding, owner)
    d_x, d_weight = np.empty_like(images), np.empty_like(kernels)
    d_bias = np.empty(len(kernels), dtype=np.float32)
    _native.conv2d_backward(images, kernels, upstream, step, zeros, d_x, d_weight, d_bias)
    return d_x, d_weight, d_bias


def linear(x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> FloatArray:
    """Compute ``x @ weight.T + bias``.

    Parameters
    ----------
    x : array-like of shape (n_rows, n_inputs), dtype float32
        Input.
    weight : array-like of shape (n_outputs, n_inputs), dtype float32
        Weights in PyTorch's order.
    bias : array-like of shape (n_outputs,), dtype float32, optional
        Bias that is added to each row.

    Returns
    -------
    output : ndarray of shape (n_rows, n_outputs), dtype float32
        A new array.

    Examples
    --------
    >>> linear([[1.0, 2.0]], [[3.0, 4.0]], [0.5])
    array([[11.5]], dtype=float32)
    """
    rows = check.float_array(x, "x", "linear", ndim=2)
    weights = check.float_array(weight, "weight", "linear", ndim=2)
    offset = None if bias is None else check.float_array(bias, "bias", "linear", ndim=1)
    shape = (len(rows), len(weights))
    output: FloatArray = new_array(shape, np.float32, "linear", "weight")
    _native.linear(rows, weights, offset, output)
    return output


def linear_backward(
    x: ArrayLike, weight: ArrayLike, d_output: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compute the gradients of `linear`.

    Parameters
    ----------
    x, weight : array-like, dtype float32
        Inputs of the forward pass.
    d_output : array-like of shape (n_rows, n_outputs), dtype float32
        Gradient of the output.

    Returns
    -------
    d_x, d_weight, d_bias : ndarray, dtype float32
        Gradients of the input, the weights and the bias.

    Examples
    --------
    >>> linear_backward([[1.0, 2.0]], [[3.0, 4.0]], [[1.0]])[0]
    array([[3., 4.]], dtype=float32)
    """
    rows = check.float_array(x, "x", "linear_backward", ndim=2)
    weights = check.float_array(weight, "weight", "linear_backward", ndim=2)
    upstream = check.float_array(d_output, "d_output", "linear_backward", ndim=2)
    d_x, d_weight = np.empty_like(rows), np.empty_like(weights)
    d_bias = np.empty(len(weights), dtype=np.float32)
    _native.linear_backward(rows, weights, upstream, d_x, d_weight, d_bias)
    return d_x, d_weight, d_bias


def _geometry(
    images: FloatArray, kernels: FloatArray, stride: int, padding: int, owner: str
) -> tuple[int, int]:
    """Return stride and padding, if the kernels fit the images."""
    step = check.integer(stride, "stride", owner, minimum=1, maximum=2)
    size = kernels.shape[2]
    if kernels.shape[3] != size or not 1 <= size <= 11:
        check.refuse("weight", owner, "square and of size 1..11", f"shape {kernels.shape}")
    zeros = check.integer(padding, "padding", owner, maximum=size - 1)
    if min(images.shape[1:3]) + 2 * zeros < size:
        legal = f"at least {size - 2 * zeros} pixels high and wide"
        check.refuse("x", owner, legal, f"shape {images.shape}")
    return step, zeros
