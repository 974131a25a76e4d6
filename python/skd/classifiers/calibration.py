"""Temperatures of probabilities, found in the support set alone."""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._refusals.native import refused_as
from skd.choices import HeadName
from skd.classifiers.estimator import Classifier
from skd.classifiers.kinds import HEADS, head_name, options_of

#: Mean margin of the support examples at the prior's temperature, in log-odds. On the validation
#: classes of miniImageNet and CIFAR-FS the best temperatures give 5.5 to 9, for all heads, 1 to 10
#: shots and 2 to 16 ways (benchmarks/calibration.py).
PRIOR_MARGIN = 6.5
#: Inverse variance of the logarithm of that number, in the prior.
PRIOR_STRENGTH = 8.0


def gives_scores(head: HeadName) -> bool:
    """Return whether a head has a score for each class, of which probabilities can be made."""
    return hasattr(HEADS[head].make(), "decision_function")


def temperature_of(
    head: HeadName,
    features: NDArray[np.float32],
    positions: NDArray[np.int64],
    examples: NDArray[np.int64],
    plain: NDArray[np.float32],
    owner: str,
) -> float:
    """Return the temperature of a head on a support set.

    Parameters
    ----------
    head : str
        Name of the head.
    features : ndarray of shape (n_rows, n_features), dtype float32
        Rows that the head is fitted to: copies of the examples.
    positions, examples : ndarray of shape (n_rows,), dtype int64
        Class and example of each row, from 0.
    plain : ndarray of shape (n_examples, n_features), dtype float32
        Each example as a query would be.
    owner : str
        Name of the caller in errors.
    """
    classes = int(positions.max()) + 1
    with refused_as(owner):
        return _native.calibrate_temperature(
            options_of(head, owner), features, positions, examples, classes, plain,
            PRIOR_MARGIN, PRIOR_STRENGTH,
        )  # fmt: skip


def examples_of(
    groups: ArrayLike | None,
    rows: NDArray[np.float32],
    positions: NDArray[np.int64],
    owner: str,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the example of each row, from 0, and the first row of each example."""
    if groups is None:
        return np.arange(len(rows), dtype=np.int64), rows
    given = check.integer_array(groups, "groups", owner, length=len(rows), of="X")
    _, first, examples = np.unique(given, return_index=True, return_inverse=True)
    if (positions[first][examples] != positions).any():
        check.refuse("groups", owner, "of one class each", "an example of several classes")
    return examples.astype(np.int64), np.ascontiguousarray(rows[first])


def probabilities_of(
    head: Classifier, features: ArrayLike, temperature: float
) -> NDArray[np.float64]:
    """Return softmax(scores / temperature) of a fitted head that has scores."""
    scores: NDArray[np.float64] = cast(Any, head).decision_function(features)
    if scores.ndim == 1:  # of two classes
        scores = np.column_stack([np.zeros(len(scores)), scores])
        temperature /= head._score_gap
    table = np.ascontiguousarray(scores)
    _native.softmax(table, temperature, table)
    return table


class CalibratedClassifier(Classifier):
    """A head whose probabilities are calibrated on its own support set.

    The probabilities are ``softmax(scores / temperature_)`` [1]_. The temperature is found by
    leave-one-out: head after head is fitted without one example of each class, and the temperature
    minimises the cross-entropy of the examples that were left out, together with a prior that
    decides if there is only one example of each class.

    Parameters
    ----------
    head : str, default="logistic"
        Classifier: "logistic", "nearest_centroid", "nearest_centroid_cosine", "ridge" or
        "linear_svc", with the same parameters as in `skd.evaluate`. "nearest_neighbor" has no
        scores of classes.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    head_ : Classifier
        The fitted head.
    temperature_ : float
        Temperature of the probabilities.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,), dtype object
        Names of the columns, if the fit was on a data frame.

    Notes
    -----
    With the scores z of left-out examples in units of the mean margin of the head that scored them,
    k minimises ``sum(cross_entropy(softmax(k * z), y)) + 4 * log(k / 6.5)**2``. The temperature is
    the margin of the head that is fitted to all examples, divided by k. The margin of an example is
    the score of its class minus the mean of the other scores. At most ten heads are fitted.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", arXiv:1706.04599, 2017.

    Examples
    --------
    >>> features = [[0.0], [1.0], [4.0], [5.0]]
    >>> classifier = CalibratedClassifier("ridge").fit(features, ["a", "a", "b", "b"])
    >>> classifier.predict_proba([[0.5]]).round(1)
    array([[1., 0.]])
    """

    head_: Classifier
    temperature_: float

    def __init__(self, head: HeadName = "logistic") -> None:
        self.head = head

    def fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit the head, and find the temperature.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features, used as they are; divide them by their norms first, as `skd.evaluate` does.
        y : array-like of shape (n_rows,)
            Classes, any integers or strings; at least two different classes.
        groups : array-like of shape (n_rows,), optional
            Example of each row, any integers, if rows are augmented copies of examples: all copies
            of an example are left out together. The first row of each example must be the one
            without augmentation.

        Returns
        -------
        self : CalibratedClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or the head is not legal; an earlier fit is kept.
        TypeError
            If an argument has another type than documented.
        """
        owner = self._owner("fit")
        name = head_name(self.head, "head", owner)
        if not gives_scores(name):
            legal = ", ".join(repr(head) for head in HEADS if gives_scores(head))
            check.refuse("head", owner, f"one with scores: {legal}", repr(name))
        rows, classes, positions = self._fit_inputs(X, y)
        examples, plain = examples_of(groups, rows, positions, owner)
        head = HEADS[name].make().fit(rows, positions)
        self.temperature_ = temperature_of(name, rows, positions, examples, plain, owner)
        head.classes_ = classes
        self.head_ = head
        self._remember(X, rows.shape[1], classes)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the class of each row, as the head predicts it.

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
        return self.head_.predict(rows)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the calibrated probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, num_classes), dtype float64
            Probabilities; each row sums to 1.
        """
        rows = self._rows(X, "predict_proba")
        return probabilities_of(self.head_, rows, self.temperature_)
