"""Rectifiers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check


def leaky_relu(x: ArrayLike, *, slope: float = 0.1) -> NDArray[np.float32]:
    """Compute the leaky rectifier, ``x if x > 0 else slope * x``.

    Parameters
    ----------
    x : array-like of any shape, dtype float32
        Input.
    slope : float, default=0.1
        Slope for negative values.

    Returns
    -------
    output : ndarray of the same shape, dtype float32
        A new array.

    Examples
    --------
    >>> leaky_relu([-1.0, 2.0])
    array([-0.1,  2. ], dtype=float32)
    """
    return _forward(x, _slope(slope, "leaky_relu"), "leaky_relu")


def leaky_relu_backward(
    x: ArrayLike, d_output: ArrayLike, *, slope: float = 0.1
) -> NDArray[np.float32]:
    """Compute the gradient of `leaky_relu`; it is `slope` at 0.

    Parameters
    ----------
    x : array-like of any shape, dtype float32
        Input of the forward pass.
    d_output : array-like of the same shape, dtype float32
        Gradient of the output.
    slope : float, default=0.1
        Slope for negative values.

    Returns
    -------
    d_x : ndarray of the same shape, dtype float32
        Gradient of the input.

    Examples
    --------
    >>> leaky_relu_backward([-1.0, 2.0], [1.0, 1.0])
    array([0.1, 1. ], dtype=float32)
    """
    owner = "leaky_relu_backward"
    return _backward(x, d_output, _slope(slope, owner), owner)


def relu(x: ArrayLike) -> NDArray[np.float32]:
    """Compute the rectifier, ``max(x, 0)``.

    Parameters
    ----------
    x : array-like of any shape, dtype float32
        Input.

    Returns
    -------
    output : ndarray of the same shape, dtype float32
        A new array.

    Examples
    --------
    >>> relu([1.0, 2.0])
    array([1., 2.], dtype=float32)
    """
    return _forward(x, 0.0, "relu")


def relu_backward(x: ArrayLike, d_output: ArrayLike) -> NDArray[np.float32]:
    """Compute the gradient of `relu`; it is 0 at 0.

    Parameters
    ----------
    x : array-like of any shape, dtype float32
        Input of the forward pass.
    d_output : array-like of the same shape, dtype float32
        Gradient of the output.

    Returns
    -------
    d_x : ndarray of the same shape, dtype float32
        Gradient of the input.

    Examples
    --------
    >>> relu_backward([1.0, 2.0], [3.0, 4.0])
    array([3., 4.], dtype=float32)
    """
    return _backward(x, d_output, 0.0, "relu_backward")


def _forward(x: ArrayLike, slope: float, owner: str) -> NDArray[np.float32]:
    values = check.float_array(x, "x", owner)
    output = np.empty_like(values)
    _native.leaky_relu(values, slope, output)
    return output


def _backward(x: ArrayLike, d_output: ArrayLike, slope: float, owner: str) -> NDArray[np.float32]:
    values = check.float_array(x, "x", owner)
    upstream = check.float_array(d_output, "d_output", owner)
    check.require_shape(upstream, values.shape, "d_output", owner, by="x")
    d_x = np.empty_like(values)
    _native.leaky_relu_backward(values, upstream, slope, d_x)
    return d_x


def _slope(slope: float, owner: str) -> float:
    return check.float32(slope, "slope", owner, minimum=-math.inf)
