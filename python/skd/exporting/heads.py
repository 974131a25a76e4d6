"""Fitted heads as graphs, from rows of features to labels, scores and probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from skd.choices import Features
from skd.classifiers import (
    LinearSVC,
    LogisticRegression,
    NearestCentroid,
    NearestNeighbor,
    RidgeClassifier,
)
from skd.classifiers.estimator import Classifier
from skd.exporting._graph import Graph

#: Estimators that a graph can hold.
HEADS = (LinearSVC, LogisticRegression, NearestCentroid, NearestNeighbor, RidgeClassifier)
SMALLEST_NORM = 1e-30  # a row of zeros stays one, as in the library


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
    """

    classifier: Classifier
    features: Features = "embedding"
    normalizes: bool = False


class Exportable(ABC):
    """A classifier of images that consists of a network and a head."""

    @abstractmethod
    def _exported(self, owner: str) -> tuple[Any, Head]:
        """Return the model and its head; `owner` names the caller in errors."""


def add_head(graph: Graph, features: str, head: Head) -> None:
    """Add a head, with the outputs ``label``, ``scores`` and ``probabilities`` as it has them."""
    classifier = head.classifier
    if head.normalizes:
        features = _unit_rows(graph, features, "head.unit")
    if isinstance(classifier, NearestNeighbor):
        nearest = _proximities(graph, features, classifier.samples_, classifier.metric)
        winner = graph.node("ArgMax", [nearest], "head.nearest", axis=1, keepdims=0)
        owners = graph.constant("head.sample_classes", classifier.sample_classes_)
        _add_label(graph, classifier, graph.node("Gather", [owners, winner], "head.winner"))
        return
    if isinstance(classifier, NearestCentroid):
        scores = _proximities(graph, features, classifier.centroids_, classifier.metric)
    else:
        scores = _linear(graph, features, classifier)
    winner = graph.node("ArgMax", [scores], "head.winner", axis=1, keepdims=0)
    _add_label(graph, classifier, winner)
    shape = (len(classifier.classes_),)
    graph.output("scores", "float", shape, scores)
    if isinstance(classifier, (NearestCentroid, LogisticRegression)):
        softmax = graph.node("Softmax", [scores], "head.softmax", axis=1)
        graph.output("probabilities", "float", shape, softmax)


def _add_label(graph: Graph, classifier: Classifier, winner: str) -> None:
    """Add the output ``label``: the class at a position."""
    classes = classifier.classes_
    kind = "string" if classes.dtype.kind in "UTO" else classes.dtype.name
    names = graph.constant("head.classes", classes)
    graph.output("label", kind, (), graph.node("Gather", [names, winner], "head.label"))


def _linear(graph: Graph, features: str, classifier: Any) -> str:
    """Add the scores of a linear classifier, a column for each class.

    With two classes, only the second has coefficients; the score of the first is 0.
    """
    weight, bias = classifier.coef_, classifier.intercept_
    if len(classifier.classes_) == 2:
        weight, bias = np.vstack([np.zeros_like(weight), weight]), np.append(0.0, bias)
    names = [
        graph.constant("head.weight", weight.astype(np.float32)),
        graph.constant("head.bias", bias.astype(np.float32)),
    ]
    return graph.node("Gemm", [features, *names], "head.scores", transB=1)


def _proximities(graph: Graph, features: str, prototypes: Any, metric: str) -> str:
    """Add the cosine of each row with each prototype, or minus their squared distance."""
    rows = graph.constant("head.prototypes", prototypes.astype(np.float32))
    if metric == "cosine":
        features = _unit_rows(graph, features, "head.direction")
        rows = _unit_rows(graph, rows, "head.prototype_directions")
        columns = graph.node("Transpose", [rows], "head.columns", perm=[1, 0])
        return graph.node("MatMul", [features, columns], "head.cosines")
    # -|x - p|^2 = 2 x.p - |x|^2 - |p|^2
    columns = graph.node("Transpose", [rows], "head.columns", perm=[1, 0])
    products = graph.node("MatMul", [features, columns], "head.products")
    doubled = graph.node("Mul", [products, graph.scalar("head.two", 2.0)], "head.doubled")
    own = graph.node("ReduceSumSquare", [features], "head.squares", axes=[1], keepdims=1)
    less = graph.node("Sub", [doubled, own], "head.less")
    others = graph.node("ReduceSumSquare", [columns], "head.norms", axes=[0], keepdims=1)
    return graph.node("Sub", [less, others], "head.proximities")


def _unit_rows(graph: Graph, rows: str, name: str) -> str:
    """Divide each row by its Euclidean norm."""
    norms = graph.node("ReduceL2", [rows], f"{name}.norm", axes=[1], keepdims=1)
    smallest = graph.scalar(f"{name}.smallest", SMALLEST_NORM)
    positive = graph.node("Max", [norms, smallest], f"{name}.positive")
    return graph.node("Div", [rows, positive], name)
