"""Base of the transductive heads, which classify all queries of a task at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._memory import new_array
from skd._refusals.native import refused_as
from skd.classifiers import inputs
from skd.classifiers.estimator import Parameters

MOST = 1_000_000  # of numbers and factors of the heads
#: What the library does not read of another classifier's options.
UNREAD: dict[str, Any] = {
    "inverse_regularization": 1.0,
    "scale": 1.0,
    "pseudo_labels": 0,
    "neighbors": 1,
    "neighbor_weight": 0.0,
    "centers": False,
    "rectifies": False,
    "cross_entropy_weight": 0.0,
    "marginal_entropy_weight": 0.0,
    "conditional_entropy_weight": 0.0,
    "alpha": 2.0,
    "power": 1.0,
    "learning_rate": 1.0,
    "steps": 1,
}
#: Methods of inductive classifiers, which a user may look for.
INDUCTIVE_METHODS = ("fit", "predict", "predict_proba", "decision_function", "score")


def native_options(kind: int, **fields: Any) -> _native.ClassifierOptions:
    """Return a classifier with its hyper-parameters."""
    return _native.ClassifierOptions(kind=kind, **(UNREAD | fields))


class TransductiveHead(Parameters, ABC):
    """A classifier of all queries of a task at once.

    It learns from the queries as well as from the support set, so it cannot classify a later image
    by itself: there is no `predict`. For single images use an inductive classifier, such as
    `skd.LogisticRegression` or `skd.NearestCentroid`.
    """

    #: Number of the head in the library.
    _kind: ClassVar[int]
    #: Whether the head minimises an objective.
    _has_objective: ClassVar[bool]
    classes_: NDArray[Any]
    scores_: NDArray[np.float64]
    objective_: Any

    def fit_predict(self, support: ArrayLike, labels: ArrayLike, query: ArrayLike) -> NDArray[Any]:
        """Classify the queries of one task, or of several tasks of the same extent.

        Parameters
        ----------
        support : array-like of shape (n_support, n_features) or (n_tasks, n_support, n_features), \
dtype float32
            Features of the support images.
        labels : array-like of shape (n_support,)
            Classes of the support images, any integers or strings; at least two different classes.
            All tasks have the same labels.
        query : array-like of shape (n_query, n_features) or (n_tasks, n_query, n_features), \
dtype float32
            Features of the query images.

        Returns
        -------
        predicted : ndarray of shape (n_query,) or (n_tasks, n_query)
            Predicted classes; ties go to the first.

        Raises
        ------
        ValueError
            If an argument or a parameter is not legal; earlier results are kept.
        TypeError
            If an argument or a parameter has another type than documented.
        """
        owner = f"{type(self).__name__}.fit_predict"
        options = self._options(owner)
        supports = _tasks(support, "support", owner)
        queries = _tasks(query, "query", owner)
        if queries.ndim != supports.ndim:
            check.refuse("query", owner, f"{supports.ndim}-dimensional, like 'support'",
                         f"shape {queries.shape}")  # fmt: skip
        expected = (*supports.shape[:-2], queries.shape[-2], supports.shape[-1])
        check.require_shape(queries, expected, "query", owner, by="support")
        classes, positions = inputs.encoded_labels(
            labels, owner, length=supports.shape[-2], name="labels", of="support"
        )
        shape = (supports.shape[0] if supports.ndim == 3 else 1, queries.shape[-2])
        predicted = new_array(shape, np.int64, owner, "query")
        scores = new_array((*shape, len(classes)), np.float64, owner, "query")
        objectives = np.empty(shape[:1], dtype=np.float64)
        with refused_as(owner):
            _native.classify_queries(
                options,
                supports.reshape(-1, *supports.shape[-2:]),
                positions,
                queries.reshape(-1, *queries.shape[-2:]),
                predicted,
                scores,
                objectives,
            )
        if supports.ndim == 2:
            predicted, scores = predicted[0], scores[0]
        self.classes_, self.scores_ = classes, scores
        if self._has_objective:
            self.objective_ = float(objectives[0]) if supports.ndim == 2 else objectives
        found: NDArray[Any] = classes[predicted]
        return found

    @abstractmethod
    def _fields(self, owner: str) -> dict[str, Any]:
        """Return the checked hyper-parameters, by the names that the library has for them."""

    def _options(self, owner: str) -> _native.ClassifierOptions:
        return native_options(self._kind, **self._fields(owner))

    def __getattr__(self, name: str) -> NoReturn:
        """Say why a method of inductive classifiers is missing."""
        kind = type(self).__name__
        if name in INDUCTIVE_METHODS:
            raise AttributeError(
                f"{kind} has no '{name}': it classifies all queries of a task at once, by "
                "'fit_predict'. A later image needs an inductive classifier, such as "
                "LogisticRegression or NearestCentroid."
            )
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")


def _tasks(features: ArrayLike, name: str, owner: str) -> NDArray[np.float32]:
    """Return the checked features of one task or of several."""
    array = check.float_array(features, name, owner, finite=True)
    if array.ndim not in (2, 3):
        legal = "of shape (n_rows, n_features) or (n_tasks, n_rows, n_features)"
        check.refuse(name, owner, legal, f"shape {array.shape}")
    if not array.size:
        check.refuse(name, owner, "non-empty", f"shape {array.shape}")
    return array
