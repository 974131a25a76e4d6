"""Nearest-centroid and nearest-neighbour classifiers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd.choices import Metric
from skd.classifiers.estimator import Classifier

METRICS: dict[Metric, int] = {
    "euclidean": _native.METRIC_EUCLIDEAN,
    "cosine": _native.METRIC_COSINE,
}


class NearestCentroid(Classifier):
    """Nearest-centroid classifier, as in prototypical networks [1]_.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}, default="euclidean"
        Measure of nearness of a row to a mean: the distance, or the cosine of the angle between
        them, which is 0 if one of them is zero.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    centroids_ : ndarray of shape (num_classes, n_features), dtype float64
        Mean of the rows of each class.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,), dtype object
        Names of the columns, if the fit was on a data frame.

    References
    ----------
    .. [1] J. Snell, K. Swersky and R. Zemel, "Prototypical Networks for Few-shot Learning",
       arXiv:1703.05175, 2017.

    Examples
    --------
    >>> classifier = NearestCentroid().fit([[0.0], [1.0], [4.0], [5.0]], ["a", "a", "b", "b"])
    >>> classifier.centroids_.tolist()
    [[0.5], [4.5]]
    """

    _learned = ("centroids_",)
    centroids_: NDArray[np.float64]

    def __init__(self, *, metric: Metric = "euclidean") -> None:
        self.metric = metric

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Compute the means.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features, used as they are.
        y : array-like of shape (n_rows,)
            Classes, any integers or strings; at least two different classes.

        Returns
        -------
        self : NearestCentroid
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or the metric is not legal; an earlier fit is kept.
        TypeError
            If an argument has another type than documented.
        """
        check.choice(self.metric, "metric", self._owner("fit"), METRICS)
        rows, classes, positions = self._fit_inputs(X, y)
        centroids = np.empty((len(classes), rows.shape[1]), dtype=np.float64)
        _native.class_centroids(rows, positions, centroids)
        self.centroids_ = centroids
        self._remember(X, rows.shape[1], classes)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the nearness of each class.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.

        Returns
        -------
        decision : ndarray of shape (n_rows, num_classes) or (n_rows,), dtype float64
            Minus the squared distance to the mean of each class, or the cosine with it. For two
            classes, the nearness of the second minus that of the first.
        """
        nearness = self._nearness(X, "decision_function")
        return np.diff(nearness, axis=1)[:, 0] if len(self.classes_) == 2 else nearness

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the class whose mean is nearest.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
            Predicted classes; ties go to the first.
        """
        winners = self._nearness(X, "predict").argmax(axis=1)
        predicted: NDArray[Any] = self.classes_[winners]
        return predicted

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the softmax of the nearness of each class.

        With the Euclidean metric these are the probabilities of prototypical networks. They are
        not calibrated, least of all with the cosine, where they differ little from each other.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, num_classes), dtype float64
            Probabilities; each row sums to 1.
        """
        nearness = self._nearness(X, "predict_proba")
        _native.softmax(nearness, 1.0, nearness)
        return nearness

    def _nearness(self, features: ArrayLike, method: str) -> NDArray[np.float64]:
        rows = self._rows(features, method)
        nearness = np.empty((len(rows), len(self.centroids_)), dtype=np.float64)
        metric = METRICS[check.choice(self.metric, "metric", self._owner(method), METRICS)]
        _native.prototype_proximities(rows, self.centroids_, metric, nearness)
        return nearness


class NearestNeighbor(Classifier):
    """Nearest-neighbour classifier; ties go to the first row.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}, default="euclidean"
        Measure of nearness of two rows: their distance, or the cosine of the angle between them,
        which is 0 if one of them is zero.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    samples_ : ndarray of shape (n_rows, n_features), dtype float64
        Rows of the fit.
    sample_classes_ : ndarray of shape (n_rows,), dtype int64
        Position of the class of each row in `classes_`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,), dtype object
        Names of the columns, if the fit was on a data frame.

    Examples
    --------
    >>> classifier = NearestNeighbor().fit([[0.0], [1.0], [4.0]], ["a", "b", "c"])
    >>> classifier.predict([[0.5], [3.0]]).tolist()
    ['a', 'c']
    """

    _learned = ("samples_", "sample_classes_")
    samples_: NDArray[np.float64]
    sample_classes_: NDArray[np.int64]

    def __init__(self, *, metric: Metric = "euclidean") -> None:
        self.metric = metric

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Keep the rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features, used as they are.
        y : array-like of shape (n_rows,)
            Classes, any integers or strings; at least two different classes.

        Returns
        -------
        self : NearestNeighbor
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or the metric is not legal; an earlier fit is kept.
        TypeError
            If an argument has another type than documented.
        """
        check.choice(self.metric, "metric", self._owner("fit"), METRICS)
        rows, classes, positions = self._fit_inputs(X, y)
        self.samples_, self.sample_classes_ = rows.astype(np.float64), positions
        self._remember(X, rows.shape[1], classes)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the class of the nearest row.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
            Predicted classes.
        """
        rows = self._rows(X, "predict")
        nearest = np.empty(len(rows), dtype=np.int64)
        metric = METRICS[check.choice(self.metric, "metric", self._owner("predict"), METRICS)]
        _native.nearest_prototypes(rows, self.samples_, metric, nearest)
        predicted: NDArray[Any] = self.classes_[self.sample_classes_[nearest]]
        return predicted
