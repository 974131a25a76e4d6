"""Models by data sets by heads, on the same episodes of each data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skd import _validation as check
from skd._refusals import delegated
from skd.choices import Augmentation, Features, QueryDistribution
from skd.datasets import Split
from skd.evaluation._many import Heads, evaluate_many
from skd.evaluation._matrix_result import ComparisonMatrix
from skd.models import Model

MOST = 100  # models, and data sets


def compare(
    models: Mapping[str, Model],
    data: Mapping[str, Split | Mapping[str, Split]],
    *,
    heads: Heads = ("logistic",),
    n_way: int | tuple[int, int] = 5,
    n_shot: int | tuple[int, int] = 1,
    n_query: int = 15,
    query_distribution: QueryDistribution = "uniform",
    query_concentration: float = 2.0,
    n_episodes: int = 600,
    features: Features = "embedding",
    n_support_copies: int = 5,
    support_augmentation: Augmentation = "crop_flip",
    flip: bool = True,
    seed: int = 0,
    progress: bool = True,
) -> ComparisonMatrix:
    """Evaluate models by data sets by heads, all on the same episodes of a data set.

    Each model embeds each data set once, for all heads. With data that a model was not trained on,
    this is a cross-domain evaluation.

    Parameters
    ----------
    models : mapping of str to Model
        Models by name, 1 to 100. The first one with the first head is the baseline.
    data : mapping of str to Split, or to mapping of str to Split
        Images of novel classes by the name of the data. Where models take images of different
        sizes, give each data set as a mapping of the names of all models to splits of the same
        images.
    heads : sequence, or mapping of str to heads, default=("logistic",)
        As for `evaluate_many`.
    n_way, n_shot : int or pair of int, default=5 and 1
        As for `evaluate`.
    n_query : int, default=15
        As for `evaluate`.
    query_distribution : {"uniform", "dirichlet"}, default="uniform"
        As for `evaluate`.
    query_concentration : float, default=2.0
        As for `evaluate`.
    n_episodes : int, default=600
        As for `evaluate`.
    features : {"embedding", "logits"}, default="embedding"
        As for `evaluate`.
    n_support_copies : int, default=5
        As for `evaluate`.
    support_augmentation : {"crop_flip", "full", "none"}, default="crop_flip"
        As for `evaluate`.
    flip : bool, default=True
        As for `evaluate`.
    seed : int, default=0
        As for `evaluate`.
    progress : bool, default=True
        As for `evaluate`.

    Returns
    -------
    matrix : ComparisonMatrix
        Results, paired differences and their tables.

    Raises
    ------
    ValueError
        If an option is not legal; see `evaluate`. Nothing is computed for a data set whose images
        do not fit a model.
    TypeError
        If an argument has another type than documented.

    Examples
    --------
    >>> test = skd.datasets.load("glyphs").test
    >>> model = skd.create_model("convnet4", num_classes=5, image_size=32)
    >>> options = {"n_episodes": 3, "support_augmentation": "none"}
    >>> matrix = skd.compare({"fresh": model}, {"glyphs": test}, heads=["ridge"], **options)
    >>> matrix.models, matrix.data, matrix.heads
    (['fresh'], ['glyphs'], ['ridge'])
    """
    owner = "compare"
    by_name = _named(models, "models", owner, Model)
    splits = _splits(data, by_name, owner)
    results = {}
    with delegated(owner, "evaluate_many", model="models", split="data"):
        for name, of_model in splits.items():
            results[name] = {
                label: evaluate_many(
                    model,
                    of_model[label],
                    heads=heads,
                    n_way=n_way,
                    n_shot=n_shot,
                    n_query=n_query,
                    query_distribution=query_distribution,
                    query_concentration=query_concentration,
                    n_episodes=n_episodes,
                    features=features,
                    n_support_copies=n_support_copies,
                    support_augmentation=support_augmentation,
                    flip=flip,
                    seed=seed,
                    data_name=name,
                    progress=progress,
                )
                for label, model in by_name.items()
            }
    return ComparisonMatrix(results)


def _named(value: Any, name: str, owner: str, kind: type[Any] | None) -> dict[str, Any]:
    """Return a mapping of names to objects of a class."""
    what = "" if kind is None else f" to {kind.__name__}"
    legal = f"a mapping of 1 to {MOST} names{what}"
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        check.refuse(name, owner, legal, check.shown(value), TypeError)
    if not 1 <= len(value) <= MOST:
        check.refuse(name, owner, legal, f"{len(value)}")
    if kind is not None and not all(isinstance(entry, kind) for entry in value.values()):
        check.refuse(name, owner, legal, check.shown(value), TypeError)
    return dict(value)


def _splits(data: Any, models: Mapping[str, Model], owner: str) -> dict[str, Mapping[str, Split]]:
    """Return the split of each model, by the name of the data."""
    found: dict[str, Mapping[str, Split]] = {}
    for name, entry in _named(data, "data", owner, None).items():
        splits = dict.fromkeys(models, entry) if isinstance(entry, Split) else entry
        is_whole = isinstance(splits, Mapping) and set(splits) == set(models)
        if not is_whole or not all(isinstance(split, Split) for split in splits.values()):
            legal = "a mapping of names to a Split, or to a mapping of the models to splits"
            check.refuse("data", owner, legal, f"{name!r}: {check.shown(entry)}", TypeError)
        for label, model in models.items():
            check.model_images(
                splits[label].images,
                "data",
                owner,
                side=model.image_size,
                channels=model.input_channels,
            )
        first = splits[next(iter(models))]
        if any((split.labels != first.labels).any() if len(split) == len(first) else True
               for split in splits.values()):  # fmt: skip
            check.refuse("data", owner, "of the same images for all models", f"{name!r} of others")
        found[name] = splits
    return found
