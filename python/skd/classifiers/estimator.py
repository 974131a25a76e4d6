"""Base of the classifiers: parameters, checks of inputs, and accuracy."""

from __future__ import annotations

import inspect
import warnings
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._refusals import delegated
from skd.classifiers import inputs


class Parameters:
    """Access to parameters by name, as scikit-learn's tools require.

    Parameters are stored unchanged, and `fit` checks them.
    """

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return sorted(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Not used, because no parameter is an estimator.

        Returns
        -------
        parameters : dict
            Values by name.
        """
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters.

        Parameters
        ----------
        **params
            Values by name.

        Returns
        -------
        self : Parameters
            The classifier; fit it again.

        Raises
        ------
        ValueError
            If a name is not a parameter; nothing is set.
        """
        legal = self._parameter_names()
        for name in params:
            check.choice(name, "params", f"{type(self).__name__}.set_params", legal)
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Return the class name with the parameters that differ from the defaults."""
        defaults = inspect.signature(type(self)).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if repr(value) != repr(defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's description of a classifier; only scikit-learn calls it."""
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            transformer_tags=None,
            regressor_tags=None,
        )


class Classifier(Parameters, ABC):
    """A classifier with the interface of scikit-learn's estimators, without scikit-learn."""

    #: Names of the arrays that `fit` learns, besides the classes. They are saved with a few-shot
    #: classifier; the first one is a matrix with `n_features_in_` columns.
    _learned: ClassVar[tuple[str, ...]]
    #: Difference of the scores of two classes, in units of `decision_function`.
    _score_gap: ClassVar[float] = 1.0
    classes_: NDArray[Any]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    @abstractmethod
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit to features and their classes."""

    @abstractmethod
    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the class of each row."""

    def score(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Return the share of rows that are classified correctly.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), dtype float32
            Features.
        y : array-like of shape (n_rows,)
            Classes of the rows.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.

        Returns
        -------
        accuracy : float
            Accuracy in 0..1.
        """
        owner = f"{type(self).__name__}.score"
        with delegated(owner, f"{type(self).__name__}.predict"):
            predicted = self.predict(X)
        truth = inputs.label_vector(y, owner, length=len(predicted))
        weights = None
        if sample_weight is not None:
            weights = check.double_vector(sample_weight, "sample_weight", owner)
            check.require_shape(weights, truth.shape, "sample_weight", owner, by="y")
            if weights.min() < 0 or weights.sum() <= 0:
                check.refuse("sample_weight", owner, ">= 0 and not all 0", "other weights")
        return accuracy(predicted, truth, weights)

    def _owner(self, method: str) -> str:
        return f"{type(self).__name__}.{method}"

    def _fit_inputs(
        self, features: ArrayLike, labels: ArrayLike
    ) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[np.int64]]:
        """Return checked features, the classes, and the position of each label among them."""
        owner = self._owner("fit")
        rows = inputs.feature_rows(features, owner)
        if len(rows) == 0:
            got = f"0 sample(s) (shape={rows.shape}) while a minimum of 1 is required"
            check.refuse("X", owner, "a matrix with rows", got)
        classes, positions = inputs.encoded_labels(labels, owner, length=len(rows))
        return rows, classes, positions

    def _remember(self, features: ArrayLike, n_features: int, classes: NDArray[Any]) -> None:
        """Store the classes and columns that later calls are checked against; ends a fit."""
        names = inputs.feature_names(features)
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.n_features_in_ = n_features
        self.classes_ = classes

    def _rows(self, features: ArrayLike, method: str) -> NDArray[np.float32]:
        """Return checked features for a fitted classifier."""
        owner = self._owner(method)
        if not hasattr(self, "classes_"):
            raise inputs.not_fitted(owner)
        self._check_names(features, owner)
        rows = inputs.feature_rows(features, owner)
        if rows.shape[1] != self.n_features_in_:
            got = (
                f"other ones: X has {rows.shape[1]} features, but {type(self).__name__} is "
                f"expecting {self.n_features_in_} features as input"
            )
            check.refuse("X", owner, "of the features of fit", got)
        return rows

    def _check_names(self, features: ArrayLike, owner: str) -> None:
        """Refuse a data frame with other columns than in `fit`; warn if one has no names."""
        given = inputs.feature_names(features)
        known = getattr(self, "feature_names_in_", None)
        if given is None and known is None:
            return
        if known is None or given is None:
            without, has = ("fit", "X has") if known is None else ("X", "fit had")
            message = f"{has} feature names, which {without} of {owner} was without."
            warnings.warn(message, UserWarning, stacklevel=4)
        elif given.tolist() != known.tolist():
            legal = "of the feature names of fit, in their order"
            check.refuse("X", owner, legal, ", ".join(given.tolist()))


def accuracy(
    predicted: NDArray[Any], truth: NDArray[Any], weights: NDArray[np.float64] | None = None
) -> float:
    """Return the share of equal labels; labels of different types are not equal."""
    pairs = zip(predicted.tolist(), truth.tolist(), strict=True)
    correct = np.array([one == other for one, other in pairs], dtype=np.float64)
    return float(np.average(correct, weights=weights))
