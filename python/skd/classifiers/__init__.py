"""Classifiers on features, with the interface of scikit-learn's estimators.

They are computed in Swift and need only NumPy. The inductive ones work in scikit-learn's pipelines,
searches and cross-validation; the transductive heads classify all queries of a task at once.
"""

from skd.classifiers._bd_cspn import BDCSPN
from skd.classifiers._laplacian_shot import LaplacianShot
from skd.classifiers._linear import LinearSVC, LogisticRegression, RidgeClassifier
from skd.classifiers._nearest import NearestCentroid, NearestNeighbor
from skd.classifiers._normalize import l2_normalize
from skd.classifiers._pt_map import PTMAP
from skd.classifiers._simple_shot import SimpleShot
from skd.classifiers._tim import TIM, AlphaTIM
from skd.classifiers.open_set import OpenSetQuality, open_set_quality, open_set_scores

__all__ = [
    "BDCSPN",
    "PTMAP",
    "TIM",
    "AlphaTIM",
    "LaplacianShot",
    "LinearSVC",
    "LogisticRegression",
    "NearestCentroid",
    "NearestNeighbor",
    "OpenSetQuality",
    "RidgeClassifier",
    "SimpleShot",
    "l2_normalize",
    "open_set_quality",
    "open_set_scores",
]
