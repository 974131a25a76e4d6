"""Arguments of displays: models by name, images of a split, vectors of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd.choices import Features
from skd.classifiers import l2_normalize
from skd.datasets import Split
from skd.models import Model, Normalization
from skd.plots._figures import COLOURS


def named_models(models: Any, owner: str) -> dict[str, Model]:
    """Return models by name; a single model is named after its architecture."""
    if isinstance(models, Model):
        return {models.architecture: models}
    legal = f"a Model, or a mapping of 1 to {len(COLOURS)} names to models"
    if not isinstance(models, Mapping):
        check.refuse("models", owner, legal, type(models).__name__, TypeError)
    if not 1 <= len(models) <= len(COLOURS):
        check.refuse("models", owner, legal, f"{len(models)} models")
    for name, model in models.items():
        if not isinstance(name, str) or not isinstance(model, Model):
            got = f"{name!r}: {type(model).__name__}"
            check.refuse("models", owner, legal, got, TypeError)
    return dict(models)


def check_fitting(model: Model, split: Split, owner: str) -> None:
    """Refuse a split whose images do not have the model's shape."""
    check.model_images(
        split.images, "split", owner, side=model.image_size, channels=model.input_channels
    )


class Drawn(NamedTuple):
    """Images drawn from a split: positions class by class, labels and class names."""

    positions: NDArray[np.int64]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]


def draw_images(
    models: Mapping[str, Model],
    split: Any,
    owner: str,
    *,
    num_classes: Any,
    n_images: Any,
    seed: Any,
    most_classes: int | None = None,
) -> Drawn:
    """Draw images of some classes of a split; the returned labels count from 0.

    If `num_classes` is None, all classes are drawn, but at most `most_classes`.
    """
    check.instance(split, "split", owner, Split)
    for model in models.values():
        check_fitting(model, split, owner)
    if num_classes is None:
        num_classes = min(split.num_classes, most_classes or split.num_classes)
    count = check.integer(num_classes, "num_classes", owner, minimum=1, maximum=split.num_classes)
    per_class = check.integer(n_images, "n_images", owner, minimum=1)
    random = np.random.default_rng(check.seed(seed, owner))
    classes = np.sort(random.permutation(split.num_classes)[:count])
    chosen = [
        np.sort(random.permutation(np.flatnonzero(split.labels == label))[:per_class])
        for label in classes
    ]
    return Drawn(
        np.concatenate(chosen),
        np.repeat(np.arange(count), [len(positions) for positions in chosen]),
        tuple(split.class_names[label] for label in classes),
    )


def outputs(model: Model, split: Split, positions: NDArray[np.int64], kind: Features) -> Any:
    """Return the embeddings or logits of images, normalised as in `skd.evaluate`."""
    normalization = model.normalization or Normalization(split.mean, split.std)
    return model.features(split.images[positions], kind, normalization=normalization)


def unit_embeddings(
    model: Model, split: Split, positions: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the L2-normalised embeddings of images, the input of all classifiers."""
    return l2_normalize(outputs(model, split, positions, "embedding")).astype(np.float64)


def vector(
    value: Any,
    name: str,
    owner: str,
    length: int | None = None,
    *,
    nan: bool = False,
    of: str = "epochs",
) -> NDArray[np.float64]:
    """Return a non-empty vector of finite numbers, of the length of `of` if `length` is given.

    NaN, if it is allowed, marks unknown values.
    """
    numbers = check.double_vector(value, name, owner, nan=nan)
    if length is not None and len(numbers) != length:
        check.refuse(name, owner, f"of length {length}, one for each of '{of}'", len(numbers))
    return numbers


def vectors_by_name(value: Any, name: str, owner: str) -> dict[str, NDArray[np.float64]]:
    """Return vectors of finite numbers by the names of models."""
    legal = f"a mapping of 1 to {len(COLOURS)} names to vectors"
    if not isinstance(value, Mapping):
        check.refuse(name, owner, legal, type(value).__name__, TypeError)
    if not 1 <= len(value) <= len(COLOURS):
        check.refuse(name, owner, legal, f"{len(value)} vectors")
    return {str(key): vector(numbers, name, owner) for key, numbers in value.items()}
