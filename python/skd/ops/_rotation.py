"""Rotation by quarter turns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check


def rotate(images: ArrayLike, quarter_turns: int) -> NDArray[np.float32]:
    """Rotate a batch of square images counter-clockwise by multiples of 90 degrees.

    The rotation index is the label that the self-supervised head of Generation 0 learns to
    predict [1]_.

    Parameters
    ----------
    images : array-like of shape (batch, side, side, channels), dtype float32
        Images in NHWC order.
    quarter_turns : {0, 1, 2, 3}
        Rotation in units of 90 degrees.

    Returns
    -------
    rotated : ndarray of the same shape, dtype float32
        A new array, equal to ``np.rot90(images, quarter_turns, axes=(1, 2))``.

    References
    ----------
    .. [1] J. Rajasegaran et al., "Self-supervised Knowledge Distillation for Few-shot Learning",
       arXiv:2006.09785, 2020.

    Examples
    --------
    >>> rotate(np.arange(4).reshape(1, 2, 2, 1), 1)[0, :, :, 0]
    array([[1., 3.],
           [0., 2.]], dtype=float32)
    """
    batch = check.float_array(images, "images", "rotate", ndim=4)
    if batch.shape[1] != batch.shape[2]:
        legal = "of shape (batch, side, side, channels)"
        check.refuse("images", "rotate", legal, f"shape {batch.shape}")
    turns = check.integer(quarter_turns, "quarter_turns", "rotate", maximum=3)
    rotated = np.empty_like(batch)
    _native.rotate(batch, turns, rotated)
    return rotated
