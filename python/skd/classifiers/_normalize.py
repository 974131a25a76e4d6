"""Normalisation of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check


def l2_normalize(features: ArrayLike, *, mean: ArrayLike | None = None) -> NDArray[np.float32]:
    """Divide each row by its Euclidean norm; a zero row stays zero.

    Parameters
    ----------
    features : array-like of shape (n_rows, n_dimensions), dtype float32
        Features.
    mean : array-like of shape (n_dimensions,), dtype float32, optional
        Vector that is subtracted from each row first. With the mean of the features of the base
        classes this is the CL2N normalisation of SimpleShot [1]_.

    Returns
    -------
    normalized : ndarray of shape (n_rows, n_dimensions), dtype float32
        A new array.

    References
    ----------
    .. [1] Y. Wang, W.-L. Chao, K. Q. Weinberger and L. van der Maaten, "SimpleShot: Revisiting
       Nearest-Neighbor Classification for Few-Shot Learning", arXiv:1911.04623, 2019.

    Examples
    --------
    >>> l2_normalize([[3.0, 4.0]])
    array([[0.6, 0.8]], dtype=float32)
    >>> l2_normalize([[3.0, 4.0]], mean=[3.0, 2.0])
    array([[0., 1.]], dtype=float32)
    """
    owner = "l2_normalize"
    rows = check.float_array(features, "features", owner, ndim=2, finite=True)
    center = None
    if mean is not None:
        center = check.float_array(mean, "mean", owner, ndim=1, finite=True)
        check.require_shape(center, rows.shape[1:], "mean", owner, by="features")
    normalized = np.empty_like(rows)
    _native.l2_normalize(rows, center, normalized)
    return normalized
