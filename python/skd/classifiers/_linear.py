"""Classifiers whose decision is linear in the features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd.classifiers.estimator import Classifier
from skd.classifiers.inputs import warn_unless_converged


class _LinearClassifier(Classifier):
    """Coefficients and intercepts: a row for each class; for two classes, only the second's."""

    _learned = ("coef_", "intercept_")
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the score of each class.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.

        Returns
        -------
        decision : ndarray of shape (n_rows, num_classes) or (n_rows,), dtype float64
            ``X @ coef_.T + intercept_``. For two classes it is the score of the second class,
            which is predicted if the score is positive.
        """
        scores = self._scores(X, "decision_function")
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the class with the largest score.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
            Predicted classes; ties go to the first.
        """
        scores = self._scores(X, "predict")
        if len(self.classes_) == 2:
            winners = (scores[:, 0] > 0).astype(np.int64)
        else:
            winners = scores.argmax(axis=1)
        predicted: NDArray[Any] = self.classes_[winners]
        return predicted

    def _scores(self, features: ArrayLike, method: str) -> NDArray[np.float64]:
        rows = self._rows(features, method)
        scores = np.empty((len(rows), len(self.coef_)), dtype=np.float64)
        _native.linear_decision(rows, self.coef_, self.intercept_, scores)
        return scores


class LogisticRegression(_LinearClassifier):
    """Multinomial logistic regression with the same objective as scikit-learn.

    It minimises the sum of the cross-entropies plus ``1 / (2 C) * ||W||**2``, where W has one row
    for each class; the intercepts are not penalised. Fits of many classes or rows take Newton's
    steps, which conjugate gradients find [1]_; others, such as those of episodes, use L-BFGS.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the regularisation, > 0.
    tol : float, default=1e-5
        Tolerance: the fit stops when no entry of the gradient is larger.
    max_iter : int, default=1000
        Largest number of iterations.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    coef_ : ndarray of shape (num_classes, n_features) or (1, n_features), dtype float64
        W; for two classes, the difference of its rows.
    intercept_ : ndarray of shape (num_classes,) or (1,), dtype float64
        Intercepts, which sum to 0; for two classes, their difference.
    n_iter_ : int
        Number of iterations, at least 1.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,), dtype object
        Names of the columns, if the fit was on a data frame.

    Notes
    -----
    With two classes, both have a row of W, as with scikit-learn's ``multi_class="multinomial"``.
    Without that option, scikit-learn's result for two classes and C equals this one for C / 2.

    References
    ----------
    .. [1] J. Nocedal and S. Wright, "Numerical Optimization", Springer, 2006, algorithms 7.1 and
       7.4.

    Examples
    --------
    >>> classifier = LogisticRegression().fit([[0.0], [1.0], [4.0], [5.0]], [3, 3, 7, 7])
    >>> classifier.predict([[0.5], [4.5]])
    array([3, 7])
    """

    n_iter_: int

    def __init__(self, *, C: float = 1.0, tol: float = 1e-5, max_iter: int = 1000) -> None:  # noqa: N803
        self.C = C
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features, used as they are.
        y : array-like of shape (n_rows,)
            Classes, any integers or strings; at least two different classes.

        Returns
        -------
        self : LogisticRegression
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or a parameter is not legal; an earlier fit is kept.
        TypeError
            If an argument or a parameter has another type than documented.

        Warns
        -----
        ConvergenceWarning
            If the fit stopped before it reached `tol`: at `max_iter`, or where rounding prevents
            any further descent.
        """
        owner = self._owner("fit")
        strength = check.number(self.C, "C", owner, open_minimum=True)
        tolerance = check.number(self.tol, "tol", owner, open_minimum=True)
        limit = check.integer(self.max_iter, "max_iter", owner, minimum=1, maximum=MAX_ITERATIONS)
        rows, classes, positions = self._fit_inputs(X, y)
        coefficients, intercepts = _outputs(len(classes), rows.shape[1])
        iterations, converged = _native.logistic_regression_fit(
            rows, positions, strength, tolerance, limit, coefficients, intercepts
        )
        self.n_iter_ = max(iterations, 1)
        if len(classes) == 2:
            self.coef_, self.intercept_ = np.diff(coefficients, axis=0), np.diff(intercepts)
        else:
            self.coef_, self.intercept_ = coefficients, intercepts
        self._remember(X, rows.shape[1], classes)
        warn_unless_converged(converged, owner, n_iter=iterations, max_iter=limit, tol=tolerance)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the probability of each class: the softmax of the scores.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, num_classes), dtype float64
            Probabilities; each row sums to 1.
        """
        scores = self._scores(X, "predict_proba")
        if len(self.classes_) == 2:
            scores = np.column_stack([np.zeros(len(scores)), scores])
        _native.softmax(scores, 1.0, scores)
        return scores


class RidgeClassifier(_LinearClassifier):
    """Ridge regression of the classes, one against the rest, like scikit-learn's.

    For each class it minimises ``||X @ w + b - t||**2 + alpha * ||w||**2``, where t is 1 for its
    rows and -1 for the others; the intercept is not penalised. The solution is exact; the linear
    system has the size of the features or of the rows, whichever is smaller, and is factored once
    for all classes.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the regularisation, > 0.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    coef_ : ndarray of shape (num_classes, n_features) or (1, n_features), dtype float64
        Coefficients; for two classes, only the second's.
    intercept_ : ndarray of shape (num_classes,) or (1,), dtype float64
        Intercepts; for two classes, only the second's.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,), dtype object
        Names of the columns, if the fit was on a data frame.

    Examples
    --------
    >>> classifier = RidgeClassifier().fit([[0.0], [1.0], [4.0], [5.0]], ["a", "a", "b", "b"])
    >>> classifier.predict([[0.5], [4.5]]).tolist()
    ['a', 'b']
    """

    _score_gap = 2.0  # the first class has minus the score of the second

    def __init__(self, *, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features, used as they are.
        y : array-like of shape (n_rows,)
            Classes, any integers or strings; at least two different classes.

        Returns
        -------
        self : RidgeClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or a parameter is not legal; an earlier fit is kept.
        TypeError
            If an argument or a parameter has another type than documented.
        """
        alpha = check.number(self.alpha, "alpha", self._owner("fit"), open_minimum=True)
        rows, classes, positions = self._fit_inputs(X, y)
        coefficients, intercepts = _outputs(len(classes), rows.shape[1])
        _native.ridge_classifier_fit(rows, positions, alpha, coefficients, intercepts)
        self.coef_, self.intercept_ = _one_against_the_rest(coefficients, intercepts)
        self._remember(X, rows.shape[1], classes)
        return self


class LinearSVC(_LinearClassifier):
    """Linear support vector machines with the squared hinge, one against the rest.

    For each class it minimises ``(||w||**2 + b**2) / 2 + C * sum(max(0, 1 - t * (X @ w + b))**2)``,
    as scikit-learn does by default; t is 1 for the rows of the class and -1 for the others.
    Newton's method finds the rows within the margin [1]_.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the regularisation, > 0.
    tol : float, default=1e-6
        Tolerance: the fit stops when (w, b) is known to be that near to the minimum; most fits
        reach the exact minimum sooner.
    max_iter : int, default=1000
        Largest number of iterations; each solves a system of linear equations.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    coef_ : ndarray of shape (num_classes, n_features) or (1, n_features), dtype float64
        Coefficients; for two classes, only the second's.
    intercept_ : ndarray of shape (num_classes,) or (1,), dtype float64
        Intercepts; for two classes, only the second's.
    n_iter_ : int
        Largest number of iterations of a class.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,), dtype object
        Names of the columns, if the fit was on a data frame.

    References
    ----------
    .. [1] S. Keerthi and D. DeCoste, "A modified finite Newton method for fast solution of large
       scale linear SVMs", Journal of Machine Learning Research 6, 2005.

    Examples
    --------
    >>> classifier = LinearSVC().fit([[0.0], [1.0], [4.0], [5.0]], [3, 3, 7, 7])
    >>> classifier.predict([[0.5], [4.5]])
    array([3, 7])
    """

    n_iter_: int
    _score_gap = 2.0  # the first class has minus the score of the second

    def __init__(self, *, C: float = 1.0, tol: float = 1e-6, max_iter: int = 1000) -> None:  # noqa: N803
        self.C = C
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features, used as they are.
        y : array-like of shape (n_rows,)
            Classes, any integers or strings; at least two different classes.

        Returns
        -------
        self : LinearSVC
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or a parameter is not legal; an earlier fit is kept.
        TypeError
            If an argument or a parameter has another type than documented.

        Warns
        -----
        ConvergenceWarning
            If the fit stopped before it reached `tol`: at `max_iter`, or where rounding prevents
            any further descent.
        """
        owner = self._owner("fit")
        strength = check.number(self.C, "C", owner, open_minimum=True)
        tolerance = check.number(self.tol, "tol", owner, open_minimum=True)
        limit = check.integer(self.max_iter, "max_iter", owner, minimum=1, maximum=MAX_ITERATIONS)
        rows, classes, positions = self._fit_inputs(X, y)
        coefficients, intercepts = _outputs(len(classes), rows.shape[1])
        self.n_iter_, converged = _native.linear_svc_fit(
            rows, positions, strength, tolerance, limit, coefficients, intercepts
        )
        self.coef_, self.intercept_ = _one_against_the_rest(coefficients, intercepts)
        self._remember(X, rows.shape[1], classes)
        warn_unless_converged(converged, owner, n_iter=self.n_iter_, max_iter=limit, tol=tolerance)
        return self


MAX_ITERATIONS = 2**40


def _outputs(num_classes: int, n_features: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.empty((num_classes, n_features), np.float64), np.empty(num_classes, np.float64)


def _one_against_the_rest(
    coefficients: NDArray[np.float64], intercepts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep only the second of two classes, whose problems mirror each other."""
    first = 1 if len(intercepts) == 2 else 0
    return coefficients[first:].copy(), intercepts[first:].copy()
