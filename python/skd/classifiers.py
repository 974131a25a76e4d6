"""Classifiers on features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd.errors import SKDError

__all__ = ["LogisticRegression", "l2_normalize"]


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


class LogisticRegression:
    """Multinomial logistic regression, with the objective of scikit-learn's.

    Minimises the sum of the cross-entropies plus ``1 / (2 C) * ||coef||**2`` by L-BFGS; the
    intercepts are free.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the regularisation, > 0.
    tol : float, default=1e-5
        Stops when no entry of the gradient is larger.
    max_iter : int, default=1000
        Largest number of iterations.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), dtype int64
        Labels, ascending.
    coef_ : ndarray of shape (n_classes, n_dimensions), dtype float64
        Coefficients.
    intercept_ : ndarray of shape (n_classes,), dtype float64
        Intercepts; they sum to 0.
    n_iter_ : int
        Iterations taken.

    Examples
    --------
    >>> classifier = LogisticRegression().fit([[0.0], [1.0], [4.0], [5.0]], [3, 3, 7, 7])
    >>> classifier.predict([[0.5], [4.5]])
    array([3, 7])
    """

    classes_: NDArray[np.int64]
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    n_iter_: int

    def __init__(self, *, C: float = 1.0, tol: float = 1e-5, max_iter: int = 1000) -> None:  # noqa: N803
        owner = "LogisticRegression"
        self.C = check.number(C, "C", owner, open_minimum=True)
        self.tol = check.number(tol, "tol", owner, open_minimum=True)
        self.max_iter = check.integer(max_iter, "max_iter", owner, minimum=1)

    def fit(self, features: ArrayLike, labels: ArrayLike) -> LogisticRegression:
        """Fit the coefficients.

        Parameters
        ----------
        features : array-like of shape (n_rows, n_dimensions), dtype float32
            Features, used as they are.
        labels : array-like of shape (n_rows,), dtype int64
            Classes, any integers; at least two different ones.

        Returns
        -------
        self : LogisticRegression
            The fitted classifier.
        """
        owner = "LogisticRegression.fit"
        rows = check.float_array(features, "features", owner, ndim=2, finite=True)
        targets = check.integer_array(labels, "labels", owner, length=len(rows))
        classes, positions = np.unique(targets, return_inverse=True)
        if len(classes) < 2:
            check.refuse("labels", owner, "of at least two classes", f"{len(classes)}")
        coefficients = np.empty((len(classes), rows.shape[1]), dtype=np.float64)
        intercepts = np.empty(len(classes), dtype=np.float64)
        self.n_iter_ = _native.logistic_regression_fit(
            rows,
            positions.astype(np.int64),
            self.C,
            self.tol,
            self.max_iter,
            coefficients,
            intercepts,
        )
        self.classes_, self.coef_, self.intercept_ = classes, coefficients, intercepts
        return self

    def decision_function(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return the score of each class.

        Parameters
        ----------
        features : array-like of shape (n_rows, n_dimensions), dtype float32
            Features.

        Returns
        -------
        decision : ndarray of shape (n_rows, n_classes), dtype float64
            ``features @ coef_.T + intercept_``.
        """
        owner = "LogisticRegression.decision_function"
        if not hasattr(self, "coef_"):
            raise SKDError(f"{owner} needs a fitted classifier; call fit first.")
        rows = check.float_array(features, "features", owner, ndim=2, finite=True)
        decision = np.empty((len(rows), len(self.classes_)), dtype=np.float64)
        _native.linear_decision(rows, self.coef_, self.intercept_, decision)
        return decision

    def predict(self, features: ArrayLike) -> NDArray[np.int64]:
        """Return the class with the largest score.

        Parameters
        ----------
        features : array-like of shape (n_rows, n_dimensions), dtype float32
            Features.

        Returns
        -------
        labels : ndarray of shape (n_rows,), dtype int64
            Predicted classes.
        """
        scores = self.decision_function(features)
        predicted: NDArray[np.int64] = self.classes_[scores.argmax(axis=1)]
        return predicted
