"""Checks of the inputs of estimators, with the messages that scikit-learn expects.

scikit-learn's checks of estimators look for certain phrases in messages, and for its classes of
exceptions and warnings. These are used if scikit-learn is already loaded.
"""

from __future__ import annotations

import sys
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd.errors import ConvergenceWarning, NotFittedError


def feature_names(features: Any) -> NDArray[np.object_] | None:
    """Return the names of the columns of a data frame, if all are strings."""
    names = getattr(features, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return np.array(list(names), dtype=object)


def feature_rows(features: Any, owner: str) -> NDArray[np.float32]:
    """Return features as a C-contiguous float32 matrix of finite numbers."""
    if hasattr(features, "toarray") and hasattr(features, "nnz"):
        got = f"a sparse {type(features).__name__}; call its toarray method"
        check.refuse("X", owner, "a dense array", got, TypeError)
    try:
        array = np.asarray(features)
    except (TypeError, ValueError) as error:
        check.refuse("X", owner, "an array", f"{type(features).__name__} ({error})")
    if array.dtype.kind == "c":
        got = f"dtype {array.dtype} (Complex data not supported)"
        check.refuse("X", owner, "an array of real numbers", got)
    if array.dtype.kind == "O":
        array = _numbers_of_objects(array, owner)
    if array.ndim != 2:
        advice = "Reshape your data: reshape(1, -1) makes one row of it"
        check.refuse("X", owner, "2-dimensional", f"shape {array.shape} ({advice})")
    if array.shape[1] == 0:
        got = f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required"
        check.refuse("X", owner, "a matrix with columns", got)
    return check.float_array(array, "X", owner, ndim=2, finite=True)


def _numbers_of_objects(array: NDArray[Any], owner: str) -> NDArray[np.float64]:
    """Return the numbers in an array of objects."""
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        check.refuse("X", owner, "an array of numbers", f"objects ({error})", TypeError)


def label_vector(
    labels: Any, owner: str, *, length: int, name: str = "y", of: str = "X"
) -> NDArray[Any]:
    """Return labels as a vector of integers, strings, truth values or whole floats.

    `length` is the required number of labels, one for each row of the argument `of`.
    """
    if labels is None:
        got = "None: the estimator requires y to be passed, but the target y is None"
        check.refuse(name, owner, "a vector of labels", got)
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        message = (
            "A column-vector y was passed when a 1d array was expected. Change the shape of y to "
            "(n_samples,), for example using ravel()."
        )
        warnings.warn(message, _conversion_warning(), stacklevel=4)
        array = array.ravel()
    if array.ndim != 1:
        check.refuse(name, owner, "a vector of labels (y should be a 1d array)", array.shape)
    if len(array) != length:
        legal = f"of length {length}, one label for each row of '{of}'"
        check.refuse(name, owner, legal, len(array))
    if array.dtype.kind == "O" and not any(isinstance(label, str) for label in array):
        array = _integers_of_objects(array)
    _require_labels(array, owner, name)
    return array


def _integers_of_objects(array: NDArray[Any]) -> NDArray[Any]:
    """Convert objects to integers if all are integers; otherwise return the objects."""
    if all(isinstance(label, (int, np.integer)) for label in array):
        return np.array(array.tolist())
    return array


def _require_labels(array: NDArray[Any], owner: str, name: str) -> None:
    """Refuse labels that cannot be classes: fractions, NaN, objects of mixed types."""
    kind = array.dtype.kind
    legal = "integers, strings or truth values"
    if kind == "f":
        if not np.isfinite(array).all():
            check.refuse(name, owner, legal, "NaN or infinite values")
        if (array != np.trunc(array)).any():
            check.refuse(name, owner, legal, "fractions (Unknown label type: continuous)")
    elif kind == "O":
        if not all(isinstance(label, str) for label in array):
            types = sorted({type(label).__name__ for label in array})
            check.refuse(name, owner, legal, f"objects (Unknown label type: {', '.join(types)})")
    elif kind not in "biuUT":
        check.refuse(name, owner, legal, f"dtype {array.dtype} (Unknown label type: {kind})")


def encoded_labels(
    labels: ArrayLike, owner: str, *, length: int, name: str = "y", of: str = "X"
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes in ascending order, at least two, and the position of each label."""
    array = label_vector(labels, owner, length=length, name=name, of=of)
    classes, positions = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        got = f"{len(classes)} class{'' if len(classes) == 1 else 'es'}"
        check.refuse(name, owner, "labels of at least two classes", got)
    return classes, positions.astype(np.int64)


def not_fitted(owner: str) -> NotFittedError:
    """Return the exception for a method that was called before fit."""
    message = f"{owner} needs a fitted classifier; call fit first."
    if "sklearn" not in sys.modules:
        return NotFittedError(message)
    error: NotFittedError = _shared("NotFittedError")(message)
    return error


def warn_unless_converged(
    converged: bool, owner: str, *, n_iter: int, max_iter: int, tol: float
) -> None:
    """Warn about a fit that stopped before it reached its tolerance; called by `fit`."""
    if converged:
        return
    if n_iter < max_iter:
        why = f"after {n_iter} iterations, where rounding prevents any further descent,"
        advice = "Scale the features, or raise 'tol'."
    else:
        why = f"at max_iter={max_iter} iterations"
        advice = "Scale the features, or raise 'max_iter'."
    message = f"{owner} stopped {why} before it reached tol={tol:g}. {advice}"
    warnings.warn(message, _convergence_warning(), stacklevel=3)


def _convergence_warning() -> type[Warning]:
    return ConvergenceWarning if "sklearn" not in sys.modules else _shared("ConvergenceWarning")


@cache
def _shared(name: str) -> type[Any]:
    """Return a class that derives from ours and scikit-learn's, so that either can be caught.

    Exceptions of joblib's workers are pickled, so the class defines how to recreate itself.
    """
    from sklearn import exceptions

    own = {kind.__name__: kind for kind in (NotFittedError, ConvergenceWarning)}[name]
    members = {
        "__module__": "skd",
        "__doc__": own.__doc__,
        "__reduce__": lambda self: (_made_again, (name, self.args)),
    }
    return type(name, (own, getattr(exceptions, name)), members)


def _made_again(name: str, arguments: tuple[Any, ...]) -> Any:
    """Return a pickled exception or warning of a class of `_shared`."""
    return _shared(name)(*arguments)


def _conversion_warning() -> type[Warning]:
    if "sklearn" not in sys.modules:
        return UserWarning
    from sklearn.exceptions import DataConversionWarning

    category: type[Warning] = DataConversionWarning
    return category
