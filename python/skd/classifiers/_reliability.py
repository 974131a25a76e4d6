"""How well probabilities agree with the shares of correct predictions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._refusals.native import refused_as
from skd.classifiers import inputs

MOST_BINS = 10_000
SUM_TOLERANCE = 1e-3  # of a row of probabilities


class Reliability(NamedTuple):
    """Confidences and accuracies of predictions, in bins of confidence of equal width.

    The confidence of a prediction is the largest probability.

    Attributes
    ----------
    counts : ndarray of shape (n_bins,), dtype int64
        Number of predictions in each bin.
    confidence : ndarray of shape (n_bins,), dtype float64
        Mean confidence of each bin, in 0..1; 0 for an empty bin.
    accuracy : ndarray of shape (n_bins,), dtype float64
        Share of correct predictions of each bin, in 0..1; 0 for an empty bin.
    error : float
        Expected calibration error, in 0..1; see `expected_calibration_error`.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    error: float


def reliability(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    n_bins: int = 15,
) -> Reliability:
    """Compare the confidences of predictions with the shares of correct ones, bin by bin.

    Parameters
    ----------
    probabilities : array-like of shape (n_predictions, num_classes), dtype float64
        Probability of each class, in 0..1; each row sums to 1.
    labels : array-like of shape (n_predictions,)
        True class of each prediction: an entry of `classes`.
    classes : array-like of shape (num_classes,), optional
        Class of each column, such as ``classifier.classes_``; by default 0, 1, 2, ...
    n_bins : int, default=15
        Number of bins, at most 10,000.

    Returns
    -------
    reliability : Reliability
        Counts, mean confidences and accuracies of the bins, and the calibration error.

    Raises
    ------
    ValueError
        If the probabilities are not in 0..1 or do not sum to 1, the shapes do not fit, or a label
        is none of the classes.

    Examples
    --------
    >>> found = reliability([[0.9, 0.1], [0.8, 0.2]], [0, 1], n_bins=2)
    >>> found.counts, found.accuracy, round(found.error, 2)
    (array([0, 2]), array([0. , 0.5]), 0.35)
    """
    return _reliability(probabilities, labels, classes, n_bins, "reliability")


def expected_calibration_error(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    n_bins: int = 15,
) -> float:
    """Return the expected calibration error of probabilities [1]_.

    It is the mean over all predictions of the difference between the mean confidence and the
    accuracy of their bin: 0 if of the predictions with a confidence of 80 % exactly 80 % are right,
    and so on.

    Parameters
    ----------
    probabilities : array-like of shape (n_predictions, num_classes), dtype float64
        Probability of each class, in 0..1; each row sums to 1.
    labels : array-like of shape (n_predictions,)
        True class of each prediction: an entry of `classes`.
    classes : array-like of shape (num_classes,), optional
        Class of each column, such as ``classifier.classes_``; by default 0, 1, 2, ...
    n_bins : int, default=15
        Number of bins, at most 10,000.

    Returns
    -------
    error : float
        Calibration error in 0..1.

    Raises
    ------
    ValueError
        If the probabilities are not in 0..1 or do not sum to 1, the shapes do not fit, or a label
        is none of the classes.

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining Well Calibrated Probabilities
       Using Bayesian Binning", AAAI 2015.

    Examples
    --------
    >>> round(expected_calibration_error([[0.9, 0.1], [0.8, 0.2]], [0, 1]), 2)
    0.45
    """
    owner = "expected_calibration_error"
    return _reliability(probabilities, labels, classes, n_bins, owner).error


def _reliability(
    probabilities: ArrayLike, labels: ArrayLike, classes: ArrayLike | None, n_bins: int, owner: str
) -> Reliability:
    table = _probabilities(probabilities, owner)
    columns = _columns(labels, classes, table.shape, owner)
    bins = check.integer(n_bins, "n_bins", owner, minimum=1, maximum=MOST_BINS)
    confidences = np.minimum(table.max(axis=1), 1.0)
    is_correct = (table.argmax(axis=1) == columns).astype(np.uint8)
    counts = np.empty(bins, dtype=np.int64)
    confidence, accuracy = (np.empty(bins, dtype=np.float64) for _ in range(2))
    with refused_as(owner, confidences="probabilities"):
        error = _native.calibration_bins(confidences, is_correct, counts, confidence, accuracy)
    return Reliability(counts, confidence, accuracy, error)


def _probabilities(probabilities: ArrayLike, owner: str) -> NDArray[np.float64]:
    table = check.double_matrix(probabilities, "probabilities", owner)
    is_probability = (table >= 0).all() and (table <= 1 + SUM_TOLERANCE).all()
    if not is_probability or (abs(table.sum(axis=1) - 1) > SUM_TOLERANCE).any():
        legal = "probabilities in 0..1 whose rows sum to 1"
        check.refuse("probabilities", owner, legal, "other numbers")
    return table


def _columns(
    labels: ArrayLike, classes: ArrayLike | None, shape: tuple[int, ...], owner: str
) -> NDArray[np.int64]:
    """Return the column of the true class of each prediction."""
    count, num_classes = shape
    if classes is None:
        columns = check.integer_array(labels, "labels", owner, length=count, of="probabilities")
        if not ((columns >= 0) & (columns < num_classes)).all():
            got = f"{columns.min()}..{columns.max()}"
            check.refuse("labels", owner, f"in 0..{num_classes - 1} without 'classes'", got)
        return columns
    options = {"name": "classes", "of": "probabilities"}
    known = inputs.label_vector(classes, owner, length=num_classes, **options).tolist()
    if len(set(known)) < num_classes:
        check.refuse("classes", owner, "all different", check.shown(known))
    given = inputs.label_vector(
        labels, owner, length=count, name="labels", of="probabilities"
    ).tolist()
    places = {label: place for place, label in enumerate(known)}
    foreign = next((label for label in given if label not in places), None)
    if foreign is not None:
        check.refuse("labels", owner, "entries of 'classes'", check.shown(foreign))
    return np.array([places[label] for label in given], dtype=np.int64)
