"""Fitted heads as graphs, from rows of features to labels, scores and probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd.choices import Features
from skd.classifiers import (
    CalibratedClassifier,
    LinearSVC,
    LogisticRegression,
    NearestCentroid,
    NearestNeighbor,
    RidgeClassifier,
)
from skd.classifiers.estimator import Classifier
from skd.exporting._graph import Graph

#: Estimators that a graph can hold, and `CalibratedClassifier`, which consists of one.
HEADS = (LinearSVC, LogisticRegression, NearestCentroid, NearestNeighbor, RidgeClassifier)
FLOAT, DOUBLE = 1, 11  # numbers of float32 and float64 in ONNX
SMALLEST_NORM = 1e-300  # a row of zeros stays one, as in the library


@dataclass(frozen=True)
class Outlier:
    """The label of features that are far from all classes.

    Attributes
    ----------
    label : str or int
        Label in place of a class.
    centroids : ndarray of shape (num_classes, n_features), dtype float64
        Mean of each class.
    threshold : float
        Least cosine with the nearest mean of features that belong to a class.
    """

    label: str | int
    centroids: NDArray[np.float64]
    threshold: float


@dataclass(frozen=True)
class Head:
    """A fitted classifier on the features of a network.

    Attributes
    ----------
    classifier : Classifier
        The fitted estimator.
    features : {"embedding", "logits"}
        Output of the network that the estimator takes.
    normalizes : bool
        Whether each row of features is divided by its Euclidean norm first.
    temperature : float or None
        Temperature of the probabilities, softmax(scores / temperature); None if there are none.
    outlier : Outlier or None
        Label of features that are far from all classes, if there is one.
    """

    classifier: Classifier
    features: Features = "embedding"
    normalizes: bool = False
    temperature: float | None = None
    outlier: Outlier | None = None


class Exportable(ABC):
    """A classifier of images that consists of a network and a head."""

    @abstractmethod
    def _exported(self, owner: str) -> tuple[Any, Head]:
        """Return the model and its head; `owner` names the caller in errors."""


def head_of(classifier: Any) -> Head:
    """Return an estimator as a head, with probabilities if it has them."""
    temperature = 1.0 if hasattr(classifier, "predict_proba") else None
    if isinstance(classifier, CalibratedClassifier):
        return Head(classifier.head_, temperature=classifier.temperature_)
    return Head(classifier, temperature=temperature)


def add_head(graph: Graph, features: str, head: Head) -> None:
    """Add a head, with the outputs ``label``, ``scores`` and ``probabilities`` as it has them.

    It computes in float64, as the library does: a low temperature amplifies the rounding of scores.
    """
    classifier = head.classifier
    features = graph.node("Cast", [features], "head.features", to=DOUBLE)
    if head.normalizes:
        features = _unit_rows(graph, features, "head.unit")
    if isinstance(classifier, NearestNeighbor):
        nearest = _proximities(graph, features, classifier.samples_, classifier.metric, "head")
        winner = graph.node("ArgMax", [nearest], "head.nearest", axis=1, keepdims=0)
        owners = graph.constant("head.sample_classes", classifier.sample_classes_)
        _add_label(graph, features, head, graph.node("Gather", [owners, winner], "head.winner"))
        return
    if isinstance(classifier, NearestCentroid):
        scores = _proximities(graph, features, classifier.centroids_, classifier.metric, "head")
    else:
        scores = _linear(graph, features, classifier)
    winner = graph.node("ArgMax", [scores], "head.winner", axis=1, keepdims=0)
    _add_label(graph, features, head, winner)
    shape = (len(classifier.classes_),)
    graph.output("scores", "float", shape, _narrowed(graph, scores))
    if head.temperature is not None:
        gap = classifier._score_gap if shape == (2,) else 1.0
        divisor = graph.scalar("head.temperature", head.temperature / gap)
        cooled = graph.node("Div", [scores, divisor], "head.cooled")
        softmax = graph.node("Softmax", [cooled], "head.softmax", axis=1)
        graph.output("probabilities", "float", shape, _narrowed(graph, softmax))


def _narrowed(graph: Graph, value: str) -> str:
    return graph.node("Cast", [value], f"{value}.narrow", to=FLOAT)


def _add_label(graph: Graph, features: str, head: Head, winner: str) -> None:
    """Add the output ``label``: the class at a position, or the label of outliers."""
    classes, outlier = head.classifier.classes_, head.outlier
    kind = "string" if classes.dtype.kind in "UTO" else classes.dtype.name
    if outlier is not None:
        winner = _or_outlier(graph, features, outlier, winner)
        classes = np.array([*classes.tolist(), outlier.label], dtype=object)
        if kind != "string":
            classes, kind = classes.astype(np.int64), "int64"
    names = graph.constant("head.classes", classes)
    graph.output("label", kind, (), graph.node("Gather", [names, winner], "head.label"))


def _or_outlier(graph: Graph, features: str, outlier: Outlier, winner: str) -> str:
    """Replace the position of the class of outliers by the one after the last class."""
    cosines = _proximities(graph, features, outlier.centroids, "cosine", "outlier")
    nearest = graph.node("ReduceMax", [cosines], "outlier.nearest", axes=[1], keepdims=0)
    threshold = graph.scalar("outlier.threshold", outlier.threshold)
    is_outlier = graph.node("Less", [nearest, threshold], "outlier.is_one")
    place = np.array(len(outlier.centroids), dtype=np.int64)
    return graph.node(
        "Where", [is_outlier, graph.constant("outlier.place", place), winner], "outlier.winner"
    )


def _linear(graph: Graph, features: str, classifier: Any) -> str:
    """Add the scores of a linear classifier, a column for each class.

    With two classes, only the second has coefficients; the score of the first is 0.
    """
    weight, bias = classifier.coef_, classifier.intercept_
    if len(classifier.classes_) == 2:
        weight, bias = np.vstack([np.zeros_like(weight), weight]), np.append(0.0, bias)
    names = [
        graph.constant("head.weight", weight),
        graph.constant("head.bias", bias),
    ]
    return graph.node("Gemm", [features, *names], "head.scores", transB=1)


def _proximities(graph: Graph, features: str, prototypes: Any, metric: str, name: str) -> str:
    """Add the cosine of each row with each prototype, or minus their squared distance."""
    rows = graph.constant(f"{name}.prototypes", prototypes)
    if metric == "cosine":
        features = _unit_rows(graph, features, f"{name}.direction")
        rows = _unit_rows(graph, rows, f"{name}.prototype_directions")
    columns = graph.node("Transpose", [rows], f"{name}.columns", perm=[1, 0])
    products = graph.node("MatMul", [features, columns], f"{name}.products")
    if metric == "cosine":
        return products
    # -|x - p|^2 = 2 x.p - |x|^2 - |p|^2
    doubled = graph.node("Mul", [products, graph.scalar(f"{name}.two", 2.0)], f"{name}.doubled")
    own = graph.node("ReduceSumSquare", [features], f"{name}.squares", axes=[1], keepdims=1)
    less = graph.node("Sub", [doubled, own], f"{name}.less")
    others = graph.node("ReduceSumSquare", [columns], f"{name}.norms", axes=[0], keepdims=1)
    return graph.node("Sub", [less, others], f"{name}.proximities")


def _unit_rows(graph: Graph, rows: str, name: str) -> str:
    """Divide each row by its Euclidean norm."""
    norms = graph.node("ReduceL2", [rows], f"{name}.norm", axes=[1], keepdims=1)
    smallest = graph.scalar(f"{name}.smallest", SMALLEST_NORM)
    positive = graph.node("Max", [norms, smallest], f"{name}.positive")
    return graph.node("Div", [rows, positive], name)
