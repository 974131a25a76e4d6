"""Arrays of a fitted head, for saving and restoring it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd.choices import HeadName
from skd.classifiers import NearestCentroid, NearestNeighbor
from skd.classifiers.estimator import Classifier
from skd.classifiers.kinds import HEADS


def arrays_of(head: Classifier) -> dict[str, NDArray[Any]]:
    """Return the learned arrays of a fitted head, without its classes."""
    return {name: getattr(head, name) for name in head._learned}


def restored(
    name: HeadName, arrays: Mapping[str, NDArray[Any]], classes: NDArray[Any]
) -> Classifier:
    """Return a fitted head from arrays and classes.

    Raises
    ------
    ValueError
        If arrays and classes do not fit together; the message is the reason.
    """
    head = HEADS[name].make()
    names = head._learned
    if set(arrays) != set(names):
        raise ValueError(f"it holds the arrays {sorted(arrays)} where {name!r} has {list(names)}")
    if classes.ndim != 1 or len(classes) < 2 or len(np.unique(classes)) != len(classes):
        raise ValueError("it does not have at least two different classes")
    for array_name in names:
        array = arrays[array_name]
        dtype = np.dtype(np.int64 if array_name == "sample_classes_" else np.float64)
        if array.dtype != dtype or not np.isfinite(array).all():
            raise ValueError(f"{array_name!r} does not hold finite numbers of dtype {dtype}")
        setattr(head, array_name, np.ascontiguousarray(array))
    matrix = arrays[names[0]]
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"{names[0]!r} is not a matrix")
    if isinstance(head, NearestNeighbor):
        known = arrays["sample_classes_"]
        if known.shape != matrix.shape[:1] or not ((known >= 0) & (known < len(classes))).all():
            raise ValueError("its rows do not name one of its classes each")
    else:
        one_row = len(classes) == 2 and not isinstance(head, NearestCentroid)
        rows = 1 if one_row else len(classes)
        if any(arrays[array_name].shape[:1] != (rows,) for array_name in names):
            raise ValueError(f"its arrays do not have {rows} rows")
    if "intercept_" in arrays and arrays["intercept_"].ndim != 1:
        raise ValueError("'intercept_' is not a vector")
    head.classes_, head.n_features_in_ = classes, matrix.shape[1]
    return head
