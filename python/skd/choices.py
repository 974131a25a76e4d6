"""The types of arguments that take one of some words.

The checks at run time accept the same words. Your own functions can use the types, too.

Examples
--------
>>> from skd.choices import Architecture
>>> def small_model(architecture: Architecture) -> skd.Model:
...     return skd.create_model(architecture, num_classes=5, image_size=32)
"""

from __future__ import annotations

from typing import Any, Literal, get_args

Architecture = Literal["resnet12", "seresnet12", "resnet18", "resnet24", "convnet4", "wrn_28_10"]
"""Backbones of `skd.create_model`."""

Precision = Literal["float32", "bfloat16"]
"""Types of the operands of a network's products."""

WeightType = Literal["float32", "bfloat16"]
"""Types of the weights in a file of `skd.Model.save`."""

OnnxInput = Literal["uint8", "float32"]
"""Types of the images that a file of `skd.Model.to_onnx` takes."""

Features = Literal["embedding", "logits"]
"""Outputs of a network."""

HeadName = Literal[
    "logistic",
    "nearest_centroid",
    "nearest_centroid_cosine",
    "nearest_neighbor",
    "nearest_neighbor_cosine",
    "ridge",
    "linear_svc",
]
"""Heads of `skd.FewShotClassifier`: the inductive classifiers."""

ClassifierName = Literal[
    HeadName, "simple_shot", "bd_cspn", "laplacian_shot", "tim", "alpha_tim", "pt_map"
]
"""Classifiers of `skd.evaluate`: the inductive ones, then the transductive heads."""

QueryDistribution = Literal["uniform", "dirichlet"]
"""Distributions of the queries of an episode over its classes."""

OpenSetScore = Literal["centroid_cosine", "max_probability"]
"""Scores of `skd.open_set_scores`."""

Metric = Literal["euclidean", "cosine"]
"""Distances of `skd.NearestCentroid` and `skd.NearestNeighbor`."""

Augmentation = Literal["none", "crop_flip", "full"]
"""Kinds of `skd.augment`."""

ScheduleKind = Literal["step", "cosine", "one_cycle"]
"""Schedules of the learning rate."""

BatchNormViews = Literal["twins", "all"]
"""Views that enter the student's batch statistics in `skd.Gen1`."""

TwinRotation = Literal[90, 180, 270]
"""Rotations of the twins of `skd.Gen1`, in degrees."""

Monitor = Literal["val_accuracy", "loss"]
"""Numbers that `skd.callbacks.EarlyStopping` can watch."""

Projection = Literal["pca", "tsne"]
"""Projections of `skd.plots.EmbeddingDisplay`."""

PublishedData = Literal["mini-imagenet", "tiered-imagenet", "cifar-fs", "fc100"]
"""Data sets that `skd.datasets.import_data` imports."""

DataName = Literal["glyphs", PublishedData]
"""Data sets that `skd.datasets.load` loads."""

RecipeDataName = Literal[DataName, "folder"]
"""Data sets of a recipe."""

TrainingPart = Literal["train", "trainval"]
"""Classes that a recipe trains on."""

EvaluationPart = Literal["test", "val"]
"""Classes that a recipe evaluates on."""

TrainedModel = Literal["last", "best"]
"""Models of a run that a recipe evaluates."""

Stage = Literal["supervised", "distilled", "gen0", "gen1"]
"""Objectives of a recipe."""

Computation = Literal["forward", "input_gradient", "weight_gradient", "evaluation"]
"""Passes of a convolution."""

Algorithm = Literal["winograd", "gemm", "winograd_bfloat16"]
"""Algorithms of a convolution."""

AnyAlgorithm = Literal["automatic", Algorithm]
"""Algorithms that can be timed, and the library's choice."""


def values(choice: Any) -> tuple[Any, ...]:
    """Return the words of a type of this module.

    Parameters
    ----------
    choice : Literal
        A type of this module.

    Returns
    -------
    values : tuple
        Its words, in order.

    Examples
    --------
    >>> values(Precision)
    ('float32', 'bfloat16')
    """
    return get_args(choice)
