"""Normalisation of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check


def l2_normalize(features: ArrayLike) -> NDArray[np.float32]:
    """Divide each row by its Euclidean norm; a zero row stays zero.

    Parameters
    ----------
    features : array-like of shape (n_rows, n_dimensions), dtype float32
        Features.

    Returns
    -------
    normalized : ndarray of the same shape, dtype float32
        A new array.

    Examples
    --------
    >>> l2_normalize([[3.0, 4.0]])
    array([[0.6, 0.8]], dtype=float32)
    """
    rows = check.float_array(features, "features", "l2_normalize", ndim=2, finite=True)
    normalized = np.empty_like(rows)
    _native.l2_normalize(rows, normalized)
    return normalized
