"""Table of the classifiers of `skd.evaluate` and `skd.FewShotClassifier`, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from skd import _native
from skd import _validation as check
from skd.choices import ClassifierName, HeadName
from skd.classifiers._bd_cspn import BDCSPN
from skd.classifiers._laplacian_shot import LaplacianShot
from skd.classifiers._linear import LinearSVC, LogisticRegression, RidgeClassifier
from skd.classifiers._nearest import NearestCentroid, NearestNeighbor
from skd.classifiers._pt_map import PTMAP
from skd.classifiers._simple_shot import SimpleShot
from skd.classifiers._tim import TIM, AlphaTIM
from skd.classifiers.estimator import Classifier
from skd.classifiers.transductive import TransductiveHead, native_options

INVERSE_REGULARIZATION = 1.0


class Kind(NamedTuple):
    """An inductive classifier: its number in the library, and a maker of an estimator."""

    native: int
    make: Callable[[], Classifier]


HEADS: dict[HeadName, Kind] = {
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
TRANSDUCTIVE: dict[ClassifierName, Callable[[], TransductiveHead]] = {
    "simple_shot": SimpleShot,
    "bd_cspn": BDCSPN,
    "laplacian_shot": LaplacianShot,
    "tim": TIM,
    "alpha_tim": AlphaTIM,
    "pt_map": PTMAP,
}
KINDS: tuple[ClassifierName, ...] = (*HEADS, *TRANSDUCTIVE)


def options_of(name: ClassifierName, owner: str) -> _native.ClassifierOptions:
    """Return what the library needs to score episodes with a classifier."""
    if name in TRANSDUCTIVE:
        return TRANSDUCTIVE[name]()._options(owner)
    kind = HEADS[cast(HeadName, name)]
    return native_options(kind.native, inverse_regularization=INVERSE_REGULARIZATION)


def options_of_estimator(estimator: object, owner: str) -> _native.ClassifierOptions | None:
    """Return what the library needs to score episodes as an estimator does; None if it cannot."""
    if isinstance(estimator, TransductiveHead):
        return estimator._options(owner)
    if not isinstance(estimator, Classifier):
        return None
    parameters = estimator.get_params()
    for kind in HEADS.values():
        made = kind.make()
        if type(made) is not type(estimator):
            continue
        strength = _inverse_regularization(parameters)
        others = {name: value for name, value in parameters.items() if name not in ("C", "alpha")}
        if strength is not None and others.items() <= made.get_params().items():
            return native_options(kind.native, inverse_regularization=strength)
    return None


def _inverse_regularization(parameters: Mapping[str, Any]) -> float | None:
    """Return the C of the parameters of an estimator; None if the library would change it."""
    penalty = parameters.get("alpha", parameters.get("C", INVERSE_REGULARIZATION))
    if type(penalty) not in (int, float) or not 0 < penalty < math.inf:
        return None  # which `fit` refuses or converts
    if "alpha" not in parameters:
        return float(penalty)
    return 1 / penalty if 1 / penalty < math.inf and 1 / (1 / penalty) == penalty else None


def head_name(value: object, name: str, owner: str) -> HeadName:
    """Check the name of a head that can classify single images; refuse transductive heads."""
    makers = {str(word): make for word, make in TRANSDUCTIVE.items()}
    if isinstance(value, str) and value in makers:
        head = type(makers[value]()).__name__
        got = f"{value!r}, which classifies all queries of a task at once (skd.{head}.fit_predict)"
        legal = "one that classifies single images: " + ", ".join(map(repr, HEADS))
        check.refuse(name, owner, legal, got)
    return check.choice(value, name, owner, HEADS)
