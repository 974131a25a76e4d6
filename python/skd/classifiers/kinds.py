"""Table of the classifiers of `skd.evaluate` and `skd.FewShotClassifier`, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from skd import _native
from skd.choices import ClassifierName
from skd.classifiers._linear import LinearSVC, LogisticRegression, RidgeClassifier
from skd.classifiers._nearest import NearestCentroid, NearestNeighbor
from skd.classifiers.estimator import Classifier


class Kind(NamedTuple):
    """A classifier: its number in the library, and a maker of an estimator."""

    native: int
    make: Callable[[], Classifier]


KINDS: dict[ClassifierName, Kind] = {
    "logistic": Kind(_native.CLASSIFIER_LOGISTIC, LogisticRegression),
    "nearest_centroid": Kind(_native.CLASSIFIER_NEAREST_CENTROID, NearestCentroid),
    "nearest_centroid_cosine": Kind(
        _native.CLASSIFIER_NEAREST_CENTROID_COSINE, lambda: NearestCentroid(metric="cosine")
    ),
    "nearest_neighbor": Kind(_native.CLASSIFIER_NEAREST_NEIGHBOR, NearestNeighbor),
    "nearest_neighbor_cosine": Kind(
        _native.CLASSIFIER_NEAREST_NEIGHBOR_COSINE, lambda: NearestNeighbor(metric="cosine")
    ),
    "ridge": Kind(_native.CLASSIFIER_RIDGE, RidgeClassifier),
    "linear_svc": Kind(_native.CLASSIFIER_LINEAR_SVC, LinearSVC),
}
