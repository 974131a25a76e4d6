"""Classifiers on features, with the interface of scikit-learn's estimators.

They are computed in Swift and need only NumPy. They work in scikit-learn's pipelines, searches and
cross-validation.
"""

from skd.classifiers._linear import LinearSVC, LogisticRegression, RidgeClassifier
from skd.classifiers._nearest import NearestCentroid, NearestNeighbor
from skd.classifiers._normalize import l2_normalize

__all__ = [
    "LinearSVC",
    "LogisticRegression",
    "NearestCentroid",
    "NearestNeighbor",
    "RidgeClassifier",
    "l2_normalize",
]
