"""Scores that tell queries of known classes from others, and their quality."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd.choices import OpenSetScore

SCORES: dict[OpenSetScore, int] = {
    "centroid_cosine": _native.OPEN_SET_CENTROID_COSINE,
    "max_probability": _native.OPEN_SET_MAX_PROBABILITY,
}


class OpenSetQuality(NamedTuple):
    """Quality of a score that tells known from unknown classes.

    Attributes
    ----------
    auroc : float
        Area under the receiver operating characteristic, in percent: the probability that a query
        of a known class has a larger score than one of an unknown class, where equal scores count
        one half. Chance is 50.
    fpr95 : float
        False positive rate at 95 % true positive rate, in percent: the share of unknown queries at
        or above the largest threshold that at least 95 % of the known queries reach.
    """

    auroc: float
    fpr95: float


def open_set_scores(
    X: ArrayLike,  # noqa: N803
    centroids: ArrayLike,
    *,
    score: OpenSetScore = "centroid_cosine",
) -> NDArray[np.float64]:
    r"""Score queries: the larger the score, the more likely the class of the query is known.

    "centroid_cosine" is the cosine of the angle between the query :math:`x` and the nearest class
    mean, :math:`\max_k \cos(x, c_k)`: nearness of the nearest class mean, as in [1]_, measured by
    directions. "max_probability" is the baseline of [2]_: the largest
    probability of a prototypical network [3]_, :math:`\max_k \mathrm{softmax}_k(-\|x - c_k\|^2)`.
    Probabilities compare classes with each other, so that a query far from all classes can still
    have a large one.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features), dtype float32
        Features of the queries, L2-normalised for "max_probability".
    centroids : array-like of shape (num_classes, n_features), dtype float64
        Class means, such as ``NearestCentroid().fit(...).centroids_``.
    score : {"centroid_cosine", "max_probability"}, default="centroid_cosine"
        Score.

    Returns
    -------
    scores : ndarray of shape (n_rows,), dtype float64
        Score of each query; cosines are in -1..1, probabilities in 0..1.

    Raises
    ------
    ValueError
        If a value is not finite, or the shapes do not fit.
    TypeError
        If an argument has another type than documented.

    References
    ----------
    .. [1] A. Bendale and T. Boult, "Towards Open World Recognition", arXiv:1412.5687, 2015.
    .. [2] D. Hendrycks and K. Gimpel, "A Baseline for Detecting Misclassified and
       Out-of-Distribution Examples in Neural Networks", arXiv:1610.02136, 2017.
    .. [3] J. Snell, K. Swersky and R. Zemel, "Prototypical Networks for Few-shot Learning",
       arXiv:1703.05175, 2017.

    Examples
    --------
    >>> open_set_scores([[0.0, 2.0], [-1.0, 0.0]], centroids=[[0.0, 1.0], [1.0, 0.0]])
    array([1., 0.])
    """
    owner = "open_set_scores"
    rows = check.float_array(X, "X", owner, ndim=2, finite=True)
    means = check.double_matrix(centroids, "centroids", owner)
    check.require_shape(means, (len(means), rows.shape[1]), "centroids", owner, by="X")
    kind = SCORES[check.choice(score, "score", owner, SCORES)]
    scores = np.empty(len(rows), dtype=np.float64)
    _native.open_set_scores(rows, means, kind, scores)
    return scores


def open_set_quality(known: ArrayLike, unknown: ArrayLike) -> OpenSetQuality:
    """Measure how well a score tells known from unknown classes.

    Parameters
    ----------
    known : array-like of shape (n_known,), dtype float64
        Scores of queries of known classes, at least one; larger scores mean known.
    unknown : array-like of shape (n_unknown,), dtype float64
        Scores of queries of unknown classes, at least one.

    Returns
    -------
    quality : OpenSetQuality
        AUROC and FPR95, in percent.

    Raises
    ------
    ValueError
        If a vector is empty, has a value that is not finite, or has more than 2**24 values.
    TypeError
        If an argument has another type than documented.

    Examples
    --------
    >>> open_set_quality(known=[2.0, 3.0], unknown=[1.0, 2.0])
    OpenSetQuality(auroc=87.5, fpr95=50.0)
    """
    owner = "open_set_quality"
    auroc, fpr95 = _native.open_set_quality(
        check.double_vector(known, "known", owner), check.double_vector(unknown, "unknown", owner)
    )
    return OpenSetQuality(100 * auroc, 100 * fpr95)
