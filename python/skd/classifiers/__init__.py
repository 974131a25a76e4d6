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
from skd.classifiers._reliability import Reliability, expected_calibration_error, reliability
from skd.classifiers._simple_shot import SimpleShot
from skd.classifiers._tim import TIM, AlphaTIM
from skd.classifiers.calibration import CalibratedClassifier
from skd.classifiers.open_set import OpenSetQuality, open_set_quality, open_set_scores
from skd.classifiers.rejection import rejection_threshold

__all__ = [
    "BDCSPN",
    "PTMAP",
    "TIM",
    "AlphaTIM",
    "CalibratedClassifier",
    "LaplacianShot",
    "LinearSVC",
    "LogisticRegression",
    "NearestCentroid",
    "NearestNeighbor",
    "OpenSetQuality",
    "Reliability",
    "RidgeClassifier",
    "SimpleShot",
    "expected_calibration_error",
    "l2_normalize",
    "open_set_quality",
    "open_set_scores",
    "rejection_threshold",
    "reliability",
]
