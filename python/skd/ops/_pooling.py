"""Poolings."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._memory import new_array

FloatArray = NDArray[np.float32]


def max_pool2d(x: ArrayLike) -> FloatArray:
    """Take the maximum of each 2x2 square; an odd last row or column is ignored.

    Parameters
    ----------
    x : array-like of shape (batch, height, width, channels), dtype float32
        Images in NHWC order, at least 2 pixels high and wide.

    Returns
    -------
    output : ndarray of shape (batch, height // 2, width // 2, channels), dtype float32
        A new array.

    Examples
    --------
    >>> max_pool2d(np.arange(4).reshape(1, 2, 2, 1)).ravel()
    array([3.], dtype=float32)
    """
    images = _poolable(x, "max_pool2d")
    batch, height, width, channels = images.shape
    output = np.empty((batch, height // 2, width // 2, channels), dtype=np.float32)
    _native.max_pool2d(images, output)
    return output


def max_pool2d_backward(x: ArrayLike, d_output: ArrayLike) -> FloatArray:
    """Compute the gradient of `max_pool2d`; ties go to the first maximum in row-major order.

    Parameters
    ----------
    x : array-like of shape (batch, height, width, channels), dtype float32
        Input of the forward pass.
    d_output : array-like of the output's shape, dtype float32
        Gradient of the output.

    Returns
    -------
    d_x : ndarray of the input's shape, dtype float32
        Gradient of the input.

    Examples
    --------
    >>> max_pool2d_backward(np.ones((1, 2, 2, 1)), np.ones((1, 1, 1, 1))).ravel()
    array([1., 0., 0., 0.], dtype=float32)
    """
    images = _poolable(x, "max_pool2d_backward")
    upstream = check.float_array(d_output, "d_output", "max_pool2d_backward", ndim=4)
    d_x = np.empty_like(images)
    _native.max_pool2d_backward(images, upstream, d_x)
    return d_x


def global_average_pool(x: ArrayLike) -> FloatArray:
    """Average each channel over all positions.

    Parameters
    ----------
    x : array-like of shape (batch, height, width, channels), dtype float32
        Images in NHWC order.

    Returns
    -------
    output : ndarray of shape (batch, channels), dtype float32
        A new array.

    Examples
    --------
    >>> global_average_pool(np.arange(4).reshape(1, 2, 2, 1))
    array([[1.5]], dtype=float32)
    """
    images = check.float_array(x, "x", "global_average_pool", ndim=4)
    output = np.empty((images.shape[0], images.shape[3]), dtype=np.float32)
    _native.global_average_pool(images, output)
    return output


def global_average_pool_backward(d_output: ArrayLike, *, height: int, width: int) -> FloatArray:
    """Compute the gradient of `global_average_pool`.

    Parameters
    ----------
    d_output : array-like of shape (batch, channels), dtype float32
        Gradient of the output.
    height, width : int
        Extent of the images.

    Returns
    -------
    d_x : ndarray of shape (batch, height, width, channels), dtype float32
        Gradient of the input.

    Examples
    --------
    >>> global_average_pool_backward([[1.0]], height=2, width=2).ravel()
    array([0.25, 0.25, 0.25, 0.25], dtype=float32)
    """
    owner = "global_average_pool_backward"
    upstream = check.float_array(d_output, "d_output", owner, ndim=2)
    batch, channels = upstream.shape
    rows = check.integer(height, "height", owner, minimum=1, maximum=4096)
    columns = check.integer(width, "width", owner, minimum=1, maximum=4096)
    d_x: FloatArray = new_array(
        (batch, rows, columns, channels), np.float32, owner, "height' and 'width"
    )
    _native.global_average_pool_backward(upstream, d_x)
    return d_x


def _poolable(x: ArrayLike, owner: str) -> FloatArray:
    images = check.float_array(x, "x", owner, ndim=4)
    if min(images.shape[1:3]) < 2:
        check.refuse("x", owner, "at least 2 pixels high and wide", f"shape {images.shape}")
    return images
