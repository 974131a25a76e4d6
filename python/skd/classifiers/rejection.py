"""The threshold below which a query counts as one of an unknown class."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._refusals.native import refused_as
from skd.classifiers import inputs
from skd.classifiers.calibration import examples_of


def rejection_threshold(
    X: ArrayLike,  # noqa: N803
    y: ArrayLike,
    *,
    known_rate: float = 0.95,
    groups: ArrayLike | None = None,
) -> float:
    """Find the known-class score below which a query is rejected, from a support set alone.

    The score of a query is its cosine with the nearest class mean, see `open_set_scores`. The
    threshold is a quantile of the scores of support examples by means that were computed without
    them: one example of each class is left out at a time. If every class has a single example,
    nothing tells how near a class is to itself. The threshold is then the mean, over the examples,
    of the cosine with the nearest mean of the other classes.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features), dtype float32
        Features of the support set.
    y : array-like of shape (n_rows,)
        Classes, any integers or strings; at least two different classes.
    known_rate : float, default=0.95
        Share of the queries of known classes to accept, in (0, 1).
    groups : array-like of shape (n_rows,), optional
        Example of each row, as for `CalibratedClassifier.fit`.

    Returns
    -------
    threshold : float
        Cosine in -1..1.

    Raises
    ------
    ValueError
        If an argument is not legal.
    TypeError
        If an argument has another type than documented.

    Examples
    --------
    >>> features = [[1.0, 0.1], [1.0, -0.1], [0.1, 1.0], [-0.1, 1.0]]
    >>> round(rejection_threshold(features, ["a", "a", "b", "b"]), 2)
    0.98
    """
    owner = "rejection_threshold"
    rate = check.number(
        known_rate, "known_rate", owner, maximum=1, open_minimum=True, open_maximum=True
    )
    rows = inputs.feature_rows(X, owner)
    if len(rows) == 0:
        check.refuse("X", owner, "a matrix with rows", f"shape {rows.shape}")
    _, positions = inputs.encoded_labels(y, owner, length=len(rows))
    examples, plain = examples_of(groups, rows, positions, owner)
    return threshold_of(rows, positions, examples, plain, rate, owner)


def threshold_of(
    features: NDArray[np.float32],
    positions: NDArray[np.int64],
    examples: NDArray[np.int64],
    plain: NDArray[np.float32],
    known_rate: float,
    owner: str,
) -> float:
    """Return the threshold of a support set; arguments as for `temperature_of`."""
    with refused_as(owner):
        return _native.rejection_threshold(
            features, positions, examples, int(positions.max()) + 1, plain, known_rate
        )
