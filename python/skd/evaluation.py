"""Few-shot evaluation: accuracy of a small classifier over many episodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._progress import progress_bar
from skd.augmentation import default_padding, mode_of
from skd.classifiers import l2_normalize
from skd.datasets import Split
from skd.episodes import Episodes, EpisodeSampler
from skd.models import FEATURES, Model, Normalization

__all__ = ["EvaluationResult", "evaluate", "evaluate_features", "mean_ci95"]

FloatArray = NDArray[np.float32]

CLASSIFIERS = {
    "logistic": _native.CLASSIFIER_LOGISTIC,
    "nearest_centroid": _native.CLASSIFIER_NEAREST_CENTROID,
    "nearest_centroid_cosine": _native.CLASSIFIER_NEAREST_CENTROID_COSINE,
    "nearest_neighbor": _native.CLASSIFIER_NEAREST_NEIGHBOR,
    "nearest_neighbor_cosine": _native.CLASSIFIER_NEAREST_NEIGHBOR_COSINE,
    "ridge": _native.CLASSIFIER_RIDGE,  # its alpha is 1 / INVERSE_REGULARIZATION
    "linear_svc": _native.CLASSIFIER_LINEAR_SVC,
}
INVERSE_REGULARIZATION = 1.0
# How many episodes are scored at once, which bounds the memory of their support.
EPISODES_AT_ONCE = 64
AUGMENTED_EPISODES_AT_ONCE = 8  # their images are in memory too


@dataclass(frozen=True)
class EvaluationResult:
    """Accuracy over a number of episodes, in percent.

    Attributes
    ----------
    mean : float
        Mean accuracy.
    ci95 : float
        Half-width of the 95 % Student-t confidence interval of the mean.
    accuracies : ndarray of shape (n_episodes,), dtype float64
        Accuracy of each episode.
    options : dict
        Every option of the evaluation.
    """

    mean: float
    ci95: float
    accuracies: NDArray[np.float64] = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)

    def __str__(self) -> str:
        """Return the mean and the half-width, such as ``65.93 ± 0.81 %``."""
        return f"{self.mean:.2f} ± {self.ci95:.2f} %"


def mean_ci95(values: ArrayLike) -> tuple[float, float]:
    """Return a mean and the half-width of its 95 % Student-t confidence interval.

    Parameters
    ----------
    values : array-like of shape (n_values,), dtype float64
        At least one value.

    Returns
    -------
    mean, ci95 : float
        The half-width is 0 for a single value.

    Examples
    --------
    >>> mean, ci95 = mean_ci95([1.0, 2.0, 3.0])
    >>> mean, round(ci95, 4)
    (2.0, 2.4841)
    """
    return _native.mean_ci95(check.double_vector(values, "values", "mean_ci95"))


def evaluate(
    model: Model,
    split: Split,
    *,
    n_way: int = 5,
    n_shot: int = 1,
    n_query: int = 15,
    n_episodes: int = 600,
    classifier: str = "logistic",
    features: str = "embedding",
    n_support_copies: int = 5,
    support_augmentation: str = "crop_flip",
    flip: bool = True,
    seed: int = 0,
    legacy_episodes: bool = False,
    progress: bool = False,
) -> EvaluationResult:
    """Evaluate a model on few-shot episodes.

    In each episode a classifier is fitted on the L2-normalised features of the support images and
    scored on the query images.

    Parameters
    ----------
    model : Model
        Its normalisation serves the images; without one, that of `split`.
    split : Split
        Images of novel classes.
    n_way, n_shot, n_query : int, default=5, 1 and 15
        Classes of an episode, and support and query images of each class.
    n_episodes : int, default=600
        Number of episodes.
    classifier : str, default="logistic"
        What is fitted on the support features: "logistic", "nearest_centroid",
        "nearest_centroid_cosine", "nearest_neighbor", "nearest_neighbor_cosine", "ridge" or
        "linear_svc".
    features : {"embedding", "logits"}, default="embedding"
        Which output of the model.
    n_support_copies : int, default=5
        Augmented copies of each support image; without augmentation the copies would be equal,
        and one is taken.
    support_augmentation : {"crop_flip", "full", "none"}, default="crop_flip"
        Augmentation of the support images; see `skd.augment`.
    flip : bool, default=True
        Whether that augmentation mirrors images.
    seed : int, default=0
        Of the episodes and the augmentation; episode `i` depends on (seed, i) alone.
    legacy_episodes : bool, default=False
        Whether to draw the episodes of the published code.
    progress : bool, default=False
        Whether to show a progress bar, if the standard error is a terminal.

    Returns
    -------
    result : EvaluationResult
        Mean, confidence interval and accuracies, in percent.
    """
    owner = "evaluate"
    check.instance(model, "model", owner, Model)
    check.instance(split, "split", owner, Split)
    mode = mode_of(support_augmentation, "support_augmentation", owner, split.images.shape[3])
    copies = check.integer(n_support_copies, "n_support_copies", owner, minimum=1, maximum=1000)
    check.choice(features, "features", owner, FEATURES)
    mirrors = check.boolean(flip, "flip", owner)
    shows = check.boolean(progress, "progress", owner)
    normalization = model.normalization or Normalization(split.mean, split.std)
    extract = _FeatureExtractor(model, features, normalization)
    plan = _Plan(
        split.labels, n_way, n_shot, n_query, n_episodes, classifier, seed, legacy_episodes, owner
    )
    pixels = check.model_images(
        split.images, "split", owner, side=model.image_size, channels=model.input_channels
    )
    image_features = extract(pixels)
    if mode == _native.AUGMENT_NONE:
        copies, supports = 1, None
    else:
        supports = _AugmentedSupports(extract, split.images, mode, copies, mirrors, plan.seed)
    options = {
        "features": features,
        "n_support_copies": copies,
        "support_augmentation": support_augmentation,
        "flip": mirrors,
        "normalization": normalization,
    }
    return _score(plan, image_features, supports, options, shows)


def evaluate_features(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    n_way: int = 5,
    n_shot: int = 1,
    n_query: int = 15,
    n_episodes: int = 600,
    classifier: str = "logistic",
    seed: int = 0,
    legacy_episodes: bool = False,
    progress: bool = False,
) -> EvaluationResult:
    """Evaluate features of any origin on few-shot episodes.

    Parameters
    ----------
    features : array-like of shape (n_images, n_dimensions), dtype float32
        Features; they are L2-normalised first.
    labels : array-like of shape (n_images,), dtype int64
        Class of each image, any integers.
    n_way, n_shot, n_query, n_episodes, classifier, seed, legacy_episodes, progress
        As for `evaluate`.

    Returns
    -------
    result : EvaluationResult
        Mean, confidence interval and accuracies, in percent.

    Examples
    --------
    >>> features = np.repeat(np.eye(5), 4, axis=0)
    >>> labels = np.repeat(np.arange(5), 4)
    >>> evaluate_features(features, labels, n_query=3, n_episodes=10).mean
    100.0
    """
    owner = "evaluate_features"
    rows = check.float_array(features, "features", owner, ndim=2, finite=True)
    targets = check.integer_array(labels, "labels", owner, length=len(rows))
    plan = _Plan(
        targets, n_way, n_shot, n_query, n_episodes, classifier, seed, legacy_episodes, owner
    )
    shows = check.boolean(progress, "progress", owner)
    return _score(plan, l2_normalize(rows), None, {}, shows)


class _Plan:
    """The episodes of an evaluation and the classifier they are scored with."""

    def __init__(
        self,
        labels: NDArray[np.int64],
        n_way: int,
        n_shot: int,
        n_query: int,
        n_episodes: int,
        classifier: str,
        seed: int,
        legacy: bool,
        owner: str,
    ) -> None:
        self.seed = check.seed(seed, owner)
        self.sampler = EpisodeSampler(
            labels, n_way=n_way, n_shot=n_shot, n_query=n_query, seed=seed, legacy=legacy
        )
        self.n_episodes = check.integer(n_episodes, "n_episodes", owner, minimum=1)
        self.classifier = check.choice(classifier, "classifier", owner, CLASSIFIERS)

    def blocks(self, size: int) -> Iterator[tuple[int, Episodes]]:
        """Yield the episodes in blocks of a size, with the number of the first."""
        for first in range(0, self.n_episodes, size):
            count = min(size, self.n_episodes - first)
            yield first, self.sampler.sample(first, count)

    def options(self) -> dict[str, Any]:
        """Return the options that define the episodes and the classifier."""
        return {
            "n_way": self.sampler.n_way,
            "n_shot": self.sampler.n_shot,
            "n_query": self.sampler.n_query,
            "n_episodes": self.n_episodes,
            "classifier": self.classifier,
            "inverse_regularization": INVERSE_REGULARIZATION,
            "seed": self.seed,
            "legacy_episodes": self.sampler.legacy,
        }


class _FeatureExtractor:
    """L2-normalised features of uint8 or normalised images."""

    def __init__(self, model: Model, kind: str, normalization: Normalization) -> None:
        self.normalization = normalization
        self._model, self._kind = model, kind

    def __call__(self, images: NDArray[Any]) -> FloatArray:
        features = self._model.features(images, self._kind, normalization=self.normalization)
        return l2_normalize(features)


class _AugmentedSupports:
    """Support features from augmented copies of the support images."""

    def __init__(
        self,
        extract: _FeatureExtractor,
        images: NDArray[np.uint8],
        mode: int,
        copies: int,
        flip: bool,
        seed: int,
    ) -> None:
        self._extract, self._images = extract, images
        self._mode, self._flip, self._seed = mode, flip, seed
        self._padding = default_padding(images.shape[1])
        self.copies = copies

    def __call__(self, first: int, support: NDArray[np.int64]) -> FloatArray:
        """Return [episodes, copies * n_way * n_shot, dimensions], copy after copy."""
        mean, std = (np.array(v, dtype=np.float32) for v in self._extract.normalization)
        positions = np.tile(support.reshape(len(support), -1), self.copies)
        streams = np.arange(positions.shape[1], dtype=np.int64)
        augmented = np.empty((*positions.shape, *self._images.shape[1:]), dtype=np.float32)
        for episode, (indices, output) in enumerate(zip(positions, augmented, strict=True)):
            _native.augment(
                self._images,
                indices,
                streams,
                self._mode,
                self._padding,
                self._flip,
                self._seed,
                first + episode,
                True,
                mean,
                std,
                output,
            )
        features = self._extract(augmented.reshape(-1, *self._images.shape[1:]))
        return features.reshape(*positions.shape, -1)


def _score(
    plan: _Plan,
    features: FloatArray,
    supports: _AugmentedSupports | None,
    options: dict[str, Any],
    progress: bool,
) -> EvaluationResult:
    """Score the episodes of a plan on the features of the images."""
    copies = 1 if supports is None else supports.copies
    size = EPISODES_AT_ONCE if supports is None else AUGMENTED_EPISODES_AT_ONCE
    sampler = plan.sampler
    support_labels = np.tile(np.repeat(np.arange(sampler.n_way), sampler.n_shot), copies)
    accuracies = np.empty(plan.n_episodes, dtype=np.float64)
    with progress_bar(plan.n_episodes, "evaluate", "episode", wanted=progress) as bar:
        for first, episodes in plan.blocks(size):
            count = len(episodes.support)
            if supports is None:
                support = features[episodes.support.reshape(count, -1)]
            else:
                support = supports(first, episodes.support)
            _native.score_episodes(
                support,
                support_labels.astype(np.int64),
                features,
                episodes.query,
                CLASSIFIERS[plan.classifier],
                INVERSE_REGULARIZATION,
                None,
                accuracies[first : first + count],
            )
            bar.update(count)
    accuracies *= 100
    mean, ci95 = mean_ci95(accuracies)
    return EvaluationResult(mean, ci95, accuracies, {**plan.options(), **options})
