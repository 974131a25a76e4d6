"""Dropout and DropBlock: masks are drawn from a seed, then applied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._memory import new_array
from skd._refusals.native import refused_as

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]


def dropout_mask(shape: Sequence[int], *, rate: float, seed: int, step: int = 0) -> ByteArray:
    """Draw the mask of `dropout`.

    Parameters
    ----------
    shape : sequence of int
        Shape of the mask.
    rate : float
        Probability that an entry is dropped, in [0, 1).
    seed, step : int
        Seed and step, which determine the mask.

    Returns
    -------
    kept : ndarray of shape `shape`, dtype uint8
        Mask: 1 where an entry is kept, otherwise 0.

    Examples
    --------
    >>> dropout_mask((2, 3), rate=0.0, seed=0)
    array([[1, 1, 1],
           [1, 1, 1]], dtype=uint8)
    """
    owner = "dropout_mask"
    extents = check.integers(shape, "shape", owner)
    probability = check.float32(rate, "rate", owner, maximum=1, open_maximum=True)
    key, number = check.seed(seed, owner), check.integer(step, "step", owner)
    kept: NDArray[np.uint8] = new_array(tuple(extents), np.uint8, owner, "shape")
    _native.dropout_mask(probability, key, number, kept)
    return kept


def dropout(x: ArrayLike, kept: ArrayLike, *, rate: float) -> FloatArray:
    """Drop entries and scale the rest by ``1 / (1 - rate)``.

    Parameters
    ----------
    x : array-like of any shape, dtype float32
        Input.
    kept : array-like of the same shape, dtype uint8
        Mask: 1 where an entry is kept, otherwise 0; see `dropout_mask`.
    rate : float
        Probability with which the mask was drawn.

    Returns
    -------
    output : ndarray of the same shape, dtype float32
        ``x / (1 - rate)`` where entries are kept, otherwise 0.

    Examples
    --------
    >>> dropout([1.0, 2.0], [1, 0], rate=0.5)
    array([2., 0.], dtype=float32)
    """
    return _dropout(x, kept, rate, "x", "dropout")


def dropout_backward(d_output: ArrayLike, kept: ArrayLike, *, rate: float) -> FloatArray:
    """Compute the gradient of `dropout`.

    Parameters
    ----------
    d_output : array-like of any shape, dtype float32
        Gradient of the output.
    kept : array-like of the same shape, dtype uint8
        Mask of the forward pass.
    rate : float
        As in the forward pass.

    Returns
    -------
    d_x : ndarray of the same shape, dtype float32
        Gradient of the input.

    Examples
    --------
    >>> dropout_backward([1.0, 2.0], [1, 0], rate=0.5)
    array([2., 0.], dtype=float32)
    """
    return _dropout(d_output, kept, rate, "d_output", "dropout_backward")


def drop_block_gamma(*, block_size: int, side: int, step: int, rate: float = 0.1) -> float:
    """Return the probability that a position is the corner of a dropped square.

    Parameters
    ----------
    block_size : int
        Side of a square, in pixels.
    side : int
        Side of the images, in pixels.
    step : int
        Number of training steps so far; the probability rises linearly over the first 40,000.
    rate : float, default=0.1
        Fraction of the image that is dropped after the rise.

    Returns
    -------
    gamma : float
        ``(1 - keep) / block_size**2 * side**2 / (side - block_size + 1)**2`` with
        ``keep = max(1 - rate * step / 40000, 1 - rate)``.

    Examples
    --------
    >>> round(drop_block_gamma(block_size=1, side=8, step=40000), 6)
    0.1
    """
    owner = "drop_block_gamma"
    return _native.drop_block_gamma(
        check.number(rate, "rate", owner, maximum=1, open_maximum=True),
        check.integer(block_size, "block_size", owner, minimum=1),
        check.integer(side, "side", owner, minimum=1),
        check.integer(step, "step", owner),
    )


def drop_block_corners(
    shape: Sequence[int], *, block_size: int, gamma: float, seed: int, step: int = 0
) -> ByteArray:
    """Draw the corners of the squares that `drop_block` drops.

    Parameters
    ----------
    shape : sequence of 4 int
        Batch, height, width and channels of the images.
    block_size : int
        Side of a square, in pixels; at most the height and the width.
    gamma : float
        Probability of a corner, in [0, 1]; see `drop_block_gamma`.
    seed, step : int
        Seed and step, which determine the corners.

    Returns
    -------
    corners : ndarray of dtype uint8
        Corners, 1 where there is one, of shape
        (batch, height - block_size + 1, width - block_size + 1, channels).

    Examples
    --------
    >>> drop_block_corners((1, 4, 4, 2), block_size=2, gamma=0.0, seed=0).shape
    (1, 3, 3, 2)
    """
    owner = "drop_block_corners"
    extents = check.integers(shape, "shape", owner)
    if len(extents) != 4 or min(extents[1:]) < 1:
        check.refuse("shape", owner, "(batch, height, width, channels)", tuple(extents))
    batch, height, width, channels = extents
    size = check.integer(block_size, "block_size", owner, minimum=1, maximum=min(height, width))
    probability = check.number(gamma, "gamma", owner, maximum=1)
    key, number = check.seed(seed, owner), check.integer(step, "step", owner)
    places = (batch, height - size + 1, width - size + 1, channels)
    corners: NDArray[np.uint8] = new_array(places, np.uint8, owner, "shape")
    _native.drop_block_corners(size, probability, key, number, corners)
    return corners


def drop_block(x: ArrayLike, corners: ArrayLike, *, block_size: int) -> tuple[FloatArray, float]:
    """Drop the squares below and right of their corners and scale the rest.

    Parameters
    ----------
    x : array-like of shape (batch, height, width, channels), dtype float32
        Images in NHWC order.
    corners : array-like of dtype uint8
        Corners of `drop_block_corners`.
    block_size : int
        Side of a square, in pixels.

    Returns
    -------
    output : ndarray of the same shape, dtype float32
        Output: 0 in the squares, ``x * scale`` elsewhere.
    scale : float
        Number of entries divided by the number of kept entries; undefined if none is kept.

    Examples
    --------
    >>> output, scale = drop_block(np.ones((1, 2, 2, 1)), np.ones((1, 2, 2, 1)), block_size=1)
    >>> output.ravel()
    array([0., 0., 0., 0.], dtype=float32)
    """
    return _drop_block(x, corners, block_size, "x", "drop_block")


def drop_block_backward(d_output: ArrayLike, corners: ArrayLike, *, block_size: int) -> FloatArray:
    """Compute the gradient of `drop_block`; the scale is treated as a constant.

    Parameters
    ----------
    d_output : array-like of shape (batch, height, width, channels), dtype float32
        Gradient of the output.
    corners : array-like of dtype uint8
        As in the forward pass.
    block_size : int
        As in the forward pass.

    Returns
    -------
    d_x : ndarray of the same shape, dtype float32
        Gradient of the input.

    Examples
    --------
    >>> drop_block_backward(np.ones((1, 1, 2, 1)), [[[[1], [0]]]], block_size=1).ravel()
    array([0., 2.], dtype=float32)
    """
    return _drop_block(d_output, corners, block_size, "d_output", "drop_block_backward")[0]


def _dropout(x: ArrayLike, kept: ArrayLike, rate: float, name: str, owner: str) -> FloatArray:
    values = check.float_array(x, name, owner)
    mask = check.mask(kept, "kept", owner)
    check.require_shape(mask, values.shape, "kept", owner, by=name)
    probability = check.float32(rate, "rate", owner, maximum=1, open_maximum=True)
    output = np.empty_like(values)
    with refused_as(owner, x=name):
        _native.dropout(values, mask, probability, output)
    return output


def _drop_block(
    x: ArrayLike, corners: ArrayLike, block_size: int, name: str, owner: str
) -> tuple[FloatArray, float]:
    images = check.float_array(x, name, owner, ndim=4)
    squares = check.mask(corners, "corners", owner, ndim=4)
    side = min(images.shape[1:3])
    size = check.integer(block_size, "block_size", owner, minimum=1)
    if size > side:
        check.refuse("block_size", owner, f"in 1..{side} for this '{name}'", size)
    height, width = (extent - size + 1 for extent in images.shape[1:3])
    shape = (len(images), height, width, images.shape[3])
    check.require_shape(squares, shape, "corners", owner, by=f"{name}' and 'block_size")
    output = np.empty_like(images)
    with refused_as(owner, x=name):
        return output, _native.drop_block(images, squares, size, output)
